/* RMSprop, centered and with momentum on request. Source: keras/src/optimizers/rmsprop.py. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct rmsprop {
    struct optimizer_common common;
    double rho, momentum, epsilon;
    bool centered;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("rm_sprop", "0.001", .null_default = true),
    OPTIMIZER_FRACTION("rho", rmsprop, rho, 0.9),
    OPTIMIZER_FRACTION("momentum", rmsprop, momentum, 0),
    OPTIMIZER_POSITIVE("epsilon", rmsprop, epsilon, 1e-7),
    { "centered", FIELD_BOOL, offsetof(struct rmsprop, centered), .otherwise = false },
    { 0 },
};

static int slots(const void *config)
{
    const struct rmsprop *c = config;
    return 1 + (c->momentum > 0) + c->centered;
}

static const char *slot_name(const void *config, int slot)
{
    if (slot == 0) return "velocity";
    return slot == 1 && ((const struct rmsprop *)config)->momentum > 0 ? "momentum" : "average_gradient";
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct rmsprop *c = config;
    const bool has_momentum = c->momentum > 0;
    const struct view none = { 0 };
    const struct view *momentum = has_momentum ? &s->slot[1] : &none;
    const struct view *average = c->centered ? &s->slot[1 + has_momentum] : &none;
    const struct arg args[] = { arg_view(&s->w),
                                arg_view(&s->g), arg_view(&s->squares),
                                arg_view(&s->slot[0]),
                                arg_view(momentum),
                                arg_view(average),
                                arg_float(s->learning_rate),
                                arg_float(c->rho),
                                arg_float(c->momentum),
                                arg_float(c->epsilon),
                                arg_int(has_momentum),
                                arg_int(c->centered),
                                { 0 } };
    return strata_op_map(s->run, "optimizer:rmsprop", NULL, args, s->n, err);
}

static const char *const names[] = { "rmsprop", NULL };

const struct optimizer_class strata_optimizer_rmsprop = {
    .class = { .name = "RMSprop", .config_size = sizeof(struct rmsprop), .fields = fields, .aliases = names,
               .check = strata_optimizer_check, .help = "steps divided by the root of the mean square gradient" },
    .slots = slots, .slot_name = slot_name, .update = update,
};
