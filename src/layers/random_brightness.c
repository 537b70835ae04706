/* RandomBrightness: a number is added to all of an image. */
#include "layers/augment_common.h"
#include "ops/map.h"

static const struct field fields[] = {
    STRATA_AUGMENT_FACTOR(-1, "what part of the range of values is added"),
    STRATA_AUGMENT_VALUES(.only_keras3 = false),
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static bool draw(const struct augment_config *c, const struct step *s, strata_error *err)
{
    const double all = c->values.upper - c->values.lower;
    const struct range ranges[2] = { { .lower = c->factor.lower * all, .upper = c->factor.upper * all } };
    return strata_augment_draw(c, s, ranges, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct augment_config *c = config;
    const struct view numbers = strata_augment_numbers(s);
    const size_t *d = s->x.shape.dim;
    if (!s->training) return strata_op_copy(s->run, &s->x, &s->y, err);
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->y), arg_view(&numbers), arg_float(c->values.lower),
                                arg_float(c->values.upper), arg_ulong(d[1] * d[2] * d[3]), { 0 } };
    const struct launch launch = { .kernel = "augment:brighten", .args = args, .dims = 2, .global = { d[1] * d[2] * d[3], d[0] } };
    return draw(c, s, err) && strata_launch(s->run, &launch, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct augment_config *c = config;
    const struct view numbers = strata_augment_numbers(s);
    const size_t *d = s->dy.shape.dim;
    if (!s->dx.buffer) return true;
    if (!s->training) return strata_op_copy(s->run, &s->dy, &s->dx, err);
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->dy), arg_view(&s->dx), arg_view(&numbers),
                                arg_float(c->values.lower), arg_float(c->values.upper), arg_ulong(d[1] * d[2] * d[3]), { 0 } };
    const struct launch launch = {
        .kernel = "augment:brighten_gradient", .args = args, .dims = 2, .global = { d[1] * d[2] * d[3], d[0] }
    };
    return draw(c, s, err) && strata_launch(s->run, &launch, err);
}

const struct layer_class strata_layer_random_brightness = {
    .class = { .name = "RandomBrightness",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "makes images lighter or darker in training" },
    .shape = strata_augment_shape_keep,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .needs_x = true,
    .identity_in_inference = true,
};
