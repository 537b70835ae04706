/* Grains one by one: a layer that sums over samples, and does not divide the sums itself, runs once for each grain, and what
 * comes of it is added in the order of their tree (cl/grains.h). */
#include <assert.h>

#include "layers/layer.h"
#include "model/plan_priv.h"
#include "ops/conv2d.h"
#include "ops/gemm.h"
#include "ops/map.h"

enum { ALIGNMENT = 16 };

static size_t rounded(size_t elements)
{
    return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- which ---------------------------------------------------------------------------------------------------------- */

static bool has_no_penalty(void *context, strata_layer *layer, strata_error *err)
{
    (void)context;
    (void)err;
    return !strata_lower_penalty(layer);
}

bool strata_plan_takes_grains(strata_model *model, struct device *device)
{
    strata_error none = { 0 };
    return strata_op_gemm_grains(device) && strata_op_conv2d_alike(device) && strata_model_walk(model, has_no_penalty, NULL, &none);
}

static bool moves_statistics(const struct flat *flat)
{
    for (int w = 0; flat->training && w < flat->layer->weight_count; w++)
        if (flat->layer->weights[w].spec.statistic)
            return true;
    return false;
}

static bool trains(const struct plan *plan, int node)
{
    const strata_layer *layer = plan->flat.items[node].layer;
    bool weights = false;
    for (int w = 0; w < layer->weight_count; w++)
        weights = weights || !layer->weights[w].spec.statistic;
    return weights && plan_goes_backward(plan, node) && strata_layer_effective_trainable(layer, true);
}

bool strata_plan_is_cut(const struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    if (plan->config.grain == 0 || flat->kind != FLAT_LAYER || flat->view || (!moves_statistics(flat) && !trains(plan, node)))
        return false;
    const struct layer_class *class = flat->layer->class;
    return !class->sums_grains
        || !class->sums_grains(flat->layer->config, plan->params->device, plan->config.strict, flat->in);
}

/* ---- memory --------------------------------------------------------------------------------------------------------- */

size_t strata_plan_kept(const struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    return rounded(flat->layer->class->keep(flat->layer->config, plan->config.grain, flat->in, &flat->out));
}

/* Sums that wait on the stack of so many grains, but for the lowest, whose place is where the gradient goes. */
static size_t waiting(size_t grains)
{
    size_t places = 0;
    while (grains > 1 && (grains - 1) >> places > 0)
        places++;
    return places;
}

static size_t weights_size(const strata_layer *layer)
{
    size_t size = 0;
    for (int w = 0; w < layer->weight_count; w++)
        size += rounded(strata_shape_count(&layer->weights[w].spec.shape)) * (layer->weights[w].spec.squares ? 2 : 1);
    return size;
}

size_t strata_plan_summed(const struct plan *plan, int node)
{
    return trains(plan, node) ? waiting(plan_grains(plan)) * weights_size(plan->flat.items[node].layer) : 0;
}

size_t strata_plan_statistic_count(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->params->count; i++)
        count += plan->params->list[i].statistic ? plan->params->list[i].count : 0;
    return count;
}

/* ---- views of a grain ------------------------------------------------------------------------------------------------- */

static struct view part_of(const struct plan *plan, const struct view *view, size_t grain)
{
    struct view part = *view;
    const size_t first = grain * plan->config.grain, left = plan->config.n - first;
    if (!view->buffer)
        return part;
    part.offset += first * (strata_view_count(view) / plan->config.n);
    part.shape.dim[0] = left < plan->config.grain ? left : plan->config.grain;
    return part;
}

static struct step step_of(const struct plan *plan, int node, const struct step *whole, size_t grain)
{
    struct step s = *whole;
    s.x = part_of(plan, &whole->x, grain);
    s.y = part_of(plan, &whole->y, grain);
    s.dx = part_of(plan, &whole->dx, grain);
    s.dy = part_of(plan, &whole->dy, grain);
    if (s.keep.buffer) {
        s.keep.shape.dim[0] = strata_plan_kept(plan, node);
        s.keep.offset += grain * s.keep.shape.dim[0];
    }
    return s;
}

/* ---- forward ---------------------------------------------------------------------------------------------------------- */

enum direction { FROM_WEIGHTS, TO_WEIGHTS };

/* The layer's moving statistics, between the weights and a row of the plan's. */
static bool copy_statistics(const struct plan *plan, const strata_layer *layer, enum direction way, size_t row, strata_error *err)
{
    const size_t size = sizeof(float);
    size_t at = row * strata_plan_statistic_count(plan);
    bool ok = true;
    for (size_t i = 0; ok && i < plan->params->count; i++) {
        const struct param *param = &plan->params->list[i];
        if (!param->statistic)
            continue;
        if (param->layer == layer && way == FROM_WEIGHTS)
            ok = strata_run_copy(plan->run, plan->params->weights, param->offset * size, plan->statistics, at * size,
                                 param->count * size, err);
        else if (param->layer == layer)
            ok = strata_run_copy(plan->run, plan->statistics, at * size, plan->params->weights, param->offset * size,
                                 param->count * size, err);
        at += param->count;
    }
    return ok;
}

bool strata_plan_cut_forward(const struct plan *plan, int node, const struct step *whole, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    const size_t grains = plan_grains(plan);
    const bool moves = moves_statistics(flat);
    bool ok = !moves || copy_statistics(plan, flat->layer, FROM_WEIGHTS, grains, err);
    if (!moves && !whole->keep.buffer)
        return flat->layer->class->forward(flat->layer->config, whole, err);
    for (size_t g = 0; ok && g < grains; g++) {
        struct step s = step_of(plan, node, whole, g);
        s.xs = &s.x;
        ok = flat->layer->class->forward(flat->layer->config, &s, err)
          && (!moves
              || (copy_statistics(plan, flat->layer, FROM_WEIGHTS, g, err)
                  && copy_statistics(plan, flat->layer, TO_WEIGHTS, grains, err)));
    }
    return ok;
}

/* ---- backward --------------------------------------------------------------------------------------------------------- */

/* Moves the gradients of the step's weights to a place of the stack. */
static void put_on_stack(const struct plan *plan, int node, struct step *s, size_t place)
{
    const strata_layer *layer = plan->flat.items[node].layer;
    size_t at = plan_sums(plan, node)->offset + (place - 1) * weights_size(layer);
    for (int w = 0; place > 0 && w < layer->weight_count; w++) {
        const size_t size = rounded(strata_shape_count(&layer->weights[w].spec.shape));
        if (s->dw[w].buffer)
            s->dw[w] = (struct view){ .buffer = plan->arena, .offset = at, .shape = s->dw[w].shape };
        at += size;
        if (!layer->weights[w].spec.squares)
            continue;
        if (s->dw_squares.buffer)
            s->dw_squares = (struct view){ .buffer = plan->arena, .offset = at, .shape = s->dw_squares.shape };
        at += size;
    }
}

/* The top of the stack is added to what lies under it. */
static bool add_top(const struct plan *plan, int node, const struct step *whole, size_t top, strata_error *err)
{
    struct step upper = *whole, lower = *whole;
    put_on_stack(plan, node, &upper, top);
    put_on_stack(plan, node, &lower, top - 1);
    bool ok = !whole->dw_squares.buffer
           || strata_op_add(plan->run, &lower.dw_squares, &upper.dw_squares, &lower.dw_squares, err);
    for (int w = 0; ok && w < STRATA_MAX_WEIGHTS; w++)
        if (whole->dw[w].buffer)
            ok = strata_op_add(plan->run, &lower.dw[w], &upper.dw[w], &lower.dw[w], err);
    return ok;
}

bool strata_plan_cut_backward(const struct plan *plan, int node, const struct step *whole, strata_error *err)
{
    const struct flat *flat = &plan->flat.items[node];
    const bool apart = !whole->keep.buffer && !moves_statistics(flat); /* what goes back to a sample comes from it alone */
    size_t top = 0; /* sums on the stack */
    bool ok = true;
    assert(whole->inputs == 1);
    for (size_t g = 0; ok && g < plan_grains(plan); g++) {
        struct step s = step_of(plan, node, whole, g);
        s.xs = &s.x;
        s.dxs = &s.dx;
        if (apart) s.dx.buffer = NULL;
        put_on_stack(plan, node, &s, top++);
        ok = flat->layer->class->backward(flat->layer->config, &s, err);
        for (size_t k = g; ok && k % 2 == 1; k /= 2)
            ok = add_top(plan, node, whole, --top, err);
    }
    while (ok && top > 1)
        ok = add_top(plan, node, whole, --top, err);
    struct step back = *whole;
    back.dw_squares.buffer = NULL;
    for (int w = 0; w < STRATA_MAX_WEIGHTS; w++)
        back.dw[w].buffer = NULL;
    return ok && (!apart || !back.dx.buffer || flat->layer->class->backward(flat->layer->config, &back, err));
}
