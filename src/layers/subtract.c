/* Subtract: the first input less the second. */
#include "layers/merging.h"

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    if (strata_merge_inputs(in) != 2)
        return strata_fail(err, STRATA_ESHAPE, "there are %d inputs; Subtract needs 2",
                           strata_merge_inputs(in));
    return strata_merge_shape(config, in, out, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return strata_merge_forward(MERGE_SUBTRACT, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    for (int k = 0; k < s->inputs; k++)
        if (!strata_merge_pass(s, k, k ? -1 : 1, err)) return false;
    return true;
}

const struct layer_class strata_layer_subtract = {
    .class = { .name = "Subtract", .help = "the first input less the second" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .merges = true,
};
