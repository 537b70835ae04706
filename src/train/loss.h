/* Losses on the device.
 * Source: Keras 3 keras/src/losses and backend/tensorflow/nn.py. */
#ifndef STRATA_TRAIN_LOSS_H
#define STRATA_TRAIN_LOSS_H

#include "base/fields.h"
#include "model/plan.h"

/* values (rows): the loss of each row (a sample, or each position of one), unweighted. d: its gradient with respect to `at`, times
 * weight[row's sample] times the float in step word STEP_LOSS_SCALE; buffer NULL: no gradient wanted. */
struct loss_step {
    struct run *run;
    struct plan_loss plan;
    struct view y_true;  /* shape of y_pred, or without its last axis and int32 for index labels */
    struct view weight;  /* (n) sample weights; buffer NULL: all 1 */
    struct view values;  /* (n * rows of a sample) */
    bool at_logits;      /* plan.at holds logits of the model's last softmax or sigmoid */
    enum activation_kind last;
};

struct loss_class {
    struct class class;
    bool index_labels;   /* y_true is int32 class indices */
    /* Whether it computes from the logits of a model that ends in `last` (Keras does for crossentropies). */
    bool (*at_logits)(const void *config, enum activation_kind last);
    /* Checks y_true's sample shape against y_pred's; the message says both. May be NULL: equal shapes. */
    bool (*check)(const void *config, const struct shape *y_true, const struct shape *y_pred, strata_error *err);
    size_t (*rows)(const struct shape *y_pred); /* loss values a sample: the extents but the last; NULL: that */
    bool (*emit)(const void *config, const struct loss_step *step, strata_error *err);
};

extern const struct registry strata_losses;

#endif
