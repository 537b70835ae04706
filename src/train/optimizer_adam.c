/* Adam and AdamW, with AMSGrad on request. Source: keras/src/optimizers/adam.py, adamw.py; Kingma & Ba, 2014. */
#include "train/optimizer_fields.h"

#include "ops/map.h"

struct adam {
    struct optimizer_common common;
    double beta_1, beta_2, epsilon;
    bool amsgrad;
};

#define ADAM_FIELDS                                                                                                  \
    OPTIMIZER_FRACTION("beta_1", adam, beta_1, 0.9), OPTIMIZER_FRACTION("beta_2", adam, beta_2, 0.999),             \
        OPTIMIZER_POSITIVE("epsilon", adam, epsilon, 1e-7),                                                         \
        { "amsgrad", FIELD_BOOL, offsetof(struct adam, amsgrad), .otherwise = false }

static const struct field adam_fields[] = {
    OPTIMIZER_FIELDS("adam", "0.001", .null_default = true), ADAM_FIELDS, { 0 }
};
static const struct field adam_w_fields[] = {
    OPTIMIZER_FIELDS("adam_w", "0.001", .otherwise = 0.004), ADAM_FIELDS, { 0 }
};

static int slots(const void *config)
{
    return ((const struct adam *)config)->amsgrad ? 3 : 2;
}

static const char *slot_name(const void *config, int slot)
{
    static const char *const names[] = { "momentum", "velocity", "velocity_hat" };
    (void)config;
    return names[slot];
}

static bool update(const void *config, const struct optimizer_step *s, strata_error *err)
{
    const struct adam *c = config;
    const double t = (double)s->iteration;
    const double alpha = s->learning_rate * sqrt(1 - pow(c->beta_2, t)) / (1 - pow(c->beta_1, t));
    struct arg args[11];
    int n = 0;
    args[n++] = arg_view(&s->w);
    args[n++] = arg_view(&s->g);
    args[n++] = arg_view(&s->squares);
    for (int slot = 0; slot < slots(config); slot++) args[n++] = arg_view(&s->slot[slot]);
    args[n++] = arg_float(alpha);
    args[n++] = arg_float(1 - c->beta_1);
    args[n++] = arg_float(1 - c->beta_2);
    args[n++] = arg_float(c->epsilon);
    args[n] = (struct arg){ 0 };
    return strata_op_map(s->run, c->amsgrad ? "optimizer:adam_amsgrad" : "optimizer:adam", NULL, args, s->n, err);
}

const struct optimizer_class strata_optimizer_adam = {
    .class = { .name = "Adam", .config_size = sizeof(struct adam), .fields = adam_fields,
               .check = strata_optimizer_check, .help = "steps scaled by running means of gradients and their squares" },
    .slots = slots, .slot_name = slot_name, .interleaved = 2, .update = update,
};

static const char *const adam_w_names[] = { "adamw", NULL };

const struct optimizer_class strata_optimizer_adam_w = {
    .class = { .name = "AdamW", .config_size = sizeof(struct adam), .fields = adam_w_fields, .aliases = adam_w_names,
               .check = strata_optimizer_check, .help = "Adam with weight decay" },
    .slots = slots, .slot_name = slot_name, .interleaved = 2, .update = update,
};
