/* NumPy's .npz: a zip of .npy files. Source: numpy/lib/format.py, which describes versions 1 to 3 of .npy. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/rows_priv.h"

/* deflate's best ratio is 1032 to 1; more means that the directory claims what the file does not hold. */
enum { MOST_RATIO = 1100, MOST_HEADER = 1 << 16, SMALL_BYTES = 1 << 20 };

/* Types of .npy. */
static const struct kind {
    const char *descr;
    struct number number;
} kinds[] = {
    { "<f4", { NUMBER_FLOAT, 4, false } },    { "<f8", { NUMBER_FLOAT, 8, false } },
    { "|u1", { NUMBER_UNSIGNED, 1, false } }, { "|b1", { NUMBER_UNSIGNED, 1, false } },
    { "<i4", { NUMBER_SIGNED, 4, false } },   { "<i8", { NUMBER_SIGNED, 8, false } },
};

/* One .npy being read. */
struct npy {
    const char *what; /* for messages */
    zip_file_t *file;
    uint64_t size;    /* bytes of the entry that are not read yet */
    const struct kind *kind;
};

static bool read_bytes(struct npy *npy, void *bytes, size_t size, strata_error *err)
{
    if (size > npy->size)
        return strata_fail(err, STRATA_EFILE, "%s: truncated: it needs %zu more bytes and has %llu", npy->what, size,
                           (unsigned long long)npy->size);
    for (size_t done = 0; done < size;) {
        const zip_int64_t got = zip_fread(npy->file, (char *)bytes + done, size - done);
        if (got <= 0)
            return strata_fail(err, STRATA_EFILE, "%s: damaged: %s", npy->what,
                               got < 0 ? zip_file_strerror(npy->file) : "it ends early");
        done += (size_t)got;
    }
    npy->size -= size;
    return true;
}

/* What follows 'key': in the header, a Python dict of known form; NULL when it is not there. */
static const char *value_of(const char *header, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s':", key);
    const char *at = strstr(header, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static bool parse_kind(struct npy *npy, const char *header, strata_error *err)
{
    const char *at = value_of(header, "descr");
    if (!at)
        return strata_fail(err, STRATA_EFILE, "%s: its header has no type", npy->what);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((*at == '\'' || *at == '"') && strncmp(at + 1, kinds[i].descr, 3) == 0 && at[4] == *at)
            npy->kind = &kinds[i];
    if (!npy->kind)
        return strata_fail(err, STRATA_EFILE, "%s: its type is %.*s; Strata reads <f4, <f8, |u1, |b1, <i4 and <i8",
                           npy->what, (int)strcspn(at, ",}"), at);
    return true;
}

/* "(2, 3)", "(5,)" or "()". */
static bool parse_shape(struct npy *npy, const char *header, int *rank, uint64_t dim[STRATA_MAX_RANK + 1],
                        strata_error *err)
{
    const char *at = value_of(header, "shape");
    *rank = 0;
    if (!at || *at++ != '(')
        return strata_fail(err, STRATA_EFILE, "%s: its header has no shape", npy->what);
    while (*at != ')') {
        char *end;
        if (!isdigit((unsigned char)*at) || *rank > STRATA_MAX_RANK)
            return strata_fail(err, STRATA_EFILE, "%s: its shape is not one of 1 to %d extents", npy->what,
                               STRATA_MAX_RANK);
        dim[(*rank)++] = strtoull(at, &end, 10);
        for (at = end; *at == ',' || *at == ' ';)
            at++;
    }
    return true;
}

static bool read_header(struct npy *npy, struct rows *rows, size_t *bytes, strata_error *err)
{
    unsigned char start[8], length[4] = { 0 };
    int rank;
    uint64_t dim[STRATA_MAX_RANK + 1];
    if (!read_bytes(npy, start, sizeof start, err))
        return false;
    if (memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3)
        return strata_fail(err, STRATA_EFILE, "%s: not a .npy file of version 1 to 3", npy->what);
    if (!read_bytes(npy, length, start[6] == 1 ? 2 : 4, err))
        return false;
    const size_t size = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (size > MOST_HEADER)
        return strata_fail(err, STRATA_EFILE, "%s: its header claims %zu bytes: damaged", npy->what, size);
    char *header = strata_alloc(size + 1, 1, err);
    bool ok = header && read_bytes(npy, header, size, err) && parse_kind(npy, header, err)
              && parse_shape(npy, header, &rank, dim, err);
    if (ok) {
        const char *fortran = value_of(header, "fortran_order");
        if (!fortran || strncmp(fortran, "False", 5) != 0)
            ok = strata_fail(err, STRATA_EFILE, "%s: it is in Fortran order; save numpy.ascontiguousarray of it",
                             npy->what);
    }
    free(header);
    return ok && strata_rows_shape(rows, rank, dim, npy->kind->number.size, bytes, npy->what, err);
}

/* Converted piece by piece on the way to the sink. */
static bool read_values(struct npy *npy, size_t bytes, strata_type as, struct sink *sink, strata_error *err)
{
    enum { PIECE = 1 << 16 };
    const size_t size = npy->kind->number.size;
    unsigned char *raw = strata_alloc(PIECE, 1, err);
    void *values = raw ? strata_alloc(PIECE / size, strata_type_size(as), err) : NULL;
    bool ok = values != NULL;
    for (size_t done = 0, n, bad; ok && done < bytes; done += n) {
        n = bytes - done < PIECE ? bytes - done : PIECE;
        ok = read_bytes(npy, raw, n, err)
             && (strata_numbers_convert(&npy->kind->number, raw, n / size, as, values, &bad)
                 || strata_fail(err, STRATA_EFILE, "%s: an integer does not fit 32 bits", npy->what))
             && strata_sink_write(sink, values, n / size * strata_type_size(as), err);
    }
    free(raw);
    free(values);
    return ok;
}

/* x of more than may be in memory has integers of 32 bits, as its stream does. */
static bool read_npy(struct npy *npy, struct arrays *arrays, strata_error *err)
{
    size_t bytes;
    char extra;
    struct rows *rows = &arrays->x;
    if (!read_header(npy, rows, &bytes, err))
        return false;
    if (bytes != npy->size)
        return strata_fail(err, STRATA_EFILE, "%s: its shape needs %zu bytes and it holds %llu", npy->what, bytes,
                           (unsigned long long)npy->size);
    struct sink sink = { .what = npy->what, .limit = arrays->memory, .file = -1 };
    rows->column.type = strata_number_type(&npy->kind->number);
    if (rows->column.type == STRATA_INT64 && bytes > arrays->memory) rows->column.type = STRATA_INT32;
    bool ok = read_values(npy, bytes, rows->column.type, &sink, err);
    if (ok && zip_fread(npy->file, &extra, 1) != 0) /* at the end the checksum is compared */
        ok = strata_fail(err, STRATA_EFILE, "%s: damaged: %s", npy->what, zip_file_strerror(npy->file));
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
    struct npy npy = { .what = what, .file = zip_fopen_index(zip, index, 0), .size = stat.size };
    if (!npy.file)
        return strata_fail(err, STRATA_EFILE, "%s: cannot be read: %s", what, zip_strerror(zip));
    const bool ok = read_npy(&npy, arrays, err);
    zip_fclose(npy.file);
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
