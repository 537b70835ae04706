/* The optimizer's state between the flat slot arenas and Keras's list of variables. */
#ifndef STRATA_TRAIN_OPTIMIZER_STATE_H
#define STRATA_TRAIN_OPTIMIZER_STATE_H

#include "dist/reducer.h"
#include "model/params.h"
#include "train/training.h"

/* The kinds of slot arenas: Keras's moving average and accumulated gradients, then the optimizer's own. */
enum { STRATA_MAX_KINDS = STRATA_MAX_SLOTS + 2 };

struct slot_kind {
    const char *name;   /* "average", "gradient_accumulator", "momentum" */
    float start;        /* what it begins with */
    bool interleaved;   /* with the kind before it: variable by variable both */
};

struct slot_kinds {
    struct slot_kind kind[STRATA_MAX_KINDS];
    int count, own;     /* own: where the optimizer's begin */
    int average, accumulator; /* their kinds, or -1 */
};

struct slot_kinds strata_slot_kinds(const struct training *training);

/* The variables are those of Keras 3, in its order: those of a scaled loss (iteration, learning_rate, step_counter, dynamic_scale),
 * "iteration", "learning_rate" unless a schedule gives it, the slots in the order of model.trainable_variables, for Nadam its product.
 *
 * Makes the list in saved->variables, or brings the numbers of the one that the call before made there up to date. The slots' values
 * come later: stretches[kind * params->trainable_params + i], where stretches is not NULL, says of parameter i where in the kind's arena
 * and where on the host, which for variable v is places[v], or with places NULL its values. */
bool strata_state_pack(const struct training *training, const strata_model *model, const struct params *params,
                       struct saved_training *saved, float *const *places, struct stretch *stretches, strata_error *err);
/* Into arenas[kind] of params->trainable floats. Also sets iteration, scalar and rate, and fails when names or shapes are not those
 * of this optimizer and model. */
bool strata_state_unpack(struct training *training, const struct params *params, float *const *arenas,
                         strata_error *err);

#endif
