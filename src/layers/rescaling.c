/* Rescaling: y = scale x + offset. */
#include "layers/fields_common.h"

#include "ops/map.h"

struct rescaling {
    double scale, offset;
};

static const struct field fields[] = {
    { "scale", FIELD_FLOAT, offsetof(struct rescaling, scale), .required = true, .help = "the factor" },
    { "offset", FIELD_FLOAT, offsetof(struct rescaling, offset), .help = "what is added" },
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct rescaling *c = config;
    return strata_op_affine(s->run, &s->x, c->scale, c->offset, &s->y, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct rescaling *c = config;
    return !s->dx.buffer || strata_op_affine(s->run, &s->dy, c->scale, 0, &s->dx, err);
}

const struct layer_class strata_layer_rescaling = {
    .class = { .name = "Rescaling",
               .config_size = sizeof(struct rescaling),
               .fields = fields,
               .help = "scales and shifts" },
    .shape = strata_shape_keep,
    .forward = forward,
    .backward = backward,
    .in_place = true,
};
