/* NumPy's .npz: a zip of .npy files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/npy.h"
#include "data/rows_priv.h"

/* deflate's best ratio is 1032 to 1; more means that the directory claims what the file does not hold. */
enum { MOST_RATIO = 1100, SMALL_BYTES = 1 << 20 };

/* One .npy being read. */
struct entry {
    const char *what; /* for messages */
    zip_file_t *file;
    uint64_t size;    /* bytes of the entry that are not read yet */
    struct npy npy;
};

static bool read_bytes(struct entry *entry, void *bytes, size_t size, strata_error *err)
{
    if (size > entry->size)
        return strata_fail(err, STRATA_EFILE, "%s: truncated: it needs %zu more bytes and has %llu", entry->what, size,
                           (unsigned long long)entry->size);
    for (size_t done = 0; done < size;) {
        const zip_int64_t got = zip_fread(entry->file, (char *)bytes + done, size - done);
        if (got <= 0)
            return strata_fail(err, STRATA_EFILE, "%s: damaged: %s", entry->what,
                               got < 0 ? zip_file_strerror(entry->file) : "it ends early");
        done += (size_t)got;
    }
    entry->size -= size;
    return true;
}

static bool read_header(struct entry *entry, struct rows *rows, size_t *bytes, strata_error *err)
{
    unsigned char start[NPY_START], length[4];
    size_t size, length_size;
    if (!read_bytes(entry, start, sizeof start, err) || !(length_size = strata_npy_length_size(start, entry->what, err))
        || !read_bytes(entry, length, length_size, err)
        || !strata_npy_length(length, length_size, &size, entry->what, err))
        return false;
    char *header = strata_alloc(size + 1, 1, err);
    const bool ok = header && read_bytes(entry, header, size, err) && strata_npy_parse(header, &entry->npy, entry->what, err);
    free(header);
    return ok
           && strata_rows_shape(rows, entry->npy.rank, entry->npy.dim, entry->npy.number.size, bytes, entry->what, err);
}

/* Converted piece by piece on the way to the sink. */
static bool read_values(struct entry *entry, size_t bytes, strata_type as, struct sink *sink, strata_error *err)
{
    enum { PIECE = 1 << 16 };
    const size_t size = entry->npy.number.size;
    unsigned char *raw = strata_alloc(PIECE, 1, err);
    void *values = raw ? strata_alloc(PIECE / size, strata_type_size(as), err) : NULL;
    bool ok = values != NULL;
    for (size_t done = 0, n, bad; ok && done < bytes; done += n) {
        n = bytes - done < PIECE ? bytes - done : PIECE;
        ok = read_bytes(entry, raw, n, err)
             && (strata_numbers_convert(&entry->npy.number, raw, n / size, as, values, &bad)
                 || strata_fail(err, STRATA_EFILE, "%s: an integer does not fit 32 bits", entry->what))
             && strata_sink_write(sink, values, n / size * strata_type_size(as), err);
    }
    free(raw);
    free(values);
    return ok;
}

/* x of more than may be in memory has integers of 32 bits, as its stream does. */
static bool read_whole(struct entry *entry, struct arrays *arrays, strata_error *err)
{
    size_t bytes;
    char extra;
    struct rows *rows = &arrays->x;
    if (!read_header(entry, rows, &bytes, err))
        return false;
    if (bytes != entry->size)
        return strata_fail(err, STRATA_EFILE, "%s: its shape needs %zu bytes and it holds %llu", entry->what, bytes,
                           (unsigned long long)entry->size);
    struct sink sink = { .what = entry->what, .limit = arrays->memory, .file = -1 };
    rows->column.type = strata_number_type(&entry->npy.number);
    if (rows->column.type == STRATA_INT64 && bytes > arrays->memory) rows->column.type = STRATA_INT32;
    bool ok = read_values(entry, bytes, rows->column.type, &sink, err);
    if (ok && zip_fread(entry->file, &extra, 1) != 0) /* at the end the checksum is compared */
        ok = strata_fail(err, STRATA_EFILE, "%s: damaged: %s", entry->what, zip_file_strerror(entry->file));
    ok = ok && strata_sink_finish(&sink, arrays, err);
    strata_sink_free(&sink);
    return ok;
}

static bool read_entry(zip_t *zip, zip_uint64_t index, const char *what, struct arrays *arrays, strata_error *err)
{
    zip_stat_t stat;
    const zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(zip, index, 0, &stat) != 0 || (stat.valid & need) != need)
        return strata_fail(err, STRATA_EFILE, "%s: damaged: %s", what, zip_strerror(zip));
    if (stat.size > SMALL_BYTES && stat.size / MOST_RATIO > stat.comp_size)
        return strata_fail(err, STRATA_EFILE, "%s: it claims %llu bytes from %llu: damaged", what,
                           (unsigned long long)stat.size, (unsigned long long)stat.comp_size);
    struct entry entry = { .what = what, .file = zip_fopen_index(zip, index, 0), .size = stat.size };
    if (!entry.file)
        return strata_fail(err, STRATA_EFILE, "%s: cannot be read: %s", what, zip_strerror(zip));
    const bool ok = read_whole(&entry, arrays, err);
    zip_fclose(entry.file);
    return ok;
}

/* y and weights are always in memory. */
static bool read_array(zip_t *zip, zip_uint64_t index, const char *what, int which, struct arrays *arrays,
                       strata_error *err)
{
    struct arrays other = { .memory = SIZE_MAX };
    if (which == ARRAY_X) return read_entry(zip, index, what, arrays, err);
    const bool ok = read_entry(zip, index, what, &other, err);
    *strata_arrays_get(arrays, which) = other.x;
    return ok;
}

static bool fail_missing(zip_t *zip, const char *path, const char *name, strata_error *err)
{
    struct text list = { 0 };
    const zip_int64_t count = zip_get_num_entries(zip, 0);
    for (zip_int64_t i = 0; i < count && list.length < 300; i++) {
        const char *entry = zip_get_name(zip, (zip_uint64_t)i, 0);
        strata_text_add(&list, "%s%s", i ? ", " : "", entry ? entry : "?");
    }
    strata_fail(err, STRATA_EFILE, "%s: it has no array \"%s\"; it has %s", path, name,
                list.length ? list.data : "nothing");
    strata_text_free(&list);
    return false;
}

static bool read_arrays(zip_t *zip, const char *path, const struct names *names, struct arrays *arrays,
                        strata_error *err)
{
    char entry[256], what[640];
    for (int which = 0; which < ARRAY_COUNT; which++) {
        const char *name = strata_names_get(names, which);
        snprintf(entry, sizeof entry, "%.240s.npy", name);
        snprintf(what, sizeof what, "%.300s: array \"%.240s\"", path, name);
        const zip_int64_t index = zip_name_locate(zip, entry, 0);
        if (index >= 0) {
            if (!read_array(zip, (zip_uint64_t)index, what, which, arrays, err))
                return false;
        } else if (!strata_names_optional(names, which)) {
            return fail_missing(zip, path, name, err);
        }
    }
    return true;
}

bool strata_read_npz(const char *path, const struct names *names, struct arrays *arrays, strata_error *err)
{
    int why = 0;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &why);
    if (!zip) {
        zip_error_t error;
        zip_error_init_with_code(&error, why);
        strata_fail_native(err, STRATA_EFILE, why, "%s: cannot be opened: %s", path, zip_error_strerror(&error));
        zip_error_fini(&error);
        return false;
    }
    const bool ok = read_arrays(zip, path, names, arrays, err);
    zip_discard(zip);
    return ok;
}
