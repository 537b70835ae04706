/* Nadam: Adam with Nesterov's momentum. Its state is the product of the momenta u_t so far.
 * Source: keras/src/optimizers/nadam.py; Dozat, 2015. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct nadam {
    struct optimizer_common common;
    double beta_1, beta_2, epsilon;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("nadam", "0.001", .null_default = true),
    OPTIMIZER_FRACTION("beta_1", nadam, beta_1, 0.9),
    OPTIMIZER_FRACTION("beta_2", nadam, beta_2, 0.999),
    OPTIMIZER_POSITIVE("epsilon", nadam, epsilon, 1e-7),
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
    return slot == 0 ? "momentum" : "velocity";
}

static double momentum_at(const struct nadam *c, int64_t t)
{
    return c->beta_1 * (1 - 0.5 * pow(0.96, (double)t));
}

static double advance(const void *config, double product, int64_t iteration)
{
    return product * momentum_at(config, iteration);
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct nadam *c = config;
    const double u = momentum_at(c, s->iteration), u_next = momentum_at(c, s->iteration + 1);
    const struct arg args[] = { arg_view(&s->w),
                                arg_view(&s->g), arg_view(&s->squares),
                                arg_view(&s->slot[0]),
                                arg_view(&s->slot[1]),
                                arg_float(s->learning_rate),
                                arg_float(1 - c->beta_1),
                                arg_float(1 - c->beta_2),
                                arg_float(c->epsilon),
                                arg_float(u_next / (1 - s->state * u_next)),
                                arg_float((1 - u) / (1 - s->state)),
                                arg_float(1 / (1 - pow(c->beta_2, (double)s->iteration))),
                                { 0 } };
    return strata_op_map(s->run, "optimizer:nadam", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_nadam = {
    .class = { .name = "Nadam", .config_size = sizeof(struct nadam), .fields = fields,
               .check = strata_optimizer_check, .help = "Adam with Nesterov's momentum" },
    .slots = slots, .slot_name = slot_name, .interleaved = 2, .advance = advance, .update = update,
};
