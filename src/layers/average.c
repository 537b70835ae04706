/* Average: the mean of the inputs. */
#include "layers/merging.h"
#include "ops/map.h"

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return strata_merge_forward(MERGE_ADD, s, err)
           && strata_op_affine(s->run, &s->y, 1.0 / s->inputs, 0, &s->y, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    for (int k = 0; k < s->inputs; k++)
        if (!strata_merge_pass(s, k, 1.0 / s->inputs, err)) return false;
    return true;
}

const struct layer_class strata_layer_average = {
    .class = { .name = "Average", .help = "the mean of the inputs" },
    .shape = strata_merge_shape,
    .forward = forward,
    .backward = backward,
    .merges = true,
};
