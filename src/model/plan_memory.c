/* Which tensor lives when, which ones share memory, and where each lies. */
#include "base/memory.h"
#include "model/plan_priv.h"

/* Of the arena, which is in floats. */
static size_t elements(const struct plan *plan, const struct shape *shape, enum storage storage)
{
    const size_t in_float = sizeof(float) / strata_storage_size(storage);
    return (plan->config.n * strata_shape_count(shape) + in_float - 1) / in_float;
}

/* A place in the arena in elements of what is kept there. */
static size_t offset_of(const struct lifetime *life, enum storage storage)
{
    return life->offset * (sizeof(float) / strata_storage_size(storage));
}

static void use(struct lifetime *life, int step)
{
    if (step > life->death)
        life->death = step;
    if (step < life->birth)
        life->birth = step;
}

static void use_value(struct plan *plan, int node, int step)
{
    const int root = node == MODEL_INPUT ? MODEL_INPUT : plan->value_root[node];
    use(root == MODEL_INPUT ? plan_input_life(plan) : plan_life(plan, LIFE_VALUE, root), step);
}

static void use_keep(struct plan *plan, int node, int step)
{
    if (plan_life(plan, LIFE_KEEP, node)->elements > 0)
        use(plan_life(plan, LIFE_KEEP, node), step);
}

/* dx may be written over dy: the function of a single consumer is elementwise, or a view. */
static bool shares_gradient(const struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    if (flat->input_count != 1 || flat->inputs[0] == MODEL_INPUT || plan->flat.items[flat->inputs[0]].consumers != 1
        || plan->flat.items[flat->inputs[0]].storage != flat->storage)
        return false;
    return flat->view || flat->kind != FLAT_LAYER || flat->layer->class->in_place;
}

static void find_roots(struct plan *plan)
{
    const int count = (int)plan->flat.count;
    for (int i = 0; i < count; i++) {
        const struct flat *flat = &plan->flat.items[i];
        plan->value_root[i] = !flat->view ? i : flat->inputs[0] == MODEL_INPUT ? MODEL_INPUT : plan->value_root[flat->inputs[0]];
    }
    for (int i = 0; i < count; i++)
        plan->gradient_root[i] = i;
    for (int i = count - 1; i >= 0; i--)
        if (i <= plan->at && plan_goes_backward(plan, i) && shares_gradient(plan, i))
            plan->gradient_root[plan->flat.items[i].inputs[0]] = plan->gradient_root[i];
}

bool strata_plan_needs_x(const struct flat *flat)
{
    if (flat->kind == FLAT_LAYER)
        return flat->layer->class->needs_x;
    if (flat->kind == FLAT_CAST)
        return false;
    return flat->kind == FLAT_PENALTY || strata_activation(flat->activation)->needs_x;
}

bool strata_plan_needs_y(const struct flat *flat)
{
    if (flat->kind == FLAT_LAYER)
        return flat->layer->class->needs_y || flat->picks;
    return flat->kind == FLAT_ACTIVATION && !flat->moved && !strata_activation(flat->activation)->needs_x;
}

static void live_work(struct plan *plan, int node, bool backward, int step)
{
    const struct flat *flat = &plan->flat.items[node];
    struct lifetime *work = plan_work(plan, node, backward);
    if (flat->kind != FLAT_LAYER || flat->view || !flat->layer->class->work)
        return;
    work->elements = flat->layer->class->work(flat->layer->config, plan->config.n, flat->in, &flat->out);
    if (work->elements > 0)
        use(work, step);
}

static void live_staging(struct plan *plan, int node, bool backward, int step)
{
    struct lifetime *staging = plan_staging(plan, node, backward);
    staging->elements = strata_plan_staged(plan, node, backward);
    if (staging->elements > 0)
        use(staging, step);
}

static void live_moments(struct plan *plan, int node)
{
    const int reader = plan->flat.items[node].moments - 1;
    if (reader < 0)
        return;
    const struct flat *flat = &plan->flat.items[reader];
    struct lifetime *moments = plan_moments(plan, reader);
    moments->elements = strata_moments_elements(flat->slices, flat->in->dim[flat->in->rank - 1]);
    use(moments, plan_forward_step(node));
}

static void live_forward(struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    struct lifetime *value = plan_life(plan, LIFE_VALUE, node), *keep = plan_life(plan, LIFE_KEEP, node);
    if (plan->value_root[node] == node)
        value->elements = elements(plan, strata_plan_kept_shape(plan, node), flat->storage);
    use_value(plan, node, plan_forward_step(node));
    for (int k = 0; k < flat->input_count; k++)
        use_value(plan, flat->inputs[k], plan_forward_step(node));
    if (flat->kind == FLAT_LAYER && flat->training && flat->layer->class->keep) {
        keep->elements = strata_plan_is_cut(plan, node)
                             ? plan_grains(plan) * strata_plan_kept(plan, node)
                             : flat->layer->class->keep(flat->layer->config, plan->config.n, flat->in, &flat->out);
        use(keep, plan_forward_step(plan->value_root[node])); /* who makes the value makes what is kept */
        use(keep, plan_forward_step(node));
    }
    live_work(plan, node, false, plan_forward_step(node));
    live_staging(plan, node, false, plan_forward_step(node));
    live_moments(plan, node);
    if (flat->affine) {
        plan_affine(plan, node)->elements = 2 * flat->out.dim[flat->out.rank - 1];
        use(plan_affine(plan, node), plan_forward_step(node));
    }
}

static void live_backward(struct plan *plan, int node)
{
    const struct flat *flat = &plan->flat.items[node];
    const int step = plan_backward_step(plan, node);
    live_work(plan, node, true, step);
    live_staging(plan, node, true, step);
    if (strata_plan_is_cut(plan, node) && strata_plan_summed(plan, node) > 0) {
        plan_sums(plan, node)->elements = strata_plan_summed(plan, node);
        use(plan_sums(plan, node), step);
    }
    if (strata_plan_needs_y(flat))
        use_value(plan, node, step);
    for (int k = 0; k < flat->input_count && strata_plan_needs_x(flat); k++)
        use_value(plan, flat->inputs[k], step);
    use_keep(plan, node, step);
    if (flat->pooling)
        use_keep(plan, flat->pooling - 1, step);
    struct lifetime *own = plan_life(plan, LIFE_GRADIENT, plan->gradient_root[node]);
    const size_t size = elements(plan, strata_plan_kept_shape(plan, node), flat->storage);
    own->elements = size > own->elements ? size : own->elements;
    use(own, step);
    for (int k = 0; k < flat->input_count; k++) {
        const int input = flat->inputs[k];
        if (input == MODEL_INPUT || !plan->flat.items[input].needs_gradient)
            continue;
        use(plan_life(plan, LIFE_GRADIENT, plan->gradient_root[input]), step);
        if (plan->flat.items[input].consumers > 1) {
            struct lifetime *temporary = plan_temporary(plan, node);
            const struct flat *of = &plan->flat.items[input];
            temporary->elements += (elements(plan, &of->out, of->storage) + 15) / 16 * 16;
            use(temporary, step);
        }
    }
}

static void find_lifetimes(struct plan *plan)
{
    const int count = (int)plan->flat.count;
    for (size_t i = 0; i < plan->life_count; i++)
        plan->life[i] = (struct lifetime){ .birth = plan_last_step(plan), .death = -1 };
    if (plan->convert)
        plan_input_life(plan)->elements = elements(plan, &plan->config.shape, STORAGE_FLOAT32);
    use(plan_input_life(plan), 0);
    for (int i = 0; i < count; i++)
        live_forward(plan, i);
    use_value(plan, plan->flat.output, plan_last_step(plan));
    use_value(plan, plan->at, plan_loss_step(plan));
    plan_loss_staging(plan)->elements = strata_plan_staged_loss(plan);
    if (plan_loss_staging(plan)->elements > 0)
        use(plan_loss_staging(plan), plan_loss_step(plan));
    for (size_t i = 0; i < plan->config.extract_count; i++) {
        int index;
        if (strata_lower_find(&plan->flat, plan->config.extract[i], &index))
            use_value(plan, index, plan_last_step(plan));
    }
    if (plan->at != MODEL_INPUT && plan_goes_backward(plan, plan->at))
        use(plan_life(plan, LIFE_GRADIENT, plan->gradient_root[plan->at]), plan_loss_step(plan));
    for (int i = count - 1; i >= 0; i--)
        if (plan_goes_backward(plan, i))
            live_backward(plan, i);
}

bool strata_plan_place(struct plan *plan, strata_error *err)
{
    const size_t count = plan->flat.count;
    plan->life_count = 11 * count + 2;
    plan->life = strata_alloc(plan->life_count, sizeof *plan->life, err);
    plan->value_root = plan->life ? strata_alloc(count, sizeof *plan->value_root, err) : NULL;
    plan->gradient_root = plan->value_root ? strata_alloc(count, sizeof *plan->gradient_root, err) : NULL;
    plan->contributions = plan->gradient_root ? strata_alloc(count, sizeof *plan->contributions, err) : NULL;
    if (!plan->contributions)
        return false;
    find_roots(plan);
    find_lifetimes(plan);
    return strata_arena_place(plan->life, plan->life_count, &plan->arena_elements, err);
}

struct view strata_plan_value(const struct plan *plan, int node)
{
    const struct shape *shape = node == MODEL_INPUT ? &plan->config.shape : strata_plan_kept_shape(plan, node);
    const int root = node == MODEL_INPUT ? MODEL_INPUT : plan->value_root[node];
    struct view view = { .buffer = plan->arena, .shape = strata_shape_batch(plan->config.n, shape) };
    if (node != MODEL_INPUT)
        view.storage = plan->flat.items[node].storage;
    if (root != MODEL_INPUT)
        view.offset = offset_of(plan_life(plan, LIFE_VALUE, root), view.storage);
    else if (plan->convert)
        view.offset = plan_input_life(plan)->offset;
    else
        view.buffer = plan->input;
    return view;
}

struct view strata_plan_gradient(const struct plan *plan, int node)
{
    if (node == MODEL_INPUT || !plan_goes_backward(plan, node))
        return (struct view){ 0 };
    const struct flat *flat = &plan->flat.items[node];
    const struct lifetime *life = plan_life(plan, LIFE_GRADIENT, plan->gradient_root[node]);
    return (struct view){ .buffer = plan->arena, .offset = offset_of(life, flat->storage), .storage = flat->storage,
                          .shape = strata_shape_batch(plan->config.n, strata_plan_kept_shape(plan, node)) };
}
