/* Cells before and after along 1 or 2 spatial axes: the padding and cropping arguments. */
#ifndef STRATA_LAYERS_SIDES_H
#define STRATA_LAYERS_SIDES_H

#include "layers/fields_common.h"

struct sides {
    long before[2], after[2]; /* by spatial axis */
};

struct sides_config {
    struct sides sides;
    int data_format;
};

/* Hooks of a FIELD_CUSTOM whose `count` is the number of spatial axes. An integer counts for all sides, a number an axis
 * for both of its sides; in 1D two numbers are (before, after). */
bool strata_sides_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                        strata_error *err);
json_t *strata_sides_write(const struct field *field, const void *at, enum flavour flavour);

#define STRATA_FIELD_SIDES(key, dims, text_help)                                                                     \
    {                                                                                                                \
        key, FIELD_CUSTOM, offsetof(struct sides_config, sides), .text = "1", .count = dims,                        \
             .parse = strata_sides_parse, .write = strata_sides_write, .help = text_help                            \
    }

bool strata_sides_check(void *config, enum flavour flavour, strata_error *err);

/* Padding by zeros and cropping, as whole layers of `dims` spatial axes. */
bool strata_pad_shape(const struct sides_config *c, int dims, const char *class_name, const struct shape *in,
                      struct shape *out, strata_error *err);
bool strata_pad_forward(const struct sides_config *c, int dims, const struct step *s, strata_error *err);
bool strata_pad_backward(const struct sides_config *c, int dims, const struct step *s, strata_error *err);
bool strata_crop_shape(const struct sides_config *c, int dims, const char *class_name, const struct shape *in,
                       struct shape *out, strata_error *err);
bool strata_crop_forward(const struct sides_config *c, int dims, const struct step *s, strata_error *err);
bool strata_crop_backward(const struct sides_config *c, int dims, const struct step *s, strata_error *err);

#endif
