/* Config keys that name axes: one integer or a list, the batch axis counted as 0, negative from the end. */
#ifndef STRATA_LAYERS_AXIS_H
#define STRATA_LAYERS_AXIS_H

#include "base/fields.h"
#include "base/shape.h"

/* The write hook of such a FIELD_INTS: one axis is written as an integer. */
json_t *strata_axis_write(const struct field *field, const void *at, enum flavour flavour);

#define STRATA_FIELD_AXIS(type, member, default_value, text_help)                                                    \
    {                                                                                                                \
        "axis", FIELD_INTS, offsetof(type, member), .otherwise = default_value, .min = -STRATA_MAX_RANK,            \
                .max = STRATA_MAX_RANK, .write = strata_axis_write, .help = text_help                               \
    }

/* Sets bit i for each named axis i of `rank` axes; false when one is not there. */
bool strata_axis_mask(const struct ints *axes, int rank, unsigned *mask);

#endif
