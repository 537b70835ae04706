/* Dropout and noise. What is drawn for an element is a function of (seed, epoch, layer, sample, element): it depends on
 * neither ranks nor batches, and the gradient draws it again instead of keeping it. */
#ifndef STRATA_OPS_NOISE_H
#define STRATA_OPS_NOISE_H

#include <stdint.h>

#include "ops/view.h"

enum noise_kind { NOISE_DROPOUT, NOISE_ALPHA_DROPOUT, NOISE_GAUSSIAN, NOISE_GAUSSIAN_DROPOUT };

struct noise {
    enum noise_kind kind;
    double rate;       /* of dropout: [0, 1], of the others [0, 1) */
    double deviation;  /* of NOISE_GAUSSIAN */
    uint64_t seed;     /* the layer's own, mixed into the step's; 0: none */
    unsigned stream;   /* the layer's number in the model */
    unsigned repeats;  /* bit i: the noise is the same along axis i (0 is the batch and never repeats) */
    struct buffer *step_words; /* cl/step.h */
};

/* y = x with noise, or dx = dy with the gradient of it. x and y may be the same. */
bool strata_op_noise(struct run *run, const struct noise *noise, const struct view *x, const struct view *y,
                     strata_error *err);
bool strata_op_noise_gradient(struct run *run, const struct noise *noise, const struct view *dy,
                              const struct view *dx, strata_error *err);

#endif
