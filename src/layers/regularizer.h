/* Weight and activity regularizers (L1, L2, L1L2, OrthogonalRegularizer) and weight constraints (MaxNorm, NonNeg,
 * UnitNorm, MinMaxNorm). Source: Keras 3 keras/src/regularizers and constraints. */
#ifndef STRATA_LAYERS_REGULARIZER_H
#define STRATA_LAYERS_REGULARIZER_H

#include "base/fields.h"
#include "ops/view.h"

struct regularizer_class {
    struct class class;
    /* penalty[0] += scale * R(w), added on the device (one float); may be called with penalty.buffer NULL: gradient only.
     * dw += scale * dR/dw; may be called with dw.buffer NULL: penalty only. `w` is the whole tensor. */
    bool (*apply)(const void *config, struct run *run, const struct view *w, double scale, const struct view *penalty,
                  const struct view *dw, strata_error *err);
};

struct constraint_class {
    struct class class;
    /* w = projection of w, in place; the whole tensor. */
    bool (*apply)(const void *config, struct run *run, const struct view *w, strata_error *err);
};

extern const struct registry strata_regularizers; /* reads "l1", "l2", "L1L2" objects and Keras 2's forms */
extern const struct registry strata_constraints;

#endif
