/* Gradients of activations, which in themselves are passes over tensors as large as the model's largest: where they are computed, and what
 * is summed in the same pass.
 *
 * A layer that picks (MaxPooling) gives elements of what an activation gave. Where the activation's gradient is told from what it gave,
 * it can be multiplied to the gradient of what was picked, before that goes back to where it was picked from: all else is 0 either way,
 * and a maximum that several windows found gets the same factor from each. That is a pass over the picked elements alone, and what the
 * activation gave need not be kept.
 *
 * The gradient of a bias that was added right before the activation is the sum of what this pass makes: also where that is
 * of picked elements, for sums over rows don't ask where in a sample they lie. That of one right before a normalization by the batch's
 * statistics is 0: the mean takes the bias along. */
#include <string.h>

#include "model/plan_priv.h"

static struct flat *input_of(const struct plan *plan, const struct flat *flat)
{
    return flat->input_count == 1 && flat->inputs[0] != MODEL_INPUT ? &plan->flat.items[flat->inputs[0]] : NULL;
}

static void move(const struct plan *plan, struct flat *flat)
{
    struct flat *before = input_of(plan, flat), *maker = before ? input_of(plan, before) : NULL;
    if (!maker || flat->kind != FLAT_LAYER || !flat->layer->class->picks || before->kind != FLAT_ACTIVATION || before->consumers != 1
        || !strata_activation(before->activation)->elementwise || strata_activation(before->activation)->needs_x
        || before->storage != flat->storage || maker->storage != flat->storage || !plan_goes_backward(plan, flat->inputs[0]))
        return;
    flat->picks = before->moved = true;
    if (before->fused)
        maker->moved = true;
}

/* The activation's input, if that is a layer whose bias's gradient is what the activation's adds up to. */
static bool adds_bias(const struct plan *plan, int activation)
{
    const struct flat *flat = &plan->flat.items[activation], *before = input_of(plan, flat);
    return before && before->kind == FLAT_LAYER && before->layer->class->adds_bias && before->consumers == 1
        && before->storage == flat->storage && strata_layer_effective_trainable(before->layer, true)
        && strata_activation(flat->activation)->elementwise && !strata_plan_is_cut(plan, flat->inputs[0]);
}

static bool loses_bias(const struct plan *plan, int normalization)
{
    const struct flat *flat = &plan->flat.items[normalization], *before = input_of(plan, flat);
    return strata_plan_takes_moments(flat) && before && before->kind == FLAT_LAYER && before->layer->class->adds_bias && before->consumers == 1
        && strata_layer_effective_trainable(before->layer, true) && !strata_plan_is_cut(plan, flat->inputs[0]);
}

void strata_plan_place_gradients(struct plan *plan)
{
    for (int i = 0; i < (int)plan->flat.count; i++) {
        struct flat *flat = &plan->flat.items[i];
        if (!plan_goes_backward(plan, i))
            continue;
        move(plan, flat);
        if (flat->kind == FLAT_ACTIVATION && adds_bias(plan, i))
            plan->flat.items[flat->inputs[0]].bias_summed = true;
        if (loses_bias(plan, i))
            plan->flat.items[flat->inputs[0]].bias_summed = plan->flat.items[flat->inputs[0]].bias_lost = true;
    }
}

/* Where the bias's gradient goes; no buffer: the layer has no bias. */
static struct view bias_gradient(const struct plan *plan, const strata_layer *layer)
{
    for (int w = 0; w < layer->weight_count; w++)
        if (strcmp(layer->weights[w].spec.name, "bias") == 0)
            return (struct view){ .buffer = plan->params->gradients, .offset = layer->weights[w].offset,
                                  .shape = layer->weights[w].spec.shape };
    return (struct view){ 0 };
}

bool strata_plan_bias_gradient(const struct plan *plan, const struct flat *flat, strata_error *err)
{
    const struct view bias = flat->bias_lost ? bias_gradient(plan, flat->layer) : (struct view){ 0 };
    return !bias.buffer
        || strata_run_zero(plan->run, bias.buffer, bias.offset * sizeof(float), strata_view_count(&bias) * sizeof(float), err);
}

bool strata_plan_activation_gradient(const struct plan *plan, int node, const struct view *value, const struct view *dy,
                                     const struct view *dx, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node], *before = input_of(plan, flat);
    struct view bias = { 0 };
    if (before && before->bias_summed)
        bias = bias_gradient(plan, before->layer);
    if (!bias.buffer)
        return strata_op_activation_gradient(plan->run, flat->activation, value, dy, dx, err);
    const size_t each = plan->config.grain * (strata_view_rows(dy) / plan->config.n);
    return strata_op_activation_gradient_sums(plan->run, flat->activation, value, dy, dx, each, &bias, err);
}
