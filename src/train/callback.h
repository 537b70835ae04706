/* Callbacks that the ranks run alike: they see the same logs, so they decide the same. Only rank 0 writes files.
 * Source: Keras 3 keras/src/callbacks. */
#ifndef STRATA_TRAIN_CALLBACK_H
#define STRATA_TRAIN_CALLBACK_H

#include <strata/train.h>

#include "base/fields.h"

/* What a callback may look at and change. */
struct callback_step {
    strata_model *model;
    bool writes;          /* this rank writes files */
    const strata_progress *progress; /* logs of the step or epoch */
    double learning_rate; /* read and, by schedulers, written: used from the next step on */
    bool stop;            /* set it to end training after this step or epoch */
    const char *stop_reason;
};

struct callback_class {
    struct class class;
    size_t state_size; /* bytes of its state, zeroed at train begin */
    bool (*train_begin)(const void *config, void *state, struct callback_step *step, strata_error *err);
    bool (*epoch_begin)(const void *config, void *state, struct callback_step *step, strata_error *err);
    bool (*step_end)(const void *config, void *state, struct callback_step *step, strata_error *err);
    bool (*epoch_end)(const void *config, void *state, struct callback_step *step, strata_error *err);
    bool (*train_end)(const void *config, void *state, struct callback_step *step, strata_error *err);
    void (*release)(void *state);
    json_t *(*save)(const void *state);                       /* for checkpoints: what a resumed run needs */
    bool (*restore)(void *state, const json_t *json, strata_error *err);
};

extern const struct registry strata_callbacks;

#endif
