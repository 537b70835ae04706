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
    size_t columns, sample_rows, rows; /* extent of the last axis; rows of a sample, of all */
    bool at_logits;      /* plan.at holds logits of the model's last softmax or sigmoid */
    enum activation_kind last;
};

enum loss_reduction { LOSS_MEAN, LOSS_SUM, LOSS_KERAS_MEAN, LOSS_WEIGHTED_MEAN, LOSS_AUTO };

/* Every loss config begins with this; see loss_fields.h. */
struct loss_common {
    char *name;
    int reduction;  /* enum loss_reduction; LOSS_KERAS_MEAN ("mean") is LOSS_MEAN, LOSS_AUTO only in Keras 2's files */
    bool from_logits;
    long axis;      /* -1 */
};

struct loss_class {
    struct class class;
    bool index_labels;   /* y_true is int32 class indices */
    /* Whether it computes from the logits of a model that ends in `last` (Keras does for crossentropies). */
    bool (*at_logits)(const void *config, enum activation_kind last);
    /* Checks y_true's sample shape against y_pred's; the message says both. May be NULL: equal shapes. */
    bool (*check)(const void *config, const struct shape *y_true, const struct shape *y_pred, strata_error *err);
    bool (*emit)(const void *config, const struct loss_step *step, strata_error *err);
};

extern const struct registry strata_losses;

/* Loss values a sample has: the extents of y_pred (without batch axis) but the last. */
size_t strata_loss_rows(const struct shape *y_pred);

/* A loss in any form in which Keras or a job names one. "crossentropy" is the one that fits the shapes, as in Keras. */
bool strata_loss_resolve(const json_t *spec, enum flavour flavour, const struct shape *y_true,
                         const struct shape *y_pred, struct object *loss, strata_error *err);

/* Whether labels of this shape fit predictions of that one, for a loss. */
bool strata_loss_check(const struct object *loss, const struct shape *y_true, const struct shape *y_pred,
                       strata_error *err);
bool strata_loss_at_logits(const struct object *loss, enum activation_kind last);

#endif
