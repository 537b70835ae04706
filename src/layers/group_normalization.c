/* GroupNormalization: by the mean and variance over all positions and a group of channels of each sample. */
#include "layers/scale_center.h"

static const struct field fields[] = {
    { "groups", FIELD_INT, offsetof(struct scale_center, groups), .otherwise = 32, .min = -1, .max = 1e9,
      .help = "how many; -1: one a channel" },
    { "axis", FIELD_INTS, offsetof(struct scale_center, axis), .count = 1, .otherwise = -1,
      .min = -STRATA_MAX_RANK, .max = STRATA_MAX_RANK, .write = strata_axis_write,
      .help = "the axis of the channels" },
    STRATA_SCALE_CENTER_FIELDS,
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct scale_center *c = config;
    (void)flavour;
    return c->groups != 0
           || strata_fail(err, STRATA_EVALUE, "groups is 0; it must be positive, or -1 for one a channel");
}

static size_t channels_of(const struct scale_center *c, const struct shape *in)
{
    const long axis = c->axis.v[0];
    return in->dim[axis < 0 ? axis + in->rank : axis - 1];
}

static size_t parts_of(const struct scale_center *c, size_t channels)
{
    return c->groups < 0 ? channels : (size_t)c->groups;
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct scale_center *c = config;
    unsigned mask;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    if (!strata_scale_center_axes(c, in, &mask, err)) return false;
    if (in->rank + 2 > STRATA_MAX_RANK)
        return strata_fail(err, STRATA_ESHAPE, "input has shape %s; GroupNormalization takes at most %d axes",
                           strata_layer_shape_text(in, text), STRATA_MAX_RANK - 1);
    const size_t channels = channels_of(c, in);
    if (channels > 0 && channels % parts_of(c, channels) == 0) return true;
    return strata_fail(err, STRATA_ESHAPE,
                       "input has %zu channels; they must be a multiple of groups, which is %ld", channels,
                       c->groups);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    const struct shape own = { 1, { channels_of(config, in) } };
    (void)err;
    strata_scale_center_ask(config, &own, ask);
    return true;
}

/* Mean and variance of each group of each sample. */
static size_t keep(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    (void)out;
    return 2 * n * parts_of(config, channels_of(config, in));
}

static size_t parts_in(const struct scale_center *c, const struct step *s)
{
    const long axis = c->axis.v[0];
    return parts_of(c, s->x.shape.dim[axis < 0 ? axis + s->x.shape.rank : axis]);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_scale_center_forward(config, NORMALIZE_GROUP, parts_in(config, s), s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_scale_center_backward(config, NORMALIZE_GROUP, parts_in(config, s), s, err);
}

const struct layer_class strata_layer_group_normalization = {
    .class = { .name = "GroupNormalization",
               .config_size = sizeof(struct scale_center),
               .fields = fields,
               .check = check,
               .help = "normalizes groups of channels of each sample" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .keep = keep,
    .needs_x = true,
};
