/* GlobalAveragePooling1D: the mean over all steps. */
#include "layers/global_pool.h"

static const struct field fields[] = { STRATA_GLOBAL_POOL_FIELDS, { 0 } };

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_global_pool_shape(config, 1, "GlobalAveragePooling1D", in, out, err);
}

static const char *const aliases[] = { "GlobalAvgPool1D", NULL };
const struct layer_class strata_layer_global_average_pooling1d = {
    .class = { .name = "GlobalAveragePooling1D",
               .config_size = sizeof(struct global_pool_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_global_pool_check,
               .help = "the mean over all steps" },
    .shape = shape,
    .forward = strata_global_average_forward,
    .backward = strata_global_average_backward,
    .halves = strata_halves_always,
};
