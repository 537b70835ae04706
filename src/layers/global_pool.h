/* What the global pooling layers share. */
#ifndef STRATA_LAYERS_GLOBAL_POOL_H
#define STRATA_LAYERS_GLOBAL_POOL_H

#include "layers/fields_common.h"
#include "ops/pool2d.h"

struct global_pool_config {
    int data_format;
    bool keepdims;
};

#define STRATA_GLOBAL_POOL_FIELDS                                                                                    \
    STRATA_FIELD_DATA_FORMAT(struct global_pool_config, data_format),                                                \
        STRATA_FIELD_BOOL("keepdims", struct global_pool_config, keepdims, 0, "keeps the pooled axes, of extent 1")

bool strata_global_pool_check(void *config, enum flavour flavour, strata_error *err);
bool strata_global_pool_shape(const struct global_pool_config *c, int dims, const char *class_name,
                              const struct shape *in, struct shape *out, strata_error *err);

/* The whole layers: they see (n, positions, channels), whatever the number of spatial axes. */
bool strata_global_max_forward(const void *config, const struct step *s, strata_error *err);
bool strata_global_max_backward(const void *config, const struct step *s, strata_error *err);
bool strata_global_average_forward(const void *config, const struct step *s, strata_error *err);
bool strata_global_average_backward(const void *config, const struct step *s, strata_error *err);

#endif
