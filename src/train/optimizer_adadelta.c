/* Adadelta. Source: keras/src/optimizers/adadelta.py; Zeiler, 2012. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct adadelta {
    struct optimizer_common common;
    double rho, epsilon;
};

static const struct field fields[] = {
    OPTIMIZER_FIELDS("adadelta", "0.001", .null_default = true),
    OPTIMIZER_FRACTION("rho", adadelta, rho, 0.95),
    OPTIMIZER_POSITIVE("epsilon", adadelta, epsilon, 1e-7),
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
    return slot == 0 ? "accumulated_grad" : "accumulated_delta_var";
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct adadelta *c = config;
    const struct arg args[] = { arg_view(&s->w),       arg_view(&s->g), arg_view(&s->squares),     arg_view(&s->slot[0]), arg_view(&s->slot[1]),
                                arg_float(s->learning_rate), arg_float(c->rho), arg_float(c->epsilon), { 0 } };
    return strata_op_map(s->run, "optimizer:adadelta", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_adadelta = {
    .class = { .name = "Adadelta", .config_size = sizeof(struct adadelta), .fields = fields,
               .check = strata_optimizer_check, .help = "steps in units of earlier steps" },
    .slots = slots, .slot_name = slot_name, .interleaved = 2, .update = update,
};
