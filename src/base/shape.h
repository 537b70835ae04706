/* The extents of a tensor. */
#ifndef STRATA_BASE_SHAPE_H
#define STRATA_BASE_SHAPE_H

#include <stddef.h>
#include <stdbool.h>

enum { STRATA_MAX_RANK = 6 };

/* dim[0] varies slowest. Whether the batch axis is counted is said where a shape is used: shapes of layers leave it
 * out, as Keras's input_shape does, and shapes of views have it first. Unused dims are 0. An extent of 0 among the used
 * ones is open: Keras's None, which only the data settle; tensors have none of those. */
struct shape {
    int rank;
    size_t dim[STRATA_MAX_RANK];
};

size_t strata_shape_count(const struct shape *shape); /* number of elements; 1 for rank 0; 0 when some extent is open */
bool strata_shape_equal(const struct shape *a, const struct shape *b);

/* Whether some extent is open. */
bool strata_shape_is_open(const struct shape *shape);
/* Whether both have the same axes, where an open extent agrees with any. */
bool strata_shape_fits(const struct shape *a, const struct shape *b);

/* `shape` with one more axis of extent n in front. */
struct shape strata_shape_batch(size_t n, const struct shape *shape);

/* Keras's way to write it: "(None, 28, 28, 1)" with batch "None", "(3, 3)" with batch NULL; one axis gets its comma:
 * "(4,)", and an open extent is None. Returns buffer. */
enum { STRATA_SHAPE_TEXT = 160 };
const char *strata_shape_text(const struct shape *shape, const char *batch, char buffer[STRATA_SHAPE_TEXT]);

#endif
