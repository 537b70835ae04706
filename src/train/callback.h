/* Callbacks that the ranks run alike: they see the same logs, so they decide the same. Only rank 0 writes files.
 * Source: Keras 3 keras/src/callbacks. */
#ifndef STRATA_TRAIN_CALLBACK_H
#define STRATA_TRAIN_CALLBACK_H

#include <strata/train.h>

#include "base/fields.h"
#include "train/metric.h"

/* What a callback may look at and change. */
struct callback_step {
    strata_model *model;
    bool writes;          /* this rank writes files */
    const strata_progress *progress; /* logs of the step or epoch */
    const char *const *known; /* every name that logs may have, also in epochs without validation */
    size_t known_count;
    double learning_rate; /* read and, by schedulers, written: used from the next step on */
    bool has_schedule;    /* the optimizer's learning rate is a schedule, which no callback may change */
    bool may_resume;      /* the run writes checkpoints: what a callback cannot put into its state it keeps in the folder */
    const char *folder;   /* relative paths are taken from here; NULL: the working directory */
    bool stop;            /* set it to end training after this step or epoch */
    const char *stop_reason;
    /* Saves the model with its optimizer, or its weights alone, on rank 0. Collective. */
    bool (*save)(struct callback_step *step, const char *path, bool weights_only, strata_error *err);
    enum direction (*direction)(const struct callback_step *step, const char *log); /* which way a log is better */
    void *context; /* of save and direction */
};

struct callback_class {
    struct class class;
    size_t state_size; /* bytes of its state, zeroed at train begin */
    bool (*watches_steps)(const void *config); /* step_end wants exact logs after every step; NULL: it is called now
                                                  and then, and not after an epoch's last step */
    bool logs_rate;    /* the learning rate belongs to the epoch's logs */
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

/* The value of a name in logs; false when it is not there. */
bool strata_callback_log(const strata_progress *progress, const char *name, double *value);

/* A path as a callback's config names it, from the step's folder; with "{epoch:02d}" and "{val_loss:.4f}" filled in as
 * Python's format does (epochs counted from 1). free() it. */
char *strata_callback_path(const char *pattern, const struct callback_step *step, strata_error *err);

#endif
