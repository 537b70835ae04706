/* History: a row of numbers an epoch. */
#ifndef STRATA_TRAIN_HISTORY_H
#define STRATA_TRAIN_HISTORY_H

#include <strata/train.h>

#include "base/json.h"

strata_history *strata_history_create(strata_error *err);

/* Adds an epoch. A name that was not there before has NAN for the epochs before, and the other way round. */
bool strata_history_add(strata_history *history, const char *const *names, const double *values, size_t count,
                        strata_error *err);

/* "epoch,loss,..." and a line an epoch, the first of which is number `first`; NAN is an empty cell. */
char *strata_history_csv(const strata_history *history, size_t first, strata_error *err);

/* For checkpoints: bit for bit. */
json_t *strata_history_save(const strata_history *history);
bool strata_history_restore(strata_history *history, const json_t *json, strata_error *err);

/* A double as JSON that reads back with the same bits, and back; false when it is none. */
json_t *strata_exact_number(double value);
bool strata_exact_value(const json_t *json, double *value);

#endif
