/* Numbers that come in sequence, kept in memory or, when they are many, in a temporary file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/rows_priv.h"

static bool write_out(struct sink *sink, const unsigned char *bytes, size_t size, strata_error *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = write(sink->file, bytes + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            return strata_fail_native(err, STRATA_EMEMORY, errno, "%s: its numbers are more than memory may hold, and "
                                      "the temporary file for them cannot be written: %s", sink->what, strerror(errno));
        done += (size_t)got;
    }
    sink->written += size;
    return true;
}

/* From here on the numbers go to a file that nobody else sees and that ends with us. */
static bool begin_file(struct sink *sink, strata_error *err)
{
    FILE *file = tmpfile();
    sink->file = file ? dup(fileno(file)) : -1;
    const int why = errno;
    if (file) fclose(file);
    if (sink->file < 0)
        return strata_fail_native(err, STRATA_EMEMORY, why, "%s: no temporary file can be made: %s", sink->what,
                                  strerror(why));
    return write_out(sink, sink->values, sink->held, err);
}

bool strata_sink_write(struct sink *sink, const void *bytes, size_t size, strata_error *err)
{
    if (sink->file >= 0) return write_out(sink, bytes, size, err);
    if (size > sink->limit || sink->held > sink->limit - size)
        return begin_file(sink, err) && write_out(sink, bytes, size, err);
    void *values = sink->values;
    if (!strata_reserve(&values, &sink->room, sink->held + size, 1, err)) return false;
    sink->values = values;
    memcpy(sink->values + sink->held, bytes, size);
    sink->held += size;
    return true;
}

bool strata_sink_finish(struct sink *sink, struct arrays *arrays, strata_error *err)
{
    static const int one = 1;
    const struct column *x = &arrays->x.column;
    const strata_type type = x->type;
    if (sink->file < 0) {
        arrays->x.column.values = sink->values ? sink->values : strata_alloc(1, 1, err);
        sink->values = NULL;
        return arrays->x.column.values != NULL;
    }
    const struct number native = { type == STRATA_FLOAT32 ? NUMBER_FLOAT : type == STRATA_UINT8 ? NUMBER_UNSIGNED
                                                                                                : NUMBER_SIGNED,
                                   strata_type_size(type), *(const char *)&one == 0 };
    arrays->x.column.type = type == STRATA_INT64 ? STRATA_INT32 : type;
    struct stream *stream = strata_flat_open(sink->file, 0, &native, strata_shape_count(&x->shape), x->type, sink->what,
                                             err);
    sink->file = -1;
    return strata_arrays_take_x(arrays, stream, err);
}

void strata_sink_free(struct sink *sink)
{
    if (sink->file >= 0) close(sink->file);
    free(sink->values);
    *sink = (struct sink){ .what = sink->what, .file = -1 };
}
