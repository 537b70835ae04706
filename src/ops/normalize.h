/* Normalization of a tensor by the mean and variance of groups of its elements: batch, layer and group normalization.
 *
 *   y = f((x - mean) / sqrt(variance + epsilon) * gamma + beta)      (variance: of all elements, not corrected) */
#ifndef STRATA_OPS_NORMALIZE_H
#define STRATA_OPS_NORMALIZE_H

#include "ops/activation.h"
#include "ops/exchange.h"
#include "ops/moments.h"
#include "ops/pool2d.h"
#include "ops/view.h"

enum normalize_kind {
    NORMALIZE_BATCH, /* a group for each place along the axes; gamma and beta have one element a group */
    NORMALIZE_LAYER, /* a group for each place along the other axes; gamma and beta have the shape of the axes */
    NORMALIZE_GROUP, /* the one axis is cut into `parts`, a group for each sample and part; gamma and beta along the axis */
};

struct normalize {
    enum normalize_kind kind;
    struct shape shape;  /* of x, batch axis first */
    unsigned axes;       /* bit i: axis i */
    size_t parts;        /* NORMALIZE_GROUP: divides the axis */
    double epsilon;
    struct view gamma, beta; /* buffer NULL: none */
    enum activation_kind activation; /* f; a fusable one, and linear unless NORMALIZE_BATCH */
    const struct exchange *exchange; /* NORMALIZE_BATCH: the groups reach over all ranks; NULL: they do not */
    struct pooled pooled; /* NORMALIZE_BATCH along the last axis of (n, height, width, channels) of floats: y and dy are of maxima over
                             windows, dy of what f was given */
    struct moments moments; /* NORMALIZE_BATCH along the last axis: those of x, where somebody computed them */
};

/* How many groups there are; a statistics view has 2 * groups elements: means, then variances. */
size_t strata_op_normalize_groups(const struct normalize *normalize);
/* Elements in each. */
size_t strata_op_normalize_size(const struct normalize *normalize);

/* Computes the statistics of x and normalizes. `stats` may be without a buffer when nobody wants them. y may be x when
 * the backward pass does not need x. */
bool strata_op_normalize(struct run *run, const struct normalize *normalize, const struct view *x,
                         const struct view *stats, const struct view *y, strata_error *err);

/* Normalizes with given statistics. */
bool strata_op_normalize_with(struct run *run, const struct normalize *normalize, const struct view *x,
                              const struct view *mean, const struct view *variance, const struct view *y,
                              strata_error *err);

/* Batch normalization with given statistics along the last axis as one multiplication and addition: to (2, channels) gets what is
 * added, then the factors; bias, without buffer: none, is what x still lacks. */
bool strata_op_normalize_fold(struct run *run, const struct normalize *normalize, const struct view *mean,
                              const struct view *variance, const struct view *bias, const struct view *to, strata_error *err);

/* The gradients; those whose view has no buffer are left out. With constant_stats (NORMALIZE_BATCH) the statistics do not depend on x.
 * dx may be dy. */
struct normalize_gradient {
    struct view x, dy, mean, variance, dx, dgamma, dbeta;
    bool constant_stats;
};
bool strata_op_normalize_gradient(struct run *run, const struct normalize *normalize,
                                  const struct normalize_gradient *gradient, strata_error *err);

/* moving = momentum * moving + (1 - momentum) * factor * value, of n elements. */
bool strata_op_moving_average(struct run *run, double momentum, double factor, const struct view *value,
                              const struct view *moving, size_t n, strata_error *err);

#endif
