/* Streams over numbers that lie in files, and what collects those that have to be read in sequence. */
#ifndef STRATA_DATA_ROWS_PRIV_H
#define STRATA_DATA_ROWS_PRIV_H

#include "data/number.h"
#include "data/sources_priv.h"
#include "data/stream.h"

/* Reads exactly `size` bytes at `at`; `what` is for messages. Any thread may. */
bool strata_file_read_at(int file, uint64_t at, void *bytes, size_t size, const char *what, strata_error *err);

/* Rows of `each` numbers one after the other from byte `at` of a file, which the stream closes when it ends, as does this
 * call when it fails. `what` is copied. NULL on failure. */
struct stream *strata_flat_open(int file, uint64_t at, const struct number *number, size_t each, strata_type as,
                                const char *what, strata_error *err);

/* Reads all of a stream's rows->count rows into rows->column.values, and lets go of the stream. */
bool strata_rows_load(struct rows *rows, struct stream *stream, strata_error *err);

/* Keeps a stream as x when it has more than arrays->memory bytes, else loads it. */
bool strata_arrays_take_x(struct arrays *arrays, struct stream *stream, strata_error *err);

/* Numbers that come one after the other: in memory up to `limit` bytes, then in a file without a name where temporary
 * files are. Starts as { .what, .limit, .file = -1 }. */
struct sink {
    const char *what;
    size_t limit;
    unsigned char *values; /* owned */
    size_t held, room;
    uint64_t written;
    int file;
};
bool strata_sink_write(struct sink *sink, const void *bytes, size_t size, strata_error *err);
/* Hands what came over as x (already native numbers of x's type), and empties the sink. */
bool strata_sink_finish(struct sink *sink, struct arrays *arrays, strata_error *err);
void strata_sink_free(struct sink *sink);

#endif
