/* Adamax: Adam with the largest gradient instead of the mean square. Source: keras/src/optimizers/adamax.py. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct adamax {
    struct optimizer_common common;
    double beta_1, beta_2, epsilon;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("adamax", "0.001", .null_default = true),
    OPTIMIZER_FRACTION("beta_1", adamax, beta_1, 0.9),
    OPTIMIZER_FRACTION("beta_2", adamax, beta_2, 0.999),
    OPTIMIZER_POSITIVE("epsilon", adamax, epsilon, 1e-7),
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
    return slot == 0 ? "momentum" : "norm";
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct adamax *c = config;
    const double scale = s->learning_rate / (1 - pow(c->beta_1, (double)s->iteration));
    const struct arg args[] = { arg_view(&s->w),         arg_view(&s->g),      arg_view(&s->slot[0]),
                                arg_view(&s->slot[1]),   arg_float(scale),     arg_float(1 - c->beta_1),
                                arg_float(c->beta_2),    arg_float(c->epsilon), { 0 } };
    return strata_op_map(s->run, "optimizer:adamax", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_adamax = {
    .class = { .name = "Adamax", .config_size = sizeof(struct adamax), .fields = fields,
               .check = strata_optimizer_check, .help = "Adam by the infinity norm" },
    .slots = slots, .slot_name = slot_name, .interleaved = 2, .update = update,
};
