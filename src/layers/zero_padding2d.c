/* ZeroPadding2D: zeros around the input. */
#include "layers/sides.h"

static const struct field fields[] = {
    STRATA_FIELD_SIDES("padding", 2, "cells of zeros on each side"),
    STRATA_FIELD_DATA_FORMAT(struct sides_config, data_format),
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_pad_shape(config, 2, "ZeroPadding2D", in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_pad_forward(config, 2, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_pad_backward(config, 2, s, err);
}

static bool is_rim(const void *config, struct rim *rim)
{
    const struct sides *s = &((const struct sides_config *)config)->sides;
    *rim = (struct rim){ (size_t)s->before[0], (size_t)s->after[0], (size_t)s->before[1], (size_t)s->after[1] };
    return true;
}

const struct layer_class strata_layer_zero_padding2d = {
    .class = { .name = "ZeroPadding2D",
               .config_size = sizeof(struct sides_config),
               .fields = fields,
               .check = strata_sides_check,
               .help = "zeros around the input" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .is_rim = is_rim,
};
