/* Identity: its output is its input. */
#include "layers/layer.h"

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    (void)config;
    (void)err;
    *out = *in;
    return true;
}

const struct layer_class strata_layer_identity = {
    .class = { .name = "Identity", .help = "its output is its input" },
    .shape = shape,
    .view = true,
};
