/* What the layers that merge their inputs element by element share. Inputs of extent 1 along an axis, or with fewer axes, are
 * repeated, as in Keras. */
#ifndef STRATA_LAYERS_MERGING_H
#define STRATA_LAYERS_MERGING_H

#include "layers/layer.h"
#include "ops/merge.h"

/* How many shapes there are before the entry of rank -1. */
int strata_merge_inputs(const struct shape *in);

bool strata_merge_shape(const void *config, const struct shape *in, struct shape *out, strata_error *err);

/* y = x0 op x1 op x2 .. */
bool strata_merge_forward(enum merge_op op, const struct step *s, strata_error *err);

/* Input k, and the gradient of input k, with the rank of y. */
struct view strata_merge_input(const struct step *s, int k);
struct view strata_merge_gradient(const struct step *s, int k);

/* dxs[k] = factor * dy, summed over where input k is repeated. */
bool strata_merge_pass(const struct step *s, int k, double factor, strata_error *err);

/* dxs[k] of maximum and minimum: the first input that equals y gets the gradient. */
bool strata_merge_choose(const struct step *s, int k, strata_error *err);

/* Room for weights of the shape of y. */
size_t strata_merge_work(const void *config, size_t n, const struct shape *in, const struct shape *out);

#endif
