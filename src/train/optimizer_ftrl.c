/* Ftrl: follow the regularized leader. Source: keras/src/optimizers/ftrl.py; McMahan et al., 2013. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct ftrl {
    struct optimizer_common common;
    double power, initial, l1, l2, shrinkage, beta;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("ftrl", "0.001", .null_default = true),
    { "learning_rate_power", FIELD_FLOAT, offsetof(struct ftrl, power), .otherwise = -0.5, .min = -INFINITY, .max = 0 },
    OPTIMIZER_POSITIVE("initial_accumulator_value", ftrl, initial, 0.1),
    OPTIMIZER_POSITIVE("l1_regularization_strength", ftrl, l1, 0),
    OPTIMIZER_POSITIVE("l2_regularization_strength", ftrl, l2, 0),
    OPTIMIZER_POSITIVE("l2_shrinkage_regularization_strength", ftrl, shrinkage, 0),
    OPTIMIZER_POSITIVE("beta", ftrl, beta, 0),
    { 0 },
};

static int slots(const void *config)
{
    (void)config;
    return 2;
}

static const char *slot_name(const void *config, int slot)
{
    (void)config;
    return slot == 0 ? "accumulator" : "linear";
}

static float slot_start(const void *config, int slot)
{
    return slot == 0 ? (float)((const struct ftrl *)config)->initial : 0;
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct ftrl *c = config;
    const struct arg args[] = { arg_view(&s->w),
                                arg_view(&s->g), arg_view(&s->squares),
                                arg_view(&s->slot[0]),
                                arg_view(&s->slot[1]),
                                arg_float(s->learning_rate),
                                arg_float(-c->power),
                                arg_float(c->l1),
                                arg_float(c->l2 + c->beta / (2 * s->learning_rate)),
                                arg_float(c->shrinkage),
                                { 0 } };
    return strata_op_map(s->run, "optimizer:ftrl", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_ftrl = {
    .class = { .name = "Ftrl", .config_size = sizeof(struct ftrl), .fields = fields, .check = strata_optimizer_check,
               .help = "follow the regularized leader, for sparse models" },
    .slots = slots, .slot_name = slot_name, .interleaved = 2, .slot_start = slot_start, .update = update,
};
