/* What the losses share: the fields with which every config begins, and launching a kernel over rows. */
#ifndef STRATA_TRAIN_LOSS_FIELDS_H
#define STRATA_TRAIN_LOSS_FIELDS_H

#include <math.h>

#include "train/loss.h"

extern const char *const strata_loss_reductions[];

/* Fields of struct loss_common. */
#define LOSS_FIELDS(title)                                                                                           \
    { "name", FIELD_STRING, offsetof(struct loss_common, name), .text = title, .nullable = true },                  \
        { "reduction", FIELD_CHOICE, offsetof(struct loss_common, reduction), .choices = strata_loss_reductions,    \
          .help = "how the losses of samples become one number" }

#define LOSS_AXIS { "axis", FIELD_INT, offsetof(struct loss_common, axis), .otherwise = -1, .min = -1, .max = -1 }
#define LOSS_LOGITS                                                                                                  \
    { "from_logits", FIELD_BOOL, offsetof(struct loss_common, from_logits), .otherwise = false,                     \
      .help = "predictions are logits, not probabilities" }
#define LOSS_NUMBER(key, config, member, value, least, most)                                                         \
    { key, FIELD_FLOAT, offsetof(struct config, member), .otherwise = value, .min = least, .max = most }

/* Every loss's check: Keras 2's "auto" is the mean. */
bool strata_loss_check_common(void *config, enum flavour flavour, strata_error *err);

/* Runs a kernel of cl/loss_*.cl over the rows of a step: at, y_true, weight, d, values, step words, columns and rows a
 * sample come first, then `more` (ends in { 0 }, at most 6). */
bool strata_loss_launch(const struct loss_step *step, const char *kernel, const char *options, const struct arg *more,
                        strata_error *err);

/* Labels are one class index a row. */
bool strata_loss_check_index(const void *config, const struct shape *y_true, const struct shape *y_pred,
                             strata_error *err);

/* For losses that work on the logits below a last softmax or sigmoid. */
bool strata_loss_takes_logits(const void *config, enum activation_kind last);

extern const struct loss_class strata_loss_mse, strata_loss_mae, strata_loss_mape, strata_loss_msle, strata_loss_huber,
    strata_loss_log_cosh, strata_loss_poisson, strata_loss_hinge, strata_loss_squared_hinge, strata_loss_kl,
    strata_loss_binary, strata_loss_binary_focal, strata_loss_categorical, strata_loss_sparse, strata_loss_focal,
    strata_loss_cosine, strata_loss_categorical_hinge, strata_loss_generalized;

#endif
