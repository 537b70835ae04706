/* SGD, with momentum and Nesterov's variant. Source: keras/src/optimizers/sgd.py. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct sgd {
    struct optimizer_common common;
    double momentum;
    bool nesterov;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("sgd", "0.01", .null_default = true),
    OPTIMIZER_FRACTION("momentum", sgd, momentum, 0),
    { "nesterov", FIELD_BOOL, offsetof(struct sgd, nesterov), .otherwise = false },
    { 0 },
};

static int slots(const void *config)
{
    return ((const struct sgd *)config)->momentum != 0;
}

static const char *slot_name(const void *config, int slot)
{
    (void)config;
    (void)slot;
    return "momentum";
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct sgd *c = config;
    if (c->momentum == 0) {
        const struct arg args[] = { arg_view(&s->w), arg_view(&s->g), arg_float(s->learning_rate), { 0 } };
        return strata_op_map(s->run, "optimizer:sgd", NULL, args, s->n, err);
    }
    const struct arg args[] = { arg_view(&s->w),         arg_view(&s->g),
                                arg_view(&s->slot[0]),   arg_float(s->learning_rate),
                                arg_float(c->momentum),  arg_int(c->nesterov),
                                { 0 } };
    return strata_op_map(s->run, "optimizer:sgd_momentum", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_sgd = {
    .class = { .name = "SGD", .config_size = sizeof(struct sgd), .fields = fields, .check = strata_optimizer_check,
               .help = "stochastic gradient descent, with momentum on request" },
    .slots = slots, .slot_name = slot_name, .update = update,
};
