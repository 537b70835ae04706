/* The callbacks of a run, one after the other. */
#ifndef STRATA_TRAIN_CALLBACKS_H
#define STRATA_TRAIN_CALLBACKS_H

#include "train/callback.h"

struct callbacks;

/* list: a JSON list of callbacks, NULL for none. */
struct callbacks *strata_callbacks_create(const char *list, strata_error *err);
void strata_callbacks_free(struct callbacks *callbacks); /* takes NULL */

enum callback_event { CALLBACK_TRAIN_BEGIN, CALLBACK_EPOCH_BEGIN, CALLBACK_STEP_END, CALLBACK_EPOCH_END, CALLBACK_TRAIN_END };
bool strata_callbacks_call(struct callbacks *callbacks, enum callback_event event, struct callback_step *step,
                           strata_error *err);

/* Whether one of them looks at logs inside an epoch, at those of every step, or shows the learning rate at its end. */
bool strata_callbacks_look_inside(const struct callbacks *callbacks);
bool strata_callbacks_watch_steps(const struct callbacks *callbacks);
bool strata_callbacks_log_rate(const struct callbacks *callbacks);

json_t *strata_callbacks_save(const struct callbacks *callbacks);
bool strata_callbacks_restore(struct callbacks *callbacks, const json_t *json, strata_error *err);

#endif
