/* Tensors that a node cannot work on as they are kept: it gets copies for the time of one step, and what it makes is copied from
 * others. So a kernel that knows floats alone serves every policy: between steps everything is kept as the policy says. A layer whose
 * class has `halves`, and an elementwise activation, read and write what is kept; all that must be then is that it is kept alike.
 *
 * As in Keras a layer rounds its inputs and its weights to the type that its output is kept in; the sums of its weights' gradients, its
 * moving statistics and all arithmetic are floats. */
#include <assert.h>

#include "model/plan_priv.h"
#include "ops/map.h"

enum { ALIGNMENT = 16 };

static size_t rounded(size_t elements)
{
    return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static enum storage kept(const struct plan *plan, int node)
{
    return node == MODEL_INPUT ? STORAGE_FLOAT32 : plan->flat.items[node].storage;
}

/* How the node reads and writes tensors. */
static enum storage reads(const struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    bool halves = false;
    if (flat->storage == STORAGE_FLOAT32)
        return STORAGE_FLOAT32;
    if (flat->kind == FLAT_LAYER)
        halves = flat->layer->class->halves
              && flat->layer->class->halves(flat->layer->config, plan->params->device, plan->config.strict, flat->in);
    else if (flat->kind == FLAT_ACTIVATION)
        halves = strata_activation(flat->activation)->elementwise;
    return halves ? flat->storage : STORAGE_FLOAT32;
}

/* Whether input k of the node is copied before it is read: it is kept otherwise than the node reads it, or finer than the node
 * computes. */
static bool copies_input(const struct plan *plan, int node, int k)
{
    const struct flat *flat = &plan->flat.items[node];
    const enum storage from = kept(plan, flat->inputs[k]);
    if (flat->kind == FLAT_LAYER && flat->layer->class->integer_input)
        return false;
    return from != reads(plan, node) || (from == STORAGE_FLOAT32 && flat->storage != STORAGE_FLOAT32);
}

static bool copies_own(const struct plan *plan, int node)
{
    return plan->flat.items[node].storage != reads(plan, node);
}

/* A penalty makes nothing: its output is its input. */
static bool copies_output(const struct plan *plan, int node)
{
    return copies_own(plan, node) && plan->flat.items[node].kind != FLAT_PENALTY;
}

static bool copies_input_gradient(const struct plan *plan, int node, int k)
{
    const struct flat *flat = &plan->flat.items[node];
    return flat->inputs[k] != MODEL_INPUT && plan_goes_backward(plan, flat->inputs[k])
        && kept(plan, flat->inputs[k]) != reads(plan, node);
}

static bool rounds_weight(const struct flat *flat, int w)
{
    return flat->kind == FLAT_LAYER && flat->storage != STORAGE_FLOAT32 && w < flat->layer->weight_count
        && !flat->layer->weights[w].spec.statistic;
}

/* Whether the node computes something of tensors. */
static bool works(const struct plan *plan, int node, bool backward)
{
    const struct flat *flat = &plan->flat.items[node];
    switch (flat->kind) {
    case FLAT_CAST: return false;
    case FLAT_PENALTY: return true;
    case FLAT_LAYER: return !flat->view;
    case FLAT_ACTIVATION: break;
    }
    return backward ? !flat->moved && !(flat->fused && plan->flat.items[flat->inputs[0]].layer->class->fuses_gradient) : !flat->view;
}

/* ---- memory --------------------------------------------------------------------------------------------------------- */

/* Elements of the arena that so many numbers take. */
static size_t room(size_t count, enum storage storage)
{
    const size_t in_float = sizeof(float) / strata_storage_size(storage);
    return rounded((count + in_float - 1) / in_float);
}

static size_t size_of(const struct plan *plan, const struct shape *shape, enum storage storage)
{
    return room(plan->config.n * strata_shape_count(shape), storage);
}

static size_t weights_size(const struct flat *flat)
{
    size_t size = 0;
    for (int w = 0; w < STRATA_MAX_WEIGHTS; w++)
        if (rounds_weight(flat, w))
            size += rounded(strata_shape_count(&flat->layer->weights[w].spec.shape));
    return size;
}

size_t strata_plan_staged(const struct plan *plan, int node, bool backward)
{
    const struct flat *flat = &plan->flat.items[node];
    const enum storage as = reads(plan, node);
    size_t size = weights_size(flat);
    if (!works(plan, node, backward))
        return 0;
    for (int k = 0; k < flat->input_count; k++) {
        if (copies_input(plan, node, k) && (!backward || strata_plan_needs_x(flat)))
            size += size_of(plan, &flat->in[k], as);
        if (backward && copies_input_gradient(plan, node, k))
            size += size_of(plan, &flat->in[k], as);
    }
    if (backward ? copies_own(plan, node) : copies_output(plan, node))
        size += (1 + (backward && strata_plan_needs_y(flat))) * size_of(plan, &flat->out, as);
    return size;
}

/* ---- copies --------------------------------------------------------------------------------------------------------- */

/* The next free place, of the view's shape. */
static struct view take(const struct plan *plan, struct staging *staging, const struct view *view, enum storage storage)
{
    const size_t in_float = sizeof(float) / strata_storage_size(storage);
    const struct view copy = { .buffer = plan->arena, .offset = (staging->life->offset + staging->used) * in_float,
                               .shape = view->shape, .storage = storage };
    staging->used += room(strata_view_count(view), storage);
    assert(staging->used <= staging->life->elements);
    return copy;
}

static bool copy_in(const struct plan *plan, struct staging *staging, struct view *view, enum storage through, enum storage as,
                    strata_error *err)
{
    const struct view from = *view;
    *view = take(plan, staging, view, as);
    return strata_op_convert(plan->run, &from, through, view, err);
}

static bool copy_weights(const struct plan *plan, int node, struct staging *staging, struct step *s, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    for (int w = 0; w < STRATA_MAX_WEIGHTS; w++)
        if (rounds_weight(flat, w) && !copy_in(plan, staging, &s->w[w], flat->storage, STORAGE_FLOAT32, err))
            return false;
    return true;
}

static bool copy_inputs(const struct plan *plan, int node, struct staging *staging, struct step *s, struct view *xs,
                        strata_error *err)
{
    for (int k = 0; k < s->inputs; k++)
        if (copies_input(plan, node, k) && !copy_in(plan, staging, &xs[k], plan->flat.items[node].storage, reads(plan, node), err))
            return false;
    s->x = xs[0];
    return true;
}

bool strata_plan_stage_forward(const struct plan *plan, int node, struct staging *staging, struct step *s, struct view *xs,
                               strata_error *err)
{
    *staging = (struct staging){ .life = plan_staging(plan, node, false), .y = s->y };
    if (staging->life->elements == 0)
        return true;
    if (copies_output(plan, node))
        s->y = take(plan, staging, &s->y, reads(plan, node));
    return copy_weights(plan, node, staging, s, err) && copy_inputs(plan, node, staging, s, xs, err);
}

bool strata_plan_keep_forward(const struct plan *plan, const struct staging *staging, const struct step *s, strata_error *err)
{
    return s->y.storage == staging->y.storage || strata_op_convert(plan->run, &s->y, STORAGE_FLOAT32, &staging->y, err);
}

bool strata_plan_stage_backward(const struct plan *plan, int node, struct staging *staging, struct step *s, struct view *xs,
                                struct view *dxs, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    *staging = (struct staging){ .life = plan_staging(plan, node, true) };
    for (int k = 0; k < s->inputs; k++) {
        staging->dxs[k] = dxs[k];
        if (staging->life->elements > 0 && copies_input_gradient(plan, node, k))
            dxs[k] = take(plan, staging, &dxs[k], reads(plan, node));
    }
    s->dx = dxs[0];
    if (staging->life->elements == 0)
        return true;
    return copy_weights(plan, node, staging, s, err)
        && (!strata_plan_needs_x(flat) || copy_inputs(plan, node, staging, s, xs, err))
        && (!copies_own(plan, node)
            || (copy_in(plan, staging, &s->dy, STORAGE_FLOAT32, STORAGE_FLOAT32, err)
                && (!strata_plan_needs_y(flat) || copy_in(plan, staging, &s->y, STORAGE_FLOAT32, STORAGE_FLOAT32, err))));
}

/* A gradient on its way to floats is rounded as the cast rounds it that Keras makes there. */
bool strata_plan_keep_backward(const struct plan *plan, int node, const struct staging *staging, struct view *dxs,
                               strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    bool ok = true;
    for (int k = 0; ok && k < flat->input_count; k++) {
        const struct view made = dxs[k];
        dxs[k] = staging->dxs[k];
        if (dxs[k].buffer && dxs[k].storage != made.storage)
            ok = strata_op_convert(plan->run, &made, flat->storage, &dxs[k], err);
    }
    return ok;
}

/* ---- the loss ------------------------------------------------------------------------------------------------------- */

size_t strata_plan_staged_loss(const struct plan *plan)
{
    const bool half = plan->config.emit_loss && plan->at != MODEL_INPUT && kept(plan, plan->at) != STORAGE_FLOAT32;
    return half ? 2 * size_of(plan, &plan->flat.items[plan->at].out, STORAGE_FLOAT32) : 0;
}

bool strata_plan_stage_loss(const struct plan *plan, struct staging *staging, struct plan_loss *loss, strata_error *err)
{
    *staging = (struct staging){ .life = plan_loss_staging(plan), .y = loss->d };
    if (staging->life->elements == 0)
        return true;
    if (loss->d.buffer)
        loss->d = take(plan, staging, &loss->d, STORAGE_FLOAT32);
    return copy_in(plan, staging, &loss->at, STORAGE_FLOAT32, STORAGE_FLOAT32, err);
}

bool strata_plan_keep_loss(const struct plan *plan, const struct staging *staging, const struct plan_loss *loss, strata_error *err)
{
    return !loss->d.buffer || loss->d.storage == staging->y.storage
        || strata_op_convert(plan->run, &loss->d, STORAGE_FLOAT32, &staging->y, err);
}
