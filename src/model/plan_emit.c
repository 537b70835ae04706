/* Walking the flat list: forward, loss, backward, each step put into the plan's run. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "layers/regularizer.h"
#include "model/plan_priv.h"
#include "ops/input.h"
#include "ops/map.h"

static void label(const struct plan *plan, const struct flat *flat, const char *what)
{
    char text[160];
    snprintf(text, sizeof text, "%.120s %s", strata_layer_name(flat->layer), what);
    strata_run_label(plan->run, text);
}

static struct view penalty_view(const struct plan *plan)
{
    return (struct view){ .buffer = plan->penalty, .shape = { .rank = 1, .dim = { 1 } } };
}

static struct view life_view(const struct plan *plan, const struct lifetime *life)
{
    if (life->elements == 0)
        return (struct view){ 0 };
    return (struct view){ .buffer = plan->arena, .offset = life->offset, .shape = { .rank = 1, .dim = { life->elements } } };
}

static bool is_frozen(const strata_layer *layer)
{
    return !strata_layer_effective_trainable(layer, true);
}

static void view_weights(const struct plan *plan, const strata_layer *layer, struct step *s)
{
    for (int w = 0; w < layer->weight_count; w++)
        s->w[w] = (struct view){ .buffer = plan->params->weights, .offset = layer->weights[w].offset,
                                 .shape = layer->weights[w].spec.shape,
                                 .constant = is_frozen(layer) && !layer->weights[w].spec.statistic };
}

/* The views of a step but those of gradients. xs has room for the inputs. */
static struct step base_step(const struct plan *plan, int node, struct view *xs)
{
    const struct flat *flat = &plan->flat.items[node];
    struct step s = { .run = plan->run, .xs = xs, .inputs = flat->input_count, .fused = flat->activation, .rim = flat->rim,
                      .pooled = strata_plan_pooled(plan, node),
                      .training = flat->training, .grain = plan->config.grain, .stream = flat->stream,
                      .exchange = flat->training ? plan->config.exchange : NULL,
                      .step_words = flat->training ? plan->step_words : NULL };
    for (int k = 0; k < flat->input_count; k++)
        xs[k] = strata_plan_value(plan, flat->inputs[k]);
    s.x = xs[0];
    s.y = strata_plan_value(plan, node);
    s.keep = life_view(plan, plan_life(plan, LIFE_KEEP, node));
    s.work = life_view(plan, plan_work(plan, node, false));
    if (flat->kind == FLAT_LAYER)
        view_weights(plan, flat->layer, &s);
    return s;
}

static struct view bias_of(const strata_layer *layer, const struct step *s)
{
    for (int w = 0; w < layer->weight_count; w++)
        if (strcmp(layer->weights[w].spec.name, "bias") == 0)
            return s->w[w];
    return (struct view){ 0 };
}

/* What the node multiplies by and adds for a layer behind it. */
static bool emit_affine(const struct plan *plan, int node, struct step *s, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    if (!flat->affine)
        return true;
    struct step other = { .run = plan->run, .x = s->y };
    const struct view bias = bias_of(flat->layer, s);
    const bool constant = is_frozen(flat->layer) && is_frozen(flat->affine);
    const size_t count = 2 * flat->out.dim[flat->out.rank - 1];
    view_weights(plan, flat->affine, &other);
    s->affine = constant ? (struct view){ .shape = { .rank = 1, .dim = { count } } } : life_view(plan, plan_affine(plan, node));
    if (constant && !strata_run_keep(plan->run, count * sizeof(float), &s->affine.buffer, err))
        return false;
    strata_run_once(plan->run, constant);
    const bool ok = flat->affine->class->affine(flat->affine->config, &other, &bias, &s->affine, err);
    strata_run_once(plan->run, false);
    return ok;
}

/* ---- weights on their way ---- */

struct passage {
    const struct plan_gate *gate;
    size_t bucket;
};

static bool pass_gate(const void *context, void *queue, strata_error *err)
{
    const struct passage *passage = context;
    (void)queue;
    return passage->gate->pass(passage->gate->context, passage->bucket, err);
}

static bool has_weights_in(const strata_layer *layer, const struct bucket *bucket)
{
    for (int w = 0; w < layer->weight_count; w++)
        if (layer->weights[w].offset >= bucket->begin && layer->weights[w].offset < bucket->end)
            return true;
    return false;
}

static bool emit_gates(const struct plan *plan, const strata_layer *layer, strata_error *err)
{
    const struct params *params = plan->params;
    for (size_t b = 0; plan->config.gate && plan->config.backward && b < params->bucket_count; b++) {
        const struct passage passage = { plan->config.gate, b };
        if (plan->passed[b] || !has_weights_in(layer, &params->buckets[b]))
            continue;
        plan->passed[b] = true;
        if (!strata_run_call(plan->run, pass_gate, &passage, sizeof passage, err))
            return false;
    }
    return true;
}

/* ---- a node ---- */

static bool forward(const struct plan *plan, int node, struct step *s, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    const struct view penalty = penalty_view(plan), none = { 0 };
    switch (flat->kind) {
    case FLAT_LAYER:
        return emit_affine(plan, node, s, err)
            && (strata_plan_is_cut(plan, node) ? strata_plan_cut_forward(plan, node, s, err)
                                               : flat->layer->class->forward(flat->layer->config, s, err));
    case FLAT_ACTIVATION:
        return strata_op_activation(plan->run, flat->activation, &s->x, &s->y, err);
    case FLAT_CAST:
        return strata_op_convert(plan->run, &s->x, STORAGE_FLOAT32, &s->y, err);
    case FLAT_PENALTY:
        break;
    }
    const struct regularizer_class *class = (const void *)flat->regularizer->class;
    return class->apply(flat->regularizer->config, plan->run, &s->x, 1.0 / (double)plan->config.global_n, &penalty, &none, err);
}

static bool emit_forward(const struct plan *plan, int node, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    struct view xs[STRATA_MAX_INPUTS];
    if (flat->view && flat->kind != FLAT_PENALTY)
        return true;
    label(plan, flat, "forward");
    if (flat->kind == FLAT_LAYER && !emit_gates(plan, flat->layer, err))
        return false;
    struct step s = base_step(plan, node, xs);
    struct staging staging;
    s.moments = strata_plan_moments(plan, node);
    return strata_plan_stage_forward(plan, node, &staging, &s, xs, err) && forward(plan, node, &s, err)
        && strata_plan_keep_forward(plan, &staging, &s, err);
}

/* Where node writes its part of the gradient of its input k: the gradient itself for the first writer, else a piece of
 * the node's temporary that is added afterwards. */
static struct view target(struct plan *plan, int node, int k, size_t *temporary)
{
    const int input = plan->flat.items[node].inputs[k];
    struct view gradient = strata_plan_gradient(plan, input);
    if (gradient.buffer && plan->contributions[input]++ > 0) {
        const size_t in_float = sizeof(float) / strata_storage_size(gradient.storage);
        gradient.offset = (plan_temporary(plan, node)->offset + *temporary) * in_float;
        *temporary += ((strata_view_count(&gradient) + in_float - 1) / in_float + 15) / 16 * 16;
    }
    return gradient;
}

static bool add_parts(const struct plan *plan, int node, const struct view *dxs, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    for (int k = 0; k < flat->input_count; k++) {
        const struct view whole = strata_plan_gradient(plan, flat->inputs[k]);
        if (whole.buffer && whole.offset != dxs[k].offset && !strata_op_add(plan->run, &whole, &dxs[k], &whole, err))
            return false;
    }
    return true;
}

static bool copy_through(const struct plan *plan, const struct view *dy, const struct view *dx, strata_error *err)
{
    if (!dx->buffer || dx->offset == dy->offset)
        return true;
    return strata_op_copy(plan->run, dy, dx, err);
}

/* Where the squares of the gradient of the weight at this offset go; 0: nowhere. */
static size_t squares_of(const struct params *params, size_t offset)
{
    for (size_t i = 0; i < params->trainable_params; i++)
        if (params->list[i].offset == offset)
            return params->list[i].squares;
    return 0;
}

static bool backward_layer(const struct plan *plan, int node, struct step *s, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    if (flat->picks && !strata_plan_activation_gradient(plan, flat->inputs[0], &s->y, &s->dy, &s->dy, err))
        return false;
    if (flat->view)
        return copy_through(plan, &s->dy, &s->dx, err);
    for (int w = 0; w < flat->layer->weight_count; w++) {
        const size_t offset = flat->layer->weights[w].offset, squares = squares_of(plan->params, offset);
        const bool summed = flat->bias_summed && strcmp(flat->layer->weights[w].spec.name, "bias") == 0;
        if (summed || flat->layer->weights[w].spec.statistic || !strata_layer_effective_trainable(flat->layer, true))
            continue;
        s->dw[w] = (struct view){ .buffer = plan->params->gradients, .offset = offset, .shape = s->w[w].shape };
        if (squares)
            s->dw_squares = (struct view){ .buffer = plan->params->gradients, .offset = squares, .shape = s->w[w].shape };
    }
    return strata_plan_bias_gradient(plan, flat, err)
        && (strata_plan_is_cut(plan, node) ? strata_plan_cut_backward(plan, node, s, err)
                                           : flat->layer->class->backward(flat->layer->config, s, err));
}

static bool backward_penalty(const struct plan *plan, const struct flat *flat, const struct step *s, strata_error *err)
{
    const struct regularizer_class *class = (const void *)flat->regularizer->class;
    const struct view none = { 0 };
    return !s->dx.buffer
        || (copy_through(plan, &s->dy, &s->dx, err)
            && class->apply(flat->regularizer->config, plan->run, &s->x, 1.0 / (double)plan->config.global_n, &none, &s->dx, err));
}

static bool backward(const struct plan *plan, int node, struct step *s, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    switch (flat->kind) {
    case FLAT_LAYER:
        return backward_layer(plan, node, s, err);
    case FLAT_PENALTY:
        return backward_penalty(plan, flat, s, err);
    case FLAT_CAST:
        return !s->dx.buffer || strata_op_convert(plan->run, &s->dy, STORAGE_FLOAT32, &s->dx, err);
    case FLAT_ACTIVATION:
        break;
    }
    if (flat->moved || (flat->fused && plan->flat.items[flat->inputs[0]].layer->class->fuses_gradient))
        return copy_through(plan, &s->dy, &s->dx, err);
    return !s->dx.buffer
        || strata_plan_activation_gradient(plan, node, strata_activation(flat->activation)->needs_x ? &s->x : &s->y, &s->dy, &s->dx,
                                           err);
}

static bool emit_backward(struct plan *plan, int node, strata_error *err)
{
    struct view xs[STRATA_MAX_INPUTS], dxs[STRATA_MAX_INPUTS];
    struct step s = base_step(plan, node, xs);
    size_t temporary = 0;
    label(plan, &plan->flat.items[node], "backward");
    for (int k = 0; k < s.inputs; k++)
        dxs[k] = target(plan, node, k, &temporary);
    s.work = life_view(plan, plan_work(plan, node, true));
    s.dy = strata_plan_gradient(plan, node);
    s.dxs = dxs;
    if (plan->flat.items[node].moved)
        s.fused = ACTIVATION_LINEAR;
    struct staging staging;
    return strata_plan_stage_backward(plan, node, &staging, &s, xs, dxs, err) && backward(plan, node, &s, err)
        && strata_plan_keep_backward(plan, node, &staging, dxs, err) && add_parts(plan, node, dxs, err);
}

/* The earliest node with a weight in the bucket: when its backward is done, so is the bucket. */
static int last_writer(const struct plan *plan, const struct bucket *bucket)
{
    int earliest = plan->at;
    for (int i = plan->at; i >= 0; i--) {
        const struct flat *flat = &plan->flat.items[i];
        if (flat->kind == FLAT_LAYER && has_weights_in(flat->layer, bucket))
            earliest = i;
    }
    return earliest;
}

static bool mark_buckets(const struct plan *plan, int node, strata_error *err)
{
    for (size_t b = 0; plan->recording && b < plan->params->bucket_count; b++)
        if (last_writer(plan, &plan->params->buckets[b]) == node && !strata_run_mark(plan->run, &plan->marks[b], err))
            return false;
    return true;
}

static bool emit_loss(const struct plan *plan, strata_error *err)
{
    if (!plan->config.emit_loss)
        return true;
    struct staging staging;
    struct plan_loss loss = { .y_pred = strata_plan_value(plan, plan->flat.output), .at = strata_plan_value(plan, plan->at),
                                    .d = strata_plan_gradient(plan, plan->at), .step_words = plan->step_words };
    strata_run_label(plan->run, "loss");
    return strata_plan_stage_loss(plan, &staging, &loss, err)
        && plan->config.emit_loss(plan->config.context, plan->run, &loss, err)
        && strata_plan_keep_loss(plan, &staging, &loss, err);
}

bool strata_plan_emit(struct plan *plan, strata_error *err)
{
    const int count = (int)plan->flat.count;
    bool ok = true;
    for (size_t b = 0; b < plan->params->bucket_count; b++) plan->passed[b] = false;
    if (plan->convert) {
        const struct view y = strata_plan_value(plan, MODEL_INPUT);
        strata_run_label(plan->run, "input");
        ok = strata_op_input(plan->run, plan->input, plan->config.input, plan->config.input_scale, plan->integer, &y, err);
    }
    if (ok && plan->penalty)
        ok = strata_run_zero(plan->run, plan->penalty, 0, sizeof(float), err);
    for (int i = 0; ok && i < count; i++) {
        plan->contributions[i] = 0;
        ok = emit_forward(plan, i, err) || strata_fail_in(err, "%s", strata_layer_name(plan->flat.items[i].layer));
    }
    ok = ok && emit_loss(plan, err);
    for (int i = count - 1; ok && i >= 0; i--)
        if (plan_goes_backward(plan, i))
            ok = (emit_backward(plan, i, err) || strata_fail_in(err, "%s", strata_layer_name(plan->flat.items[i].layer)))
              && mark_buckets(plan, i, err);
    return ok;
}
