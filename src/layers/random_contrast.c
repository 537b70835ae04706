/* RandomContrast: differences from the mean of each channel of an image are multiplied by a number. */
#include "layers/augment_common.h"
#include "ops/map.h"

/* Keras 2 has no such argument, and cuts at 0 and 255. */
static bool writable(const struct field *field, const void *at, enum flavour flavour, strata_error *err)
{
    const struct range *range = at;
    if (flavour != STRATA_KERAS2 || (range->lower == 0 && range->upper == 255)) return true;
    return strata_fail(err, STRATA_EVALUE, "%s is [%g, %g]; Keras 2 has no such argument: write it as Keras 3 has it",
                       field->name, range->lower, range->upper);
}

static const struct field fields[] = {
    STRATA_AUGMENT_FACTOR(0, "how much is taken from the contrast, and how much is added to it"),
    STRATA_AUGMENT_VALUES(.only_keras3 = true, .writable = writable),
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static bool draw(const struct augment_config *c, const struct step *s, strata_error *err)
{
    const struct range ranges[2] = { { .lower = 1 - c->factor.lower, .upper = 1 + c->factor.upper } };
    return strata_augment_draw(c, s, ranges, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct augment_config *c = config;
    const struct view numbers = strata_augment_numbers(s);
    const size_t *d = s->x.shape.dim;
    if (!s->training) return strata_op_copy(s->run, &s->x, &s->y, err);
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->y), arg_view(&numbers), arg_float(c->values.lower),
                                arg_float(c->values.upper), arg_ulong(d[1] * d[2]), arg_int((int)d[3]), { 0 } };
    const struct launch launch = { .kernel = "augment:contrast", .args = args, .dims = 2, .global = { d[3], d[0] } };
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
                                arg_float(c->values.lower), arg_float(c->values.upper), arg_ulong(d[1] * d[2]), arg_int((int)d[3]), { 0 } };
    const struct launch launch = {
        .kernel = "augment:contrast_gradient", .args = args, .dims = 2, .global = { d[3], d[0] }
    };
    return draw(c, s, err) && strata_launch(s->run, &launch, err);
}

const struct layer_class strata_layer_random_contrast = {
    .class = { .name = "RandomContrast",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "changes the contrast of images in training" },
    .shape = strata_augment_shape_keep,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .needs_x = true,
    .identity_in_inference = true,
};
