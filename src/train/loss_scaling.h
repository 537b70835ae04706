/* Keras's LossScaleOptimizer: while an optimizer updates the weights, the loss is multiplied by a scale, so that small gradients do
 * not vanish where they are kept as halves. A step whose gradients are not all finite changes nothing and halves the scale; after
 * `growth` good ones it is doubled.
 * Source: loss_scale_optimizer.py of Keras 3. */
#ifndef STRATA_TRAIN_LOSS_SCALING_H
#define STRATA_TRAIN_LOSS_SCALING_H

#include "base/fields.h"
#include "files/compile_config.h"

struct loss_scaling {
    bool on;
    double initial; /* scale */
    long growth;    /* steps */
    double scale;   /* now */
    int64_t good;   /* steps since it changed */
};

/* Whether a compile's optimizer is a LossScaleOptimizer, in any form. */
bool strata_loss_scaling_is(const json_t *optimizer);
/* Reads one, and the optimizer inside, which the caller releases. */
bool strata_loss_scaling_parse(const json_t *optimizer, struct loss_scaling *scaling, struct object *inside, strata_error *err);
/* Keras's own, around an optimizer that was given without one. */
struct loss_scaling strata_loss_scaling_usual(void);
/* The full form around that of the optimizer inside, which it takes over. NULL: out of memory. */
json_t *strata_loss_scaling_write(const struct loss_scaling *scaling, json_t *inside);
/* After a step. */
void strata_loss_scaling_step(struct loss_scaling *scaling, bool finite);

extern const struct registry strata_loss_scalings; /* of the one class */

#endif
