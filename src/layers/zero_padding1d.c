/* ZeroPadding1D: zeros around the input. */
#include "layers/sides.h"

static const struct field fields[] = {
    STRATA_FIELD_SIDES("padding", 1, "cells of zeros on each side"),
    STRATA_FIELD_DATA_FORMAT(struct sides_config, data_format),
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_pad_shape(config, 1, "ZeroPadding1D", in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_pad_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_pad_backward(config, 1, s, err);
}

const struct layer_class strata_layer_zero_padding1d = {
    .class = { .name = "ZeroPadding1D",
               .config_size = sizeof(struct sides_config),
               .fields = fields,
               .check = strata_sides_check,
               .help = "zeros around the input" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
