/* Cropping1D: the inner part of the input. */
#include "layers/sides.h"

static const struct field fields[] = {
    STRATA_FIELD_SIDES("cropping", 1, "cells cut off on each side"),
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_crop_shape(config, 1, "Cropping1D", in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_crop_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_crop_backward(config, 1, s, err);
}

const struct layer_class strata_layer_cropping1d = {
    .class = { .name = "Cropping1D",
               .config_size = sizeof(struct sides_config),
               .fields = fields,
               .check = strata_sides_check,
               .help = "the inner part of the input" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
