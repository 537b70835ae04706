/* Multiply: the product of the inputs. */
#include "layers/merging.h"
#include "ops/map.h"

/* dy times the product of the other inputs. */
static bool gradient(const struct step *s, int k, strata_error *err)
{
    const struct view none = { 0 }, weight = strata_view_as(&s->work, s->dy.shape);
    const struct view dx = strata_merge_gradient(s, k);
    if (!dx.buffer) return true;
    bool ok = strata_op_zero(s->run, &weight, err) && strata_op_affine(s->run, &weight, 0, 1, &weight, err);
    for (int j = 0; ok && j < s->inputs; j++) {
        const struct view other = strata_merge_input(s, j);
        ok = j == k || strata_op_merge(s->run, MERGE_MULTIPLY, &other, &none, &weight, err);
    }
    return ok && strata_op_merge_gradient(s->run, &s->dy, &weight, 1, &dx, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return strata_merge_forward(MERGE_MULTIPLY, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    for (int k = 0; k < s->inputs; k++)
        if (!gradient(s, k, err)) return false;
    return true;
}

const struct layer_class strata_layer_multiply = {
    .class = { .name = "Multiply", .help = "the product of the inputs" },
    .shape = strata_merge_shape,
    .forward = forward,
    .backward = backward,
    .merges = true,
    .needs_x = true,
    .work = strata_merge_work,
};
