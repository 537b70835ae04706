/* Placing tensors that live for a part of a plan in one piece of memory. */
#ifndef STRATA_MODEL_ARENA_H
#define STRATA_MODEL_ARENA_H

#include <stddef.h>

#include "base/error.h"

/* A tensor that is written first in step `birth` and used last in step `death`. offset is the result. */
struct lifetime {
    size_t elements; /* 0: needs no place */
    int birth, death;
    size_t offset;   /* elements */
};

/* Gives overlapping lifetimes different places, the largest tensors first, each at the lowest offset that is free for
 * all its life (greedy by size; Pisarchyk and Lee, "Efficient memory management for deep neural net inference",
 * 2020). Offsets are multiples of 16 elements. */
bool strata_arena_place(struct lifetime *items, size_t count, size_t *elements, strata_error *err);

#endif
