/* What a strata_data is inside, and the readers of sources. */
#ifndef STRATA_DATA_DATASET_H
#define STRATA_DATA_DATASET_H

#include <strata/data.h>

#include "base/fields.h"
#include "base/shape.h"

/* One array of a dataset; shape is a sample's, without the first axis. values NULL: none, or x of a stream. */
struct column {
    strata_type type;
    struct shape shape;
    void *values; /* owned */
};

struct stream; /* data/stream.h */

struct strata_data {
    char *name;
    size_t count;
    struct column x, y, sample_weight;
    float scale;           /* 1 unless the source says else */
    struct stream *stream; /* where x is read from as it is needed (x.values is NULL then); NULL: x is in memory */
    size_t first;          /* sample i is row first + i of the stream */
    json_t *augment;       /* layers through which samples go in training, as a list or an object; NULL: none */
};

size_t strata_type_size(strata_type type);

/* The keys of a source's object form, for the manual. */
extern const struct field strata_source_fields[];

/* The source in its object form too. Relative paths are taken from the working directory. later: x may be on its way still, and what is
 * wrong with it be said by strata_data_await. */
strata_data *strata_data_open_json(const json_t *source, bool later, strata_error *err);

/* Copies x of `count` samples, in the order of `samples`, to `out`. Any thread may call it. STRATA_EFILE when a stream's
 * source is damaged or gone. */
bool strata_data_read_x(const strata_data *data, const uint32_t *samples, size_t count, void *out, strata_error *err);

/* Waits until x is there: *x is all of it, NULL where it is read as it is needed. STRATA_EFILE when its source is damaged. Any thread. */
bool strata_data_await(const strata_data *data, const void **x, strata_error *err);

/* Keras's validation_split: the last `fraction` of the samples become *tail, the rest *head: floor(n * (1 - fraction))
 * in the head. Both are new. STRATA_EVALUE when one would be empty. */
bool strata_data_split(const strata_data *data, double fraction, strata_data **head, strata_data **tail,
                       strata_error *err);

/* A hash of shapes, types and all values, for the check that ranks hold the same data; of x that is read as it is needed only what its
 * reader calls its fingerprint. */
uint64_t strata_data_fingerprint(const strata_data *data);

#endif
