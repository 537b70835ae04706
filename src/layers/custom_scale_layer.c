/* CustomScaleLayer of keras.applications' InceptionResNetV2: the first input plus the second one scaled. */
#include "layers/merging.h"
#include "ops/map.h"

struct custom_scale {
    double scale;
};

static const struct field fields[] = {
    { "scale", FIELD_FLOAT, offsetof(struct custom_scale, scale), .required = true, .help = "the factor of the second input" },
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    char a[STRATA_SHAPE_TEXT], b[STRATA_SHAPE_TEXT];
    const int inputs = strata_merge_inputs(in);
    (void)config;
    *out = in[0];
    if (inputs != 2) return strata_fail(err, STRATA_ESHAPE, "it has %d inputs and needs 2", inputs);
    return strata_shape_equal(&in[0], &in[1])
           || strata_fail(err, STRATA_ESHAPE, "inputs have shapes %s and %s, which must be the same",
                          strata_layer_shape_text(&in[0], a), strata_layer_shape_text(&in[1], b));
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct custom_scale *c = config;
    return strata_op_affine(s->run, &s->xs[1], c->scale, 0, &s->y, err)
           && strata_op_add(s->run, &s->xs[0], &s->y, &s->y, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct custom_scale *c = config;
    return strata_merge_pass(s, 0, 1, err) && strata_merge_pass(s, 1, c->scale, err);
}

const struct layer_class strata_layer_custom_scale_layer = {
    .class = { .name = "CustomScaleLayer",
               .config_size = sizeof(struct custom_scale),
               .fields = fields,
               .help = "the first input plus the second one scaled (InceptionResNetV2)" },
    .module = "keras.src.applications.inception_resnet_v2",
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .merges = true,
};
