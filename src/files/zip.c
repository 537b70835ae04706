#include "files/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"

/* Deflate cannot expand by more than this; an entry that claims more is a trap. */
enum { MOST_EXPANSION = 1032 };

struct archive {
    zip_t *zip;
    char *what;
};

static bool refuse(const struct archive *archive, const char *doing, strata_error *err)
{
    zip_error_t *error = zip_get_error(archive->zip);
    const bool memory = zip_error_code_zip(error) == ZIP_ER_MEMORY;
    return strata_fail_native(err, memory ? STRATA_EMEMORY : STRATA_EFILE, zip_error_code_zip(error),
                              "%s: %s: %s", archive->what, doing, zip_error_strerror(error));
}

struct archive *strata_zip_open(const char *path, strata_error *err)
{
    struct archive *archive = strata_alloc(1, sizeof *archive, err);
    int code = 0;
    if (!archive || !(archive->what = strata_copy_text(path, err))) {
        strata_zip_close(archive);
        return NULL;
    }
    archive->zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (archive->zip) return archive;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    strata_fail_native(err, STRATA_EFILE, code, "%s: not a zip archive, or a damaged one: %s", path,
                       zip_error_strerror(&error));
    zip_error_fini(&error);
    strata_zip_close(archive);
    return NULL;
}

void strata_zip_close(struct archive *archive)
{
    if (!archive) return;
    if (archive->zip) zip_discard(archive->zip);
    free(archive->what);
    free(archive);
}

bool strata_zip_has(const struct archive *archive, const char *name)
{
    return zip_name_locate(archive->zip, name, 0) >= 0;
}

bool strata_zip_names(const struct archive *archive, struct names *names, strata_error *err)
{
    const zip_int64_t count = zip_get_num_entries(archive->zip, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(archive->zip, (zip_uint64_t)i, 0);
        if (!name) return refuse(archive, "an entry has no name", err);
        if (!strata_names_add(names, name, err)) return false;
    }
    return true;
}

static bool find(const struct archive *archive, const char *name, zip_stat_t *stat, strata_error *err)
{
    const zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_INDEX;
    zip_stat_init(stat);
    if (zip_stat(archive->zip, name, 0, stat) < 0 || (stat->valid & need) != need)
        return strata_fail(err, STRATA_EFILE, "%s: it has no entry %s", archive->what, name);
    if (stat->size >= SIZE_MAX || stat->size / MOST_EXPANSION > stat->comp_size)
        return strata_fail(err, STRATA_EFILE, "%s: entry %s claims %llu bytes; %llu are stored",
                           archive->what, name, (unsigned long long)stat->size,
                           (unsigned long long)stat->comp_size);
    return true;
}

bool strata_zip_read(const struct archive *archive, const char *name, void **bytes, size_t *size,
                     strata_error *err)
{
    zip_stat_t stat;
    *bytes = NULL;
    if (!find(archive, name, &stat, err)) return false;
    zip_file_t *entry = zip_fopen_index(archive->zip, stat.index, 0);
    if (!entry) return refuse(archive, name, err);
    char *read = strata_alloc((size_t)stat.size + 1, 1, err);
    size_t length = 0;
    zip_int64_t got = read ? 1 : -1;
    /* one read past the end, where libzip compares the checksum */
    while (got > 0) {
        got = zip_fread(entry, read + length, stat.size - length + (length == stat.size));
        length += got > 0 ? (size_t)got : 0;
        if (length > stat.size) got = -1;
    }
    if (read && (got < 0 || length != stat.size)) {
        strata_fail(err, STRATA_EFILE, "%s: entry %s is damaged: %s", archive->what, name,
                    got < 0 ? zip_error_strerror(zip_file_get_error(entry)) : "it ends early");
        free(read);
        read = NULL;
    }
    zip_fclose(entry);
    if (!read) return false;
    read[length] = '\0';
    *bytes = read;
    *size = length;
    return true;
}
