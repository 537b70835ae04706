/* The owner's part of a step: from summed gradients to new weights, as Keras's optimizers do it: loss scale and
 * regularizers, accumulation, clipping, weight decay, the update, the moving average, constraints.
 * Source: keras/src/optimizers/base_optimizer.py, apply and _backend_apply_gradients. */
#ifndef STRATA_TRAIN_UPDATER_H
#define STRATA_TRAIN_UPDATER_H

#include "dist/reducer.h"
#include "model/params.h"
#include "train/training.h"

struct updater;

/* parts, wire: as reducer_config has them; with parts updates do not depend on who owns what to the last bit.
 * The state comes from training's variables (rank 0's), or is fresh. Collective. */
struct updater *strata_updater_create(struct training *training, strata_model *model, struct params *params,
                                      struct device *device, struct comm *comm, struct buffer *parts,
                                      size_t most_parts, enum strata_wire wire, strata_error *err);
void strata_updater_free(struct updater *updater); /* takes NULL */

/* Begins the step after those done so far: its learning rate and what hangs on its number. Then the reducer may
 * start, with what strata_updater_step gives, or with a NULL run on a rank that has no samples. */
void strata_updater_begin(struct updater *updater);
void strata_updater_end(struct updater *updater); /* the step is done: the next has the next number */
const struct reducer_update *strata_updater_step(const struct updater *updater);
struct reducer *strata_updater_reducer(const struct updater *updater);

double strata_updater_rate(const struct updater *updater);            /* of the next step */
void strata_updater_set_rate(struct updater *updater, double rate);   /* from now on; with a schedule it has no effect */
/* What multiplies the rate from now on: 1 at the first of all steps, growing evenly until `steps` are done, then `most`. */
void strata_updater_scale_rate(struct updater *updater, double most, double steps);
double strata_updater_rate_scale(const struct updater *updater);      /* of the next step; strata_updater_rate is without it */
bool strata_updater_has_schedule(const struct updater *updater);

/* The weights become their moving averages where the optimizer keeps them: Keras's end of fit. Collective. */
bool strata_updater_finish(struct updater *updater, strata_error *err);

/* What variables of the optimizer there are, in saved->variables, with all numbers but those of the slots. A later call brings them up to
 * date. Not collective. */
bool strata_updater_describe(const struct updater *updater, struct saved_training *saved, strata_error *err);
/* The same, and the slots' numbers as they are now go to places[variable], or with places NULL to the variables' own. Rank 0 has the
 * places. With one rank they are read by QUEUE_COPY: between updates, and there once what is queued on it is done. Collective. */
bool strata_updater_read(struct updater *updater, struct saved_training *saved, float *const *places, strata_error *err);
/* Copies the state back to training, to be saved or carried on. Collective. */
bool strata_updater_store(struct updater *updater, strata_error *err);

#endif
