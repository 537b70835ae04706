/* Losses that are a mean, or a sum, over the last axis of something of one element: errors, hinges and binary
 * crossentropies. Source: keras/src/losses/losses.py. */
#include "train/loss_fields.h"

#include <stdio.h>

/* a, b, c: the numbers that the kernel's function takes; see cl/loss_elementwise.cl. */
static bool emit(const struct loss_step *s, const char *function, bool sum, double a, double b, double c,
                 strata_error *err)
{
    char options[96];
    snprintf(options, sizeof options, "-DLOSS=%s", function);
    const struct arg more[] = { arg_float(sum ? 1 : 1 / (double)s->columns), arg_float(a), arg_float(b), arg_float(c),
                                { 0 } };
    return strata_loss_launch(s, "loss_elementwise:loss", options, more, err);
}

/* ---- without arguments ---------------------------------------------------------------------------------------- */

static bool emit_mse(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "mean_squared_error", false, 0, 0, 0, err);
}

static bool emit_mae(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "mean_absolute_error", false, 0, 0, 0, err);
}

static bool emit_mape(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "mean_absolute_percentage_error", false, 0, 0, 0, err);
}

static bool emit_msle(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "mean_squared_logarithmic_error", false, 0, 0, 0, err);
}

static bool emit_log_cosh(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "log_cosh", false, 0, 0, 0, err);
}

static bool emit_poisson(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "poisson", false, 0, 0, 0, err);
}

static bool emit_hinge(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "hinge", false, 0, 0, 0, err);
}

static bool emit_squared_hinge(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "squared_hinge", false, 0, 0, 0, err);
}

static bool emit_kl(const void *config, const struct loss_step *s, strata_error *err)
{
    (void)config;
    return emit(s, "kl_divergence", true, 0, 0, 0, err);
}

static const struct field mse_fields[] = { LOSS_FIELDS("mean_squared_error"), { 0 } };
static const struct field mae_fields[] = { LOSS_FIELDS("mean_absolute_error"), { 0 } };
static const struct field mape_fields[] = { LOSS_FIELDS("mean_absolute_percentage_error"), { 0 } };
static const struct field msle_fields[] = { LOSS_FIELDS("mean_squared_logarithmic_error"), { 0 } };
static const struct field log_cosh_fields[] = { LOSS_FIELDS("log_cosh"), { 0 } };
static const struct field poisson_fields[] = { LOSS_FIELDS("poisson"), { 0 } };
static const struct field hinge_fields[] = { LOSS_FIELDS("hinge"), { 0 } };
static const struct field squared_hinge_fields[] = { LOSS_FIELDS("squared_hinge"), { 0 } };
static const struct field kl_fields[] = { LOSS_FIELDS("kl_divergence"), { 0 } };

static const char *const mse_names[] = { "mse", "MSE", NULL };
static const char *const mae_names[] = { "mae", "MAE", NULL };
static const char *const mape_names[] = { "mape", "MAPE", NULL };
static const char *const msle_names[] = { "msle", "MSLE", NULL };
static const char *const log_cosh_names[] = { "logcosh", NULL };
static const char *const kl_names[] = { "kl_divergence", "kld", "KLD", "kullback_leibler_divergence", NULL };

const struct loss_class strata_loss_mse = {
    .class = { .name = "MeanSquaredError", .config_size = sizeof(struct loss_common), .fields = mse_fields,
               .aliases = mse_names, .check = strata_loss_check_common, .help = "mean of (y - p)^2" },
    .emit = emit_mse,
};
const struct loss_class strata_loss_mae = {
    .class = { .name = "MeanAbsoluteError", .config_size = sizeof(struct loss_common), .fields = mae_fields,
               .aliases = mae_names, .check = strata_loss_check_common, .help = "mean of |y - p|" },
    .emit = emit_mae,
};
const struct loss_class strata_loss_mape = {
    .class = { .name = "MeanAbsolutePercentageError", .config_size = sizeof(struct loss_common),
               .fields = mape_fields, .aliases = mape_names, .check = strata_loss_check_common,
               .help = "100 times the mean of |y - p| / |y|" },
    .emit = emit_mape,
};
const struct loss_class strata_loss_msle = {
    .class = { .name = "MeanSquaredLogarithmicError", .config_size = sizeof(struct loss_common),
               .fields = msle_fields, .aliases = msle_names, .check = strata_loss_check_common,
               .help = "mean of (log(y + 1) - log(p + 1))^2" },
    .emit = emit_msle,
};
const struct loss_class strata_loss_log_cosh = {
    .class = { .name = "LogCosh", .config_size = sizeof(struct loss_common), .fields = log_cosh_fields,
               .aliases = log_cosh_names, .check = strata_loss_check_common, .help = "mean of log(cosh(p - y))" },
    .emit = emit_log_cosh,
};
const struct loss_class strata_loss_poisson = {
    .class = { .name = "Poisson", .config_size = sizeof(struct loss_common), .fields = poisson_fields,
               .check = strata_loss_check_common, .help = "mean of p - y log(p)" },
    .emit = emit_poisson,
};
const struct loss_class strata_loss_hinge = {
    .class = { .name = "Hinge", .config_size = sizeof(struct loss_common), .fields = hinge_fields,
               .check = strata_loss_check_common, .help = "mean of max(1 - y p, 0); labels -1 and 1, or 0 and 1" },
    .emit = emit_hinge,
};
const struct loss_class strata_loss_squared_hinge = {
    .class = { .name = "SquaredHinge", .config_size = sizeof(struct loss_common), .fields = squared_hinge_fields,
               .check = strata_loss_check_common, .help = "mean of max(1 - y p, 0)^2" },
    .emit = emit_squared_hinge,
};
const struct loss_class strata_loss_kl = {
    .class = { .name = "KLDivergence", .config_size = sizeof(struct loss_common), .fields = kl_fields,
               .aliases = kl_names, .check = strata_loss_check_common, .help = "sum of y log(y / p)" },
    .emit = emit_kl,
};

/* ---- with arguments ----------------------------------------------------------------------------------------------- */

struct huber {
    struct loss_common common;
    double delta;
};

static const struct field huber_fields[] = {
    LOSS_FIELDS("huber_loss"),
    LOSS_NUMBER("delta", huber, delta, 1, 0, INFINITY),
    { 0 },
};

static bool emit_huber(const void *config, const struct loss_step *s, strata_error *err)
{
    return emit(s, "huber", false, ((const struct huber *)config)->delta, 0, 0, err);
}

const struct loss_class strata_loss_huber = {
    .class = { .name = "Huber", .config_size = sizeof(struct huber), .fields = huber_fields,
               .check = strata_loss_check_common, .help = "squares of errors up to delta, from there on linear" },
    .emit = emit_huber,
};

struct binary {
    struct loss_common common;
    double smoothing, alpha, gamma; /* the last two of the focal form */
    bool balance;
};

static const struct field binary_fields[] = {
    LOSS_FIELDS("binary_crossentropy"),
    LOSS_LOGITS,
    LOSS_NUMBER("label_smoothing", binary, smoothing, 0, 0, 1),
    LOSS_AXIS,
    { 0 },
};

static const struct field binary_focal_fields[] = {
    LOSS_FIELDS("binary_focal_crossentropy"),
    LOSS_LOGITS,
    LOSS_NUMBER("label_smoothing", binary, smoothing, 0, 0, 1),
    LOSS_AXIS,
    { "apply_class_balancing", FIELD_BOOL, offsetof(struct binary, balance), .otherwise = false },
    LOSS_NUMBER("alpha", binary, alpha, 0.25, 0, 1),
    LOSS_NUMBER("gamma", binary, gamma, 2, 0, INFINITY),
    { 0 },
};

static bool emit_binary(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct binary *c = config;
    const bool logits = s->at_logits || c->common.from_logits;
    return emit(s, logits ? "binary_crossentropy_logits" : "binary_crossentropy", false, c->smoothing, 0, 0, err);
}

static bool emit_binary_focal(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct binary *c = config;
    const bool logits = s->at_logits || c->common.from_logits;
    return emit(s, logits ? "binary_focal_crossentropy_logits" : "binary_focal_crossentropy", false, c->gamma,
                c->balance ? c->alpha : -1, c->smoothing, err);
}

static bool only_sigmoid(const void *config, enum activation_kind last)
{
    return !((const struct loss_common *)config)->from_logits && last == ACTIVATION_SIGMOID;
}

static const char *const binary_names[] = { "bce", "BCE", NULL };

const struct loss_class strata_loss_binary = {
    .class = { .name = "BinaryCrossentropy", .config_size = sizeof(struct binary), .fields = binary_fields,
               .aliases = binary_names, .check = strata_loss_check_common,
               .help = "crossentropy of chances that are each for themselves" },
    .at_logits = strata_loss_takes_logits, .emit = emit_binary,
};
const struct loss_class strata_loss_binary_focal = {
    .class = { .name = "BinaryFocalCrossentropy", .config_size = sizeof(struct binary),
               .fields = binary_focal_fields, .check = strata_loss_check_common,
               .help = "binary crossentropy with less weight on what is right already" },
    .at_logits = only_sigmoid, .emit = emit_binary_focal,
};
