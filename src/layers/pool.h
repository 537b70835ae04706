/* What the pooling layers over windows share. */
#ifndef STRATA_LAYERS_POOL_H
#define STRATA_LAYERS_POOL_H

#include "layers/window.h"
#include "ops/pool2d.h"

struct pool_config {
    struct ints pool_size, strides; /* strides.count 0: pool_size */
    int padding, data_format;
};

#define STRATA_POOL_FIELDS(dims)                                                                                     \
    STRATA_FIELD_INTS("pool_size", struct pool_config, pool_size, dims, 2, "extent of the window"),                  \
        { "strides", FIELD_INTS, offsetof(struct pool_config, strides), .count = dims, .otherwise = 1, .min = 1,    \
          .max = 1e6, .nullable = true, .null_default = true, .help = "steps of the window; null: its extent" },    \
        STRATA_FIELD_PADDING(struct pool_config, padding), STRATA_FIELD_DATA_FORMAT(struct pool_config, data_format)

bool strata_pool_check(void *config, enum flavour flavour, strata_error *err);
bool strata_pool_shape(const struct pool_config *c, int dims, const char *class_name, const struct shape *in,
                       struct shape *out, strata_error *err);

/* The windows over x (with batch axis) of `dims` spatial axes. */
struct pool2d strata_pool_of(const struct pool_config *c, const struct shape *x, int dims);

/* forward and backward of MaxPooling; `keep` holds the places of the maxima. */
size_t strata_max_pool_keep(const void *config, size_t n, const struct shape *in, const struct shape *out);
bool strata_max_pool_forward(const struct pool_config *c, int dims, const struct step *s, strata_error *err);
bool strata_max_pool_backward(const struct pool_config *c, int dims, const struct step *s, strata_error *err);
bool strata_average_pool_forward(const struct pool_config *c, int dims, const struct step *s, strata_error *err);
bool strata_average_pool_backward(const struct pool_config *c, int dims, const struct step *s, strata_error *err);

#endif
