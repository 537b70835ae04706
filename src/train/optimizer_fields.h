/* The fields that all optimizers share, and the registry's members. */
#ifndef STRATA_TRAIN_OPTIMIZER_FIELDS_H
#define STRATA_TRAIN_OPTIMIZER_FIELDS_H

#include <math.h>

#include "train/optimizer.h"

/* Hooks of learning_rate: a number is the schedule Constant; anything else an object of strata_schedules. */
bool strata_learning_rate_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                                strata_error *err);
json_t *strata_learning_rate_write(const struct field *field, const void *at, enum flavour flavour);
void strata_learning_rate_release(void *at);

/* The check of every optimizer: settings that exclude each other, and Keras 2's old `decay`. */
bool strata_optimizer_check(void *config, enum flavour flavour, strata_error *err);

/* Fields of struct optimizer_common, with which every config begins, in the order in which Keras writes them. `title`
 * is the default name, `rate` the default learning rate as JSON; what follows is the default of weight_decay. */
#define OPTIMIZER_FIELDS(title, rate, ...)                                                                           \
    { "name", FIELD_STRING, offsetof(struct optimizer_common, name), .text = title },                               \
        { "learning_rate", FIELD_CUSTOM, offsetof(struct optimizer_common, learning_rate), .text = rate,            \
          .parse = strata_learning_rate_parse, .write = strata_learning_rate_write,                                 \
          .release = strata_learning_rate_release, .help = "a number or a schedule" },                              \
        { "lr", FIELD_CUSTOM, offsetof(struct optimizer_common, learning_rate), .silent = true,                     \
          .parse = strata_learning_rate_parse, .write = strata_learning_rate_write,                                 \
          .release = strata_learning_rate_release },                                                                \
        { "decay", FIELD_FLOAT, offsetof(struct optimizer_common, decay), .silent = true, .nullable = true,         \
          .min = 0, .max = INFINITY },                                                                              \
        { "weight_decay", FIELD_FLOAT, offsetof(struct optimizer_common, weight_decay), .nullable = true,           \
          __VA_ARGS__, .min = 0, .max = INFINITY, .help = "every step takes this part times the rate off each weight" }, \
        { "clipnorm", FIELD_FLOAT, offsetof(struct optimizer_common, clipnorm), .nullable = true,                   \
          .null_default = true, .min = 0, .max = INFINITY, .help = "largest norm of each weight's gradient" },      \
        { "global_clipnorm", FIELD_FLOAT, offsetof(struct optimizer_common, global_clipnorm), .nullable = true,     \
          .null_default = true, .min = 0, .max = INFINITY, .help = "largest norm of all gradients together" },      \
        { "clipvalue", FIELD_FLOAT, offsetof(struct optimizer_common, clipvalue), .nullable = true,                 \
          .null_default = true, .min = 0, .max = INFINITY, .help = "largest size of a gradient's element" },        \
        { "use_ema", FIELD_BOOL, offsetof(struct optimizer_common, use_ema),                                        \
          .help = "keep a moving average of the weights, which they become in the end" },                          \
        { "ema_momentum", FIELD_FLOAT, offsetof(struct optimizer_common, ema_momentum), .otherwise = 0.99,          \
          .min = 0, .max = 1 },                                                                                     \
        { "ema_overwrite_frequency", FIELD_INT, offsetof(struct optimizer_common, ema_overwrite_frequency),         \
          .nullable = true, .null_default = true, .min = 1, .max = INFINITY,                                        \
          .help = "after so many steps the weights become their average" },                                        \
        { "loss_scale_factor", FIELD_FLOAT, offsetof(struct optimizer_common, loss_scale_factor), .nullable = true, \
          .null_default = true, .only_keras3 = true, .min = 0, .max = INFINITY, .above_min = true,                  \
          .help = "gradients are computed of the loss times this" },                                               \
        { "gradient_accumulation_steps", FIELD_INT, offsetof(struct optimizer_common, gradient_accumulation_steps), \
          .nullable = true, .null_default = true, .only_keras3 = true, .min = 2, .max = INFINITY,                   \
          .help = "weights change once in so many steps, by the mean of their gradients" },                        \
        { "jit_compile", FIELD_BOOL, offsetof(struct optimizer_common, ignored), .silent = true },                  \
        { "is_legacy_optimizer", FIELD_BOOL, offsetof(struct optimizer_common, ignored), .silent = true }

#define OPTIMIZER_FRACTION(key, config, member, value)                                                               \
    { key, FIELD_FLOAT, offsetof(struct config, member), .otherwise = value, .min = 0, .max = 1 }
#define OPTIMIZER_POSITIVE(key, config, member, value)                                                               \
    { key, FIELD_FLOAT, offsetof(struct config, member), .otherwise = value, .min = 0, .max = INFINITY }

extern const struct optimizer_class strata_optimizer_sgd, strata_optimizer_adam, strata_optimizer_adam_w,
    strata_optimizer_rmsprop, strata_optimizer_adagrad, strata_optimizer_adadelta, strata_optimizer_adamax,
    strata_optimizer_nadam, strata_optimizer_ftrl, strata_optimizer_lion;

#endif
