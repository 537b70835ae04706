/* Maximum: the largest of the inputs. */
#include "layers/merging.h"

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return strata_merge_forward(MERGE_MAXIMUM, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    for (int k = 0; k < s->inputs; k++)
        if (!strata_merge_choose(s, k, err)) return false;
    return true;
}

const struct layer_class strata_layer_maximum = {
    .class = { .name = "Maximum", .help = "the largest of the inputs" },
    .shape = strata_merge_shape,
    .forward = forward,
    .backward = backward,
    .merges = true,
    .needs_x = true,
    .needs_y = true,
    .work = strata_merge_work,
};
