/* MaxPooling1D: the maximum over windows of steps; cells of the padding take no part. */
#include "layers/pool.h"

static const struct field fields[] = { STRATA_POOL_FIELDS(1), { 0 } };

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_pool_shape(config, 1, "MaxPooling1D", in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_max_pool_forward(config, 1, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_max_pool_backward(config, 1, s, err);
}

static const char *const aliases[] = { "MaxPool1D", NULL };
const struct layer_class strata_layer_max_pooling1d = {
    .class = { .name = "MaxPooling1D",
               .config_size = sizeof(struct pool_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_pool_check,
               .help = "the maximum over windows of steps" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .halves = strata_halves_always,
    .picks = true,
    .keep = strata_max_pool_keep,
};
