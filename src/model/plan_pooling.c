/* Pooling by the layer before it: a layer that can gives maxima over windows of its output as it computes that, and takes the gradient of
 * those as that of its output. So neither the output, as a rule four times the size of what is pooled, nor its gradient is ever written
 * or read. Nobody else may want to see either: the activation in between is applied on the way, and its gradient is computed on what was
 * picked (plan_gradients.c), or not at all. */
#include "model/plan_priv.h"

static bool is_seen(const struct plan *plan, int node)
{
    return plan->flat.items[node].consumers != 1 || node == plan->flat.output || node == plan->at;
}

/* The node that makes what this one reads, with what is fused into it in between; MODEL_INPUT: none, or others see that too. */
static int maker_of(const struct plan *plan, int node)
{
    int at = plan->flat.items[node].inputs[0];
    while (at != MODEL_INPUT && !is_seen(plan, at) && plan->flat.items[at].fused) at = plan->flat.items[at].inputs[0];
    return at == MODEL_INPUT || is_seen(plan, at) ? MODEL_INPUT : at;
}

/* Whether the gradient of what the maker gives is that of its sums, or will have become that before it is needed. */
static bool is_gradient_of_sums(const struct plan *plan, const struct flat *pooling, const struct flat *maker)
{
    return !plan_goes_backward(plan, pooling->inputs[0]) || pooling->picks || maker->activation == ACTIVATION_LINEAR;
}

static bool can_pool(const struct plan *plan, int node, int maker)
{
    const struct flat *pooling = &plan->flat.items[node], *made = &plan->flat.items[maker];
    const struct layer_class *class = made->kind == FLAT_LAYER ? made->layer->class : NULL;
    struct pooled pooled;
    return class && class->pools && !made->view && !made->passed && !strata_plan_is_cut(plan, maker)
        && made->storage == STORAGE_FLOAT32 && pooling->storage == STORAGE_FLOAT32
        && is_gradient_of_sums(plan, pooling, made) && pooling->layer->class->maxima(pooling->layer->config, pooling->in, &pooled)
        && class->pools(made->layer->config, plan->params->device, plan->config.strict, made->in, &pooled);
}

void strata_plan_place_pooling(struct plan *plan)
{
    for (int i = 0; i < (int)plan->flat.count; i++) {
        struct flat *flat = &plan->flat.items[i];
        const bool pools = flat->kind == FLAT_LAYER && !flat->view && flat->layer->class->maxima && flat->input_count == 1;
        const int maker = pools ? maker_of(plan, i) : MODEL_INPUT;
        if (maker == MODEL_INPUT || !can_pool(plan, i, maker))
            continue;
        for (int at = flat->inputs[0]; at != maker; at = plan->flat.items[at].inputs[0]) plan->flat.items[at].pooling = i + 1;
        plan->flat.items[maker].pooling = i + 1;
        flat->view = true;
    }
}

const struct shape *strata_plan_kept_shape(const struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    return flat->pooling ? &plan->flat.items[flat->pooling - 1].out : &flat->out;
}

struct pooled strata_plan_pooled(const struct plan *plan, int node)
{
    const int pooling = plan->flat.items[node].pooling - 1;
    struct pooled pooled = { 0 };
    if (pooling < 0)
        return pooled;
    const struct flat *flat = &plan->flat.items[pooling];
    const struct lifetime *keep = plan_life(plan, LIFE_KEEP, pooling);
    (void)flat->layer->class->maxima(flat->layer->config, flat->in, &pooled);
    if (keep->elements > 0)
        pooled.index = (struct view){ .buffer = plan->arena, .offset = keep->offset };
    return pooled;
}
