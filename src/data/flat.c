/* Rows one after the other in a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "data/rows_priv.h"

struct flat {
    struct stream stream;
    int file;
    uint64_t at;
    struct number number;
    size_t each;
    strata_type as;
    char *what; /* owned */
};

bool strata_file_read_at(int file, uint64_t at, void *bytes, size_t size, const char *what, strata_error *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = strata_file_fault() ? -1 : pread(file, (char *)bytes + done, size - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be read: %s", what, strerror(errno));
        if (got == 0)
            return strata_fail(err, STRATA_EFILE, "%s: truncated: it ends where %zu more bytes were expected", what,
                               size - done);
        done += (size_t)got;
    }
    return true;
}

/* Rows that follow each other are read at once. */
static bool read_run(const struct flat *f, uint32_t first, size_t count, unsigned char *raw, void *out, strata_error *err)
{
    size_t bad;
    const size_t bytes = f->each * f->number.size;
    if (!strata_file_read_at(f->file, f->at + first * (uint64_t)bytes, raw, count * bytes, f->what, err)) return false;
    return strata_numbers_convert(&f->number, raw, count * f->each, f->as, out, &bad)
           || strata_fail(err, STRATA_EFILE, "%s: sample %zu holds an integer that does not fit %d bits", f->what,
                          first + bad / f->each, f->as == STRATA_INT64 ? 64 : 32);
}

static bool read_rows(struct stream *stream, const uint32_t *rows, size_t count, void *out, strata_error *err)
{
    const struct flat *f = (const struct flat *)stream;
    unsigned char *raw = strata_alloc(count, f->each * f->number.size, err);
    bool ok = raw != NULL;
    for (size_t i = 0, run; ok && i < count; i += run) {
        for (run = 1; i + run < count && rows[i + run] == rows[i] + run;) run++;
        ok = read_run(f, rows[i], run, raw, (char *)out + i * f->each * strata_type_size(f->as), err);
    }
    free(raw);
    return ok;
}

static void free_flat(struct stream *stream)
{
    struct flat *f = (struct flat *)stream;
    close(f->file);
    free(f->what);
    free(f);
}

static const struct stream_class flat_class = { .read = read_rows, .free = free_flat };

struct stream *strata_flat_open(int file, uint64_t at, const struct number *number, size_t each, strata_type as,
                                const char *what, strata_error *err)
{
    struct flat *f = strata_alloc(1, sizeof *f, err);
    char *copy = f ? strata_copy_text(what, err) : NULL;
    if (!copy) {
        free(f);
        close(file);
        return NULL;
    }
    strata_stream_init(&f->stream, &flat_class);
    f->file = file;
    f->at = at;
    f->number = *number;
    f->each = each;
    f->as = as;
    f->what = copy;
    return &f->stream;
}

/* ---- into memory --------------------------------------------------------------------------------------------------- */

bool strata_rows_load(struct rows *rows, struct stream *stream, strata_error *err)
{
    enum { AT_ONCE = 1024 };
    uint32_t numbers[AT_ONCE];
    const size_t each = strata_shape_count(&rows->column.shape) * strata_type_size(rows->column.type);
    char *values = rows->column.values = strata_alloc(rows->count, each, err);
    bool ok = values != NULL;
    for (size_t at = 0, n; ok && at < rows->count; at += n) {
        n = rows->count - at < AT_ONCE ? rows->count - at : AT_ONCE;
        for (size_t i = 0; i < n; i++) numbers[i] = (uint32_t)(at + i);
        ok = stream->class->read(stream, numbers, n, values + at * each, err);
    }
    strata_stream_release(stream);
    return ok;
}

/* The first and last rows stand for all in the fingerprint. */
static bool mark(struct arrays *arrays, strata_error *err)
{
    const struct rows *x = &arrays->x;
    const strata_data whole = { .count = x->count, .x = x->column, .stream = arrays->stream };
    const size_t n = x->count < 8 ? x->count : 8;
    strata_data ends = { .count = n, .x = x->column };
    uint32_t rows[8];
    for (size_t i = 0; i < n; i++) rows[i] = (uint32_t)(i < n / 2 ? i : x->count - n + i);
    ends.x.values = strata_alloc(n, strata_shape_count(&x->column.shape) * strata_type_size(x->column.type), err);
    const bool ok = ends.x.values && strata_data_read_x(&whole, rows, n, ends.x.values, err);
    if (ok) arrays->stream->fingerprint = strata_data_fingerprint(&ends);
    free(ends.x.values);
    return ok;
}

bool strata_arrays_take_x(struct arrays *arrays, struct stream *stream, strata_error *err)
{
    const struct rows *x = &arrays->x;
    const size_t bytes = x->count * strata_shape_count(&x->column.shape) * strata_type_size(x->column.type);
    if (!stream || bytes <= arrays->memory) return stream && strata_rows_load(&arrays->x, stream, err);
    arrays->stream = stream;
    return mark(arrays, err);
}
