/* Adagrad: steps divided by the root of the sum of squared gradients. Source: keras/src/optimizers/adagrad.py. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct adagrad {
    struct optimizer_common common;
    double initial, epsilon;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("adagrad", "0.001", .null_default = true),
    OPTIMIZER_POSITIVE("initial_accumulator_value", adagrad, initial, 0.1),
    OPTIMIZER_POSITIVE("epsilon", adagrad, epsilon, 1e-7),
    { 0 },
};

static int slots(const void *config)
{
    (void)config;
    return 1;
}

static const char *slot_name(const void *config, int slot)
{
    (void)config;
    (void)slot;
    return "accumulator";
}

static float slot_start(const void *config, int slot)
{
    (void)slot;
    return (float)((const struct adagrad *)config)->initial;
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct adagrad *c = config;
    const struct arg args[] = { arg_view(&s->w),  arg_view(&s->g), arg_view(&s->squares), arg_view(&s->slot[0]), arg_float(s->learning_rate),
                                arg_float(c->epsilon), { 0 } };
    return strata_op_map(s->run, "optimizer:adagrad", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_adagrad = {
    .class = { .name = "Adagrad", .config_size = sizeof(struct adagrad), .fields = fields,
               .check = strata_optimizer_check, .help = "steps divided by the root of the sum of squared gradients" },
    .slots = slots, .slot_name = slot_name, .slot_start = slot_start, .update = update,
};
