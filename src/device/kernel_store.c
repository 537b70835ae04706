#include "device/kernel_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/env.h"
#include "base/folders.h"

/* Numbers are those of the machine, like the binary. */
struct header {
    char magic[8];
    uint64_t low, high; /* the key */
    uint64_t size, checksum;
};

static const char magic[8] = "strataK1";

static bool folder_of(char path[PATH_MAX])
{
    char cache[PATH_MAX - 16];
    return strata_env_cache_dir(cache, sizeof cache) && snprintf(path, PATH_MAX, "%s/kernels", cache) < PATH_MAX;
}

bool strata_store_has_place(void)
{
    char folder[PATH_MAX];
    return folder_of(folder);
}

static bool path_of(const struct store_key *key, char path[PATH_MAX])
{
    char folder[PATH_MAX];
    return folder_of(folder)
        && snprintf(path, PATH_MAX, "%s/%016" PRIx64 "%016" PRIx64 ".bin", folder, key->high, key->low) < PATH_MAX;
}

static bool read_all(int file, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = read(file, (char *)bytes + done, size - done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool write_all(int file, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = write(file, (const char *)bytes + done, size - done);
        if (got < 0 && errno != EINTR)
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* The payload, when the header and the file's size agree and the checksum holds. */
static unsigned char *read_entry(int file, const struct store_key *key, size_t *size)
{
    struct header header;
    struct stat stat;
    if (fstat(file, &stat) != 0 || stat.st_size <= (off_t)sizeof header || !read_all(file, &header, sizeof header))
        return NULL;
    *size = (size_t)stat.st_size - sizeof header;
    if (memcmp(header.magic, magic, sizeof magic) != 0 || header.low != key->low || header.high != key->high
        || header.size != *size)
        return NULL;
    unsigned char *bytes = malloc(*size);
    if (bytes && read_all(file, bytes, *size) && XXH3_64bits(bytes, *size) == header.checksum)
        return bytes;
    free(bytes);
    return NULL;
}

bool strata_store_read(const struct store_key *key, unsigned char **bytes, size_t *size)
{
    char path[PATH_MAX];
    const int file = path_of(key, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    *bytes = read_entry(file, key, size);
    close(file);
    return *bytes != NULL;
}

/* Makes the folder and those above it. */
static bool make_folder(char *path)
{
    strata_make_parents(path);
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

void strata_store_write(const struct store_key *key, const void *bytes, size_t size)
{
    char folder[PATH_MAX], path[PATH_MAX], aside[PATH_MAX];
    struct header header = { .low = key->low, .high = key->high, .size = size,
                             .checksum = XXH3_64bits(bytes, size) };
    memcpy(header.magic, magic, sizeof magic);
    if (!folder_of(folder) || !make_folder(folder) || !path_of(key, path)
        || snprintf(aside, sizeof aside, "%s/new-XXXXXX", folder) >= (int)sizeof aside)
        return;
    const int file = mkstemp(aside);
    if (file < 0)
        return;
    bool ok = write_all(file, &header, sizeof header) && write_all(file, bytes, size);
    ok = close(file) == 0 && ok;
    if (!ok || rename(aside, path) != 0)
        unlink(aside);
}
