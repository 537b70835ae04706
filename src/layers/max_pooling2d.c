/* MaxPooling2D: the maximum over windows of rows and columns; cells of the padding take no part. */
#include "layers/pool.h"

static const struct field fields[] = { STRATA_POOL_FIELDS(2), { 0 } };

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_pool_shape(config, 2, "MaxPooling2D", in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_max_pool_forward(config, 2, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_max_pool_backward(config, 2, s, err);
}

static bool maxima(const void *config, const struct shape *in, struct pooled *pooled)
{
    const struct shape one = strata_shape_batch(1, in);
    const struct pool2d pool = strata_pool_of(config, &one, 2);
    return strata_op_max_pool2d_beside(&pool, pooled);
}

static const char *const aliases[] = { "MaxPool2D", NULL };
const struct layer_class strata_layer_max_pooling2d = {
    .class = { .name = "MaxPooling2D",
               .config_size = sizeof(struct pool_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_pool_check,
               .help = "the maximum over windows of rows and columns" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .halves = strata_halves_always,
    .picks = true,
    .maxima = maxima,
    .keep = strata_max_pool_keep,
};
