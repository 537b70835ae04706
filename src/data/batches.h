/* Batches of a dataset, prepared ahead by a thread.
 *
 * Step s of an epoch is the global batch at positions [s * batch, min((s + 1) * batch, n)); position p holds sample
 * p, or permute(seed, epoch, p) when shuffled (strata_random_permute with purpose RANDOM_ORDER). A rank gets a
 * consecutive slice of every global batch. */
#ifndef STRATA_DATA_BATCHES_H
#define STRATA_DATA_BATCHES_H

#include "data/dataset.h"

struct batches;
struct profile;

struct batches_config {
    const strata_data *data;
    size_t global_batch;
    bool shuffle;
    uint64_t seed;
    size_t steps_per_epoch; /* 0: all samples once; else an epoch ends after so many steps, and the next begins where it
                               stopped, wrapping around the data as Keras's steps_per_epoch on arrays does */
    uint64_t end;           /* how many batches there are, from the first epoch's first one on: none after them is prepared, nor may be
                               asked for; 0: without end */
    bool x_alone;           /* labels and weights are left out */
    strata_type y_type;     /* what the loss reads: STRATA_FLOAT32 or STRATA_INT32 (class indices) */
    const double *class_weight; /* by class index (argmax of one-hot labels), multiplied into the weights; or NULL */
    size_t class_weights;
    struct profile *profile;    /* NULL: nobody wants to know when batches were prepared */
};

/* One rank's slice of a global batch, in host memory that stays until the next strata_batches_next. */
struct batch {
    size_t epoch, step;
    size_t global_count; /* samples of the whole global batch */
    size_t first, count; /* this slice: positions in the global batch; count may be 0 */
    const void *x;       /* count samples of the dataset's x type */
    const void *y;       /* count labels of y_type; NULL without labels */
    const float *weight; /* count sample weights; NULL when all are 1 */
    const uint32_t *sample; /* count indices in the dataset */
    double global_weight;   /* sum of the sample weights over the whole global batch (the count when all are 1) */
};

/* How many steps an epoch has. */
size_t strata_batches_steps(const struct batches_config *config);

/* share: this rank's part of a global batch of n samples: first and count, for any n (the last batch is smaller). */
struct share {
    int rank, size;
    const double *speeds; /* by rank, relative; NULL: equal */
    size_t grain;         /* borders lie at multiples of so many samples; 0: 1 */
};
void strata_share(const struct share *share, size_t n, size_t *first, size_t *count);

/* Starts at (epoch, step) counted from 0. The thread keeps two batches ahead. */
struct batches *strata_batches_start(const struct batches_config *config, const struct share *share, size_t epoch,
                                     size_t step, strata_error *err);
/* The next one; crosses epochs. STRATA_EFILE, from the first batch that holds it on, when a label is to be
 * an int32 and is not one; whether a class is in range is for its reader to say. */
bool strata_batches_next(struct batches *batches, struct batch *batch, strata_error *err);
void strata_batches_stop(struct batches *batches); /* takes NULL */

#endif
