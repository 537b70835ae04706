/* GlobalMaxPooling2D: the maximum over all rows and columns. */
#include "layers/global_pool.h"

static const struct field fields[] = { STRATA_GLOBAL_POOL_FIELDS, { 0 } };

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    return strata_global_pool_shape(config, 2, "GlobalMaxPooling2D", in, out, err);
}

static const char *const aliases[] = { "GlobalMaxPool2D", NULL };
const struct layer_class strata_layer_global_max_pooling2d = {
    .class = { .name = "GlobalMaxPooling2D",
               .config_size = sizeof(struct global_pool_config),
               .fields = fields,
               .aliases = aliases,
               .check = strata_global_pool_check,
               .help = "the maximum over all rows and columns" },
    .shape = shape,
    .forward = strata_global_max_forward,
    .backward = strata_global_max_backward,
    .halves = strata_halves_always,
    .needs_x = true,
    .needs_y = true,
};
