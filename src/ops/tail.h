/* What a product or a convolution does to its sums as it stores them: y = f(sum * factor + bias), by columns, of which it may give the
 * moments too. */
#ifndef STRATA_OPS_TAIL_H
#define STRATA_OPS_TAIL_H

#include "ops/activation.h"
#include "ops/moments.h"
#include "ops/view.h"

struct tail {
    struct view bias; /* an element a column; buffer NULL: none, and no factor either */
    size_t factor;    /* how far behind its bias, in elements, a column's factor lies; 0: none */
    enum activation_kind activation; /* a fusable one */
    struct moments moments;          /* of a convolution that gives them in so many slices */
};

/* -D BIAS of the kernels: 0 neither, 1 a bias, 2 a factor too. */
static inline int strata_tail_bias(const struct tail *tail)
{
    return !tail->bias.buffer ? 0 : tail->factor ? 2 : 1;
}

#endif
