#include "train/loss_scaling.h"

#include "layers/fields_common.h"
#include "train/optimizer.h"

struct config {
    struct object inside;
    double initial_scale;
    long dynamic_growth_steps;
    char *name;
};

static bool parse_inside(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    (void)flavour;
    (void)at;
    return !json || json_is_null(json)
           || strata_fail(err, STRATA_EVALUE, "%s belongs to the inner_optimizer: set it there", field->name);
}

/* What earlier releases of Keras wrote besides, without a use for it; and with one inside alone. */
#define OF_BASE(key) { key, FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true }
#define OF_INSIDE(key) { key, FIELD_CUSTOM, 0, .parse = parse_inside, .silent = true }

static const struct field fields[] = {
    { "inner_optimizer", FIELD_OBJECT, offsetof(struct config, inside), .registry = &strata_optimizers, .required = true,
      .help = "what updates the weights" },
    { "initial_scale", FIELD_FLOAT, offsetof(struct config, initial_scale), .otherwise = 32768, .min = 0, .max = 1e38,
      .above_min = true, .help = "by which the loss is multiplied at first; halved after gradients that are not finite" },
    { "dynamic_growth_steps", FIELD_INT, offsetof(struct config, dynamic_growth_steps), .otherwise = 2000, .min = 1, .max = 1e9,
      .help = "the scale is doubled after so many steps" },
    { "name", FIELD_STRING, offsetof(struct config, name), .text = "loss_scale_optimizer" },
    OF_BASE("dynamic"), OF_BASE("use_ema"), OF_BASE("ema_momentum"),
    OF_INSIDE("weight_decay"), OF_INSIDE("clipnorm"), OF_INSIDE("global_clipnorm"), OF_INSIDE("clipvalue"),
    OF_INSIDE("ema_overwrite_frequency"), OF_INSIDE("loss_scale_factor"), OF_INSIDE("gradient_accumulation_steps"),
    { 0 },
};

static const char *const aliases[] = { "LossScaleOptimizerV3", NULL }; /* Keras 2's */
static const struct class loss_scale_optimizer = {
    .name = "LossScaleOptimizer", .aliases = aliases, .config_size = sizeof(struct config), .fields = fields, .only_keras3 = true,
    .help = "multiplies the loss for an optimizer, so that gradients in halves do not vanish",
};
static const struct class *const classes[] = { &loss_scale_optimizer, NULL };
const struct registry strata_loss_scalings = { "optimizer", "keras.optimizers", classes };

bool strata_loss_scaling_is(const json_t *optimizer)
{
    const char *name = json_string_value(optimizer);
    if (json_is_object(optimizer)) {
        const char *class_name = json_string_value(json_object_get(optimizer, "class_name"));
        name = class_name ? class_name : json_object_iter_key(json_object_iter((json_t *)optimizer));
    }
    return name && strata_class_find(&strata_loss_scalings, name);
}

static struct loss_scaling make(double initial, long growth)
{
    return (struct loss_scaling){ .on = true, .initial = initial, .growth = growth, .scale = (double)(float)initial };
}

bool strata_loss_scaling_parse(const json_t *optimizer, struct loss_scaling *scaling, struct object *inside, strata_error *err)
{
    struct object object;
    if (!strata_object_parse(&strata_loss_scalings, optimizer, STRATA_KERAS3, &object, err)) return false;
    struct config *config = object.config;
    *scaling = make(config->initial_scale, config->dynamic_growth_steps);
    *inside = config->inside;
    config->inside = (struct object){ 0 };
    strata_object_release(&object);
    return inside->class || strata_fail(err, STRATA_EVALUE, "LossScaleOptimizer: inner_optimizer is null; name one");
}

struct loss_scaling strata_loss_scaling_usual(void)
{
    return make(32768, 2000);
}

json_t *strata_loss_scaling_write(const struct loss_scaling *scaling, json_t *inside)
{
    return json_pack("{s:s, s:s, s:{s:s, s:o, s:f, s:I}, s:n}", "module", strata_loss_scalings.module, "class_name",
                     loss_scale_optimizer.name, "config", "name", "loss_scale_optimizer", "inner_optimizer", inside,
                     "initial_scale", scaling->initial, "dynamic_growth_steps", (json_int_t)scaling->growth, "registered_name");
}

void strata_loss_scaling_step(struct loss_scaling *scaling, bool finite)
{
    if (!finite) scaling->scale /= 2;
    scaling->good = finite ? scaling->good + 1 : 0;
    if (scaling->good < scaling->growth) return;
    scaling->scale *= 2;
    scaling->good = 0;
}
