/* The layers that a source puts before any model in training: "augment" of its object form. */
#ifndef STRATA_TRAIN_AUGMENT_H
#define STRATA_TRAIN_AUGMENT_H

#include "data/dataset.h"
#include "model/plan.h"

/* The layers as a built model, bound to the device; *model stays NULL when the data has none. device NULL: not bound, only
 * made. STRATA_EJOB when one is no layer, has weights, or the samples would have another shape. */
bool strata_augment_open(const strata_data *data, struct device *device, strata_model **model, strata_error *err);
void strata_augment_close(strata_model *model); /* takes NULL */

/* A plan of n samples of the data through the layers, in training. */
struct plan *strata_augment_plan(strata_model *model, const strata_data *data, size_t n, bool unplayed, strata_error *err);

/* Queues the layers' work on n samples of x, and puts what came out into `to`. `words` are those of the step; `own`, of the
 * same size, is filled with what the layers read: another seed, so that they and the model's layers draw other numbers. x and
 * own must stay until what is queued here is done. */
bool strata_augment_play(struct plan *plan, struct device *device, const void *x, const uint32_t *words, uint32_t *own,
                         size_t n, struct buffer *to, strata_error *err);

#endif
