#include "files/zip.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "base/memory.h"
#include "files/archive.h"

/* Deflate cannot expand by more than this; an entry that claims more is a trap. */
enum { MOST_EXPANSION = 1032 };

struct archive {
    zip_t *zip;
    char *what;

    /* of one that is being written */
    struct replacing replacing; /* file -1: none */
    zip_error_t status;         /* of the last call, for libzip */
    strata_error refused;       /* by the file system */
    char *memory;               /* owned */
    char *gathered;             /* in it from a page on: what goes to the file in one piece, where in a page it stands in the file too */
    size_t gathered_from, gathered_to;
};

static struct archive *start(const char *what, strata_error *err)
{
    struct archive *archive = strata_alloc(1, sizeof *archive, err);
    if (archive && !(archive->what = strata_copy_text(what, err))) {
        free(archive);
        archive = NULL;
    }
    if (archive) archive->replacing.file = -1;
    return archive;
}

static bool refuse(const struct archive *archive, const char *doing, strata_error *err)
{
    zip_error_t *error = zip_get_error(archive->zip);
    const bool memory = zip_error_code_zip(error) == ZIP_ER_MEMORY;
    return strata_fail_native(err, memory ? STRATA_EMEMORY : STRATA_EFILE, zip_error_code_zip(error),
                              "%s: %s: %s", archive->what, doing, zip_error_strerror(error));
}

/* ---- reading ---- */

struct archive *strata_zip_open(const char *path, strata_error *err)
{
    struct archive *archive = start(path, err);
    if (!archive) return NULL;
    int code = 0;
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
    strata_replacing_cancel(&archive->replacing);
    free(archive->memory);
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

/* ---- writing ----
 *
 * libzip writes to a source of ours, which is the file aside of the one that is replaced. It does so in small pieces, for each of which
 * the system has as much to do as for a large one. */

enum { GATHERED = 1 << 20 };

static bool flush(struct archive *a)
{
    const size_t size = a->gathered_to - a->gathered_from;
    const bool ok = strata_replacing_write(&a->replacing, a->gathered + a->gathered_from, size, &a->refused);
    if (!ok) zip_error_set(&a->status, ZIP_ER_WRITE, a->refused.native);
    a->gathered_from = a->gathered_to = a->gathered_to % STRATA_FILE_PAGE;
    return ok;
}

static zip_int64_t gather(struct archive *a, const char *bytes, zip_uint64_t size)
{
    for (zip_uint64_t done = 0, some; done < size; done += some) {
        if (a->gathered_to == GATHERED && !flush(a)) return -1;
        some = GATHERED - a->gathered_to < size - done ? GATHERED - a->gathered_to : size - done;
        memcpy(a->gathered + a->gathered_to, bytes + done, some);
        a->gathered_to += some;
    }
    return (zip_int64_t)size;
}

static zip_int64_t move_to(struct archive *a, off_t offset, int whence)
{
    if (!flush(a)) return -1;
    const off_t now = lseek(a->replacing.file, offset, whence);
    if (now < 0)
        zip_error_set(&a->status, ZIP_ER_SEEK, errno);
    else
        a->gathered_from = a->gathered_to = (size_t)now % STRATA_FILE_PAGE;
    return now;
}

static zip_int64_t seek(struct archive *a, void *data, zip_uint64_t size)
{
    const zip_source_args_seek_t *to = ZIP_SOURCE_GET_ARGS(zip_source_args_seek_t, data, size, &a->status);
    return to && move_to(a, to->offset, to->whence) >= 0 ? 0 : -1;
}

/* What is said to be there before is an empty file. */
static zip_int64_t say_empty(void *data)
{
    zip_stat_t *stat = data;
    zip_stat_init(stat);
    stat->size = 0;
    stat->valid = ZIP_STAT_SIZE;
    return sizeof *stat;
}

static zip_int64_t target(void *context, void *data, zip_uint64_t size, zip_source_cmd_t command)
{
    struct archive *a = context;
    switch (command) {
    case ZIP_SOURCE_SUPPORTS: return ZIP_SOURCE_SUPPORTS_WRITABLE;
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&a->status, data, size);
    case ZIP_SOURCE_STAT: return say_empty(data);
    case ZIP_SOURCE_WRITE: return gather(a, data, size);
    case ZIP_SOURCE_COMMIT_WRITE: return flush(a) ? 0 : -1;
    case ZIP_SOURCE_SEEK_WRITE: return seek(a, data, size);
    case ZIP_SOURCE_TELL_WRITE: return move_to(a, 0, SEEK_CUR);
    case ZIP_SOURCE_OPEN:
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
    case ZIP_SOURCE_BEGIN_WRITE:
    case ZIP_SOURCE_ROLLBACK_WRITE: return 0;
    default: zip_error_set(&a->status, ZIP_ER_OPNOTSUPP, 0); return -1; /* an archive without entries is one that libzip removes */
    }
}

static bool make_room(struct archive *a, strata_error *err)
{
    a->memory = strata_alloc(GATHERED + STRATA_FILE_PAGE, 1, err);
    if (a->memory) a->gathered = a->memory + (STRATA_FILE_PAGE - (uintptr_t)a->memory % STRATA_FILE_PAGE);
    return a->memory != NULL;
}

struct archive *strata_zip_create(const char *path, strata_error *err)
{
    struct archive *archive = start(path, err);
    if (!archive) return NULL;
    zip_error_t error;
    zip_error_init(&error);
    zip_error_init(&archive->status);
    bool ok = make_room(archive, err) && strata_replacing_begin(&archive->replacing, path, err);
    zip_source_t *source = ok ? zip_source_function_create(target, archive, &error) : NULL;
    archive->zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, &error) : NULL;
    if (ok && !archive->zip) ok = strata_fail(err, STRATA_EMEMORY, "%s: no archive can be made: %s", path, zip_error_strerror(&error));
    if (source && !ok) zip_source_free(source);
    zip_error_fini(&error);
    if (ok) return archive;
    strata_zip_close(archive);
    return NULL;
}

bool strata_zip_put(struct archive *archive, const char *name, const void *bytes, size_t size,
                    strata_error *err)
{
    zip_source_t *source = zip_source_buffer(archive->zip, bytes, size, 0);
    if (!source) return refuse(archive, name, err);
    const zip_int64_t index = zip_file_add(archive->zip, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return refuse(archive, name, err);
    }
    return zip_set_file_compression(archive->zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0
           || refuse(archive, name, err);
}

bool strata_zip_commit(struct archive *archive, strata_error *err)
{
    if (zip_close(archive->zip) < 0) {
        if (archive->refused.code == STRATA_OK) return refuse(archive, "the archive cannot be written", err);
        *err = archive->refused;
        return false;
    }
    archive->zip = NULL;
    return strata_replacing_commit(&archive->replacing, err);
}
