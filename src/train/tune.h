/* The ops that a model is made of, and measuring them. */
#ifndef STRATA_TRAIN_TUNE_H
#define STRATA_TRAIN_TUNE_H

#include <strata/train.h>

#include "base/json.h"
#include "ops/request.h"
#include "train/trainer.h"

/* An op of one shape: where it was seen first, and how often. */
struct seen {
    struct request request;
    char step[128];
    size_t times;
    bool whole; /* of whole batches; else of the last ones of an epoch */
};

struct ops {
    struct seen *list; /* owned */
    size_t count, room;
    bool whole; /* what is collected now */
    strata_error failure; /* code 0: none */
};

/* Adds the ops of training and of inference with the batches that the ranks have under the config. Collective. */
bool strata_ops_collect(struct ops *ops, strata_model *model, strata_context *context, const strata_data *data,
                        const strata_data *validation, const strata_fit_config *config, strata_error *err);
void strata_ops_free(struct ops *ops);

/* Measures them, those of whole batches and the costly ones first: a list of lines as in strata/tune.h, and the choices for device/choices.h. */
struct tuned {
    json_t *lines, *choices; /* owned */
    size_t unmeasured;
};
bool strata_ops_tune(struct ops *ops, struct device *device, double seconds, struct tuned *tuned, strata_error *err);

#endif
