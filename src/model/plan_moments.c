/* Moments of a normalization's input by the layer that makes it, as it stores it: else it would be read once more, for them alone. */
#include "model/plan_priv.h"

bool strata_plan_takes_moments(const struct flat *flat)
{
    return flat->kind == FLAT_LAYER && flat->training && !flat->view && flat->layer->class->takes_moments
        && flat->layer->class->takes_moments(flat->layer->config, flat->in);
}

/* The node whose forward stores what this one reads; MODEL_INPUT: none. */
static int maker_of(const struct plan *plan, int node)
{
    int at = plan->flat.items[node].inputs[0];
    while (at != MODEL_INPUT && plan->flat.items[at].fused) at = plan->flat.items[at].inputs[0];
    return at;
}

static size_t slices_of(const struct plan *plan, int node, int maker)
{
    const struct flat *made = &plan->flat.items[maker], *reads = &plan->flat.items[node];
    const struct layer_class *class = made->kind == FLAT_LAYER ? made->layer->class : NULL;
    return class && class->gives_moments && !made->view && !made->passed && !made->pooling && !made->moments
                   && made->storage == STORAGE_FLOAT32 && reads->storage == STORAGE_FLOAT32
               ? class->gives_moments(made->layer->config, plan->params->device, plan->config.strict, plan->config.n, made->in)
               : 0;
}

/* Where grains run one by one each has moments of its own. */
void strata_plan_place_moments(struct plan *plan)
{
    for (int i = 0; plan->config.grain == 0 && i < (int)plan->flat.count; i++) {
        struct flat *flat = &plan->flat.items[i];
        const int maker = strata_plan_takes_moments(flat) ? maker_of(plan, i) : MODEL_INPUT;
        if (maker == MODEL_INPUT)
            continue;
        flat->slices = slices_of(plan, i, maker);
        if (flat->slices > 0)
            plan->flat.items[maker].moments = flat->moments = i + 1;
    }
}

struct moments strata_plan_moments(const struct plan *plan, int node)
{
    const int reads = plan->flat.items[node].moments - 1;
    if (reads < 0)
        return (struct moments){ 0 };
    return (struct moments){ .part = { .buffer = plan->arena, .offset = plan_moments(plan, reads)->offset },
                             .slices = plan->flat.items[reads].slices };
}
