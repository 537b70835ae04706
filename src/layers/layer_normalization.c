/* LayerNormalization: by the mean and variance over some axes of each sample. */
#include "layers/scale_center.h"

static const struct field fields[] = {
    { "axis", FIELD_INTS, offsetof(struct scale_center, axis), .otherwise = -1, .min = -STRATA_MAX_RANK,
      .max = STRATA_MAX_RANK, .help = "the axes over which it goes" },
    STRATA_SCALE_CENTER_FIELDS,
    STRATA_FIELD_UNSET("rms_scaling"),
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    unsigned mask;
    *out = *in;
    return strata_scale_center_axes(config, in, &mask, err);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    unsigned mask;
    struct shape own = { 0 };
    if (!strata_scale_center_axes(config, in, &mask, err)) return false;
    for (int axis = 0; axis < in->rank; axis++)
        if (mask >> (axis + 1) & 1) own.dim[own.rank++] = in->dim[axis];
    strata_scale_center_ask(config, &own, ask);
    return true;
}

/* Mean and variance of each group. */
static size_t keep(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct scale_center *c = config;
    unsigned mask = 0;
    size_t groups = n;
    (void)out;
    strata_axis_mask(&c->axis, in->rank + 1, &mask);
    for (int axis = 0; axis < in->rank; axis++) groups *= mask >> (axis + 1) & 1 ? 1 : in->dim[axis];
    return 2 * groups;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_scale_center_forward(config, NORMALIZE_LAYER, 0, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_scale_center_backward(config, NORMALIZE_LAYER, 0, s, err);
}

const struct layer_class strata_layer_layer_normalization = {
    .class = { .name = "LayerNormalization",
               .config_size = sizeof(struct scale_center),
               .fields = fields,
               .help = "normalizes each sample over some axes" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .keep = keep,
    .needs_x = true,
};
