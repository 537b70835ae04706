/* What compile fixes and fit carries on: the optimizer with its state, the loss, the metrics. Hangs on the model. */
#ifndef STRATA_TRAIN_TRAINING_H
#define STRATA_TRAIN_TRAINING_H

#include <math.h>

#include "files/archive.h"
#include "train/loss_scaling.h"
#include "train/optimizer.h"

struct training {
    struct training_state head; /* how saving a model gets at the state */
    struct object optimizer;
    struct loss_scaling scaling; /* around it */
    json_t *rates; /* learning_rate_multipliers: a list of [glob, factor]; NULL: none */
    bool winograd; /* allowed */
    bool checkpoint; /* opened from one, which says besides where its run stood */
    json_t *loss, *metrics, *weighted_metrics; /* as given; metrics are lists */

    /* The optimizer's state between calls of fit. The variables are on rank 0 alone; NULL: none yet. */
    struct saved_variable *variables;
    size_t count;
    int64_t iteration; /* steps done, but those that scaling left out */
    double scalar;     /* see optimizer_step.state */
    double rate;       /* the learning rate that a callback set; NAN: as configured */
};

/* The model's, or NULL with STRATA_EVALUE that tells to compile. */
struct training *strata_training_of(const strata_model *model, strata_error *err);

/* Compiles like strata_model_compile, from parsed JSON. */
bool strata_training_compile(strata_model *model, const json_t *config, strata_error *err);

/* get_compile_config() form. */
json_t *strata_training_config(const struct training *training, strata_error *err);

/* What was compiled that Keras has no place for, as strata.json keeps it under "compile"; NULL: nothing. */
json_t *strata_training_own(const struct training *training);

/* For training_state: the compile config, what is ours in strata.json, and a copy of the variables. */
bool strata_training_collect(strata_model *model, struct saved_training *saved, strata_error *err);

/* Takes over variables as a file had them; they are checked when fit begins. */
void strata_training_adopt(struct training *training, struct saved_variable *variables, size_t count);
void strata_training_forget(struct training *training); /* drops the variables */

static inline const struct optimizer_class *strata_training_optimizer(const struct training *training)
{
    return (const struct optimizer_class *)training->optimizer.class;
}
static inline const struct optimizer_common *strata_training_common(const struct training *training)
{
    return training->optimizer.config;
}

/* By what the loss is multiplied in the next step; NAN: by nothing. */
static inline double strata_training_loss_factor(const struct training *training)
{
    return training->scaling.on ? training->scaling.scale : strata_training_common(training)->loss_scale_factor;
}

#endif
