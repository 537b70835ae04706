/* Lion: steps of one size in the direction of a mean. Source: keras/src/optimizers/lion.py; Chen et al., 2023. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct lion {
    struct optimizer_common common;
    double beta_1, beta_2;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("lion", "0.001", .null_default = true),
    OPTIMIZER_FRACTION("beta_1", lion, beta_1, 0.9),
    OPTIMIZER_FRACTION("beta_2", lion, beta_2, 0.99),
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
    return "momentum";
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct lion *c = config;
    const struct arg args[] = { arg_view(&s->w),       arg_view(&s->g),      arg_view(&s->slot[0]), arg_float(s->learning_rate),
                                arg_float(c->beta_1), arg_float(c->beta_2), { 0 } };
    return strata_op_map(s->run, "optimizer:lion", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_lion = {
    .class = { .name = "Lion", .config_size = sizeof(struct lion), .fields = fields, .check = strata_optimizer_check,
               .help = "steps of one size by the sign of a mean gradient" },
    .slots = slots, .slot_name = slot_name, .update = update,
};
