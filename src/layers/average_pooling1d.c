/* AveragePooling1D: the mean over windows of steps; cells of the padding take no part. */
#include "layers/pool.h"

static const struct field fields[] = { STRATA_POOL_FIELDS(1), { 0 } };

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_pool_shape(config, 1, "AveragePooling1D", in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_average_pool_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_average_pool_backward(config, 1, s, err);
}

static const char *const aliases[] = { "AvgPool1D", NULL };
const struct layer_class strata_layer_average_pooling1d = {
    .class = { .name = "AveragePooling1D",
               .config_size = sizeof(struct pool_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_pool_check,
               .help = "the mean over windows of steps" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .halves = strata_halves_always,
};
