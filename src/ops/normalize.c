#include "ops/normalize.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ops/axes.h"
#include "ops/map.h"
#include "ops/normalize_pooled.h"
#include "ops/reduce.h"

/* How the work is cut: groups of VW neighbours, and slices of a group's elements. */
struct plan {
    struct axes axes;
    int width;
    size_t slice, slices;
    char options[STRATA_AXES_OPTIONS + 160];
};

/* For group normalization the axis is cut in two: (.., parts, channels of a part, ..). */
static struct shape cut_shape(const struct normalize *n)
{
    struct shape cut = { 0 };
    for (int i = 0; i < n->shape.rank; i++) {
        const bool here = n->kind == NORMALIZE_GROUP && (n->axes >> i & 1);
        if (here) cut.dim[cut.rank++] = n->parts;
        cut.dim[cut.rank++] = here ? n->shape.dim[i] / n->parts : n->shape.dim[i];
    }
    return cut;
}

static int axis_of(const struct normalize *n)
{
    int axis = 0;
    while (!(n->axes >> axis & 1)) axis++;
    return axis;
}

static void groups_of(const struct normalize *n, struct axes *axes)
{
    const struct shape cut = cut_shape(n);
    if (n->kind == NORMALIZE_BATCH)
        strata_op_axes(&n->shape, n->axes, axes);
    else if (n->kind == NORMALIZE_LAYER)
        strata_op_axes(&n->shape, ~n->axes, axes);
    else
        strata_op_axes(&cut, 1u | 1u << axis_of(n), axes);
}

size_t strata_op_normalize_groups(const struct normalize *normalize)
{
    struct axes axes;
    groups_of(normalize, &axes);
    return axes.groups;
}

size_t strata_op_normalize_size(const struct normalize *normalize)
{
    struct axes axes;
    groups_of(normalize, &axes);
    return axes.size;
}

/* Elements of the axes behind the group axis. */
static size_t inner_of(const struct normalize *n)
{
    size_t inner = 1;
    for (int i = axis_of(n) + 1; i < n->shape.rank; i++) inner *= n->shape.dim[i];
    return inner;
}

static int group_options(const struct normalize *n, char *buffer, size_t size)
{
    if (n->kind != NORMALIZE_GROUP) return 0;
    const size_t channels = n->shape.dim[axis_of(n)];
    return snprintf(buffer, size, " -DPARTS=%zuu -DCHANNELS=%zuu -DINNER=%zuu -DSAMPLE=%zuu", n->parts,
                    channels / n->parts, inner_of(n),
                    strata_shape_count(&n->shape) / n->shape.dim[0] / channels);
}

/* Few groups with many elements are cut into slices, which are summed side by side. */
static void cut_slices(struct plan *plan, bool few)
{
    plan->slice = few ? strata_op_slice(plan->axes.size) : plan->axes.size;
    plan->slices = (plan->axes.size + plan->slice - 1) / plan->slice;
}

static void make_plan(struct run *run, const struct normalize *n, enum storage storage, struct plan *plan)
{
    groups_of(n, &plan->axes);
    const bool neighbours = n->kind == NORMALIZE_BATCH && plan->axes.last_kept;
    const size_t last = n->shape.dim[n->shape.rank - 1];
    plan->width = neighbours ? strata_op_kept_width(run, storage, last) : 1;
    cut_slices(plan, n->kind == NORMALIZE_BATCH || plan->axes.groups < 64);
    const int used = snprintf(plan->options, sizeof plan->options,
                              "-DVW=%d -DPARAMETER=%d -DGAMMA=%d -DBETA=%d -DACTIVATION=%d%s%s", plan->width, (int)n->kind,
                              n->gamma.buffer != NULL, n->beta.buffer != NULL, (int)n->activation, strata_op_kept(storage),
                              plan->axes.options);
    group_options(n, plan->options + used, sizeof plan->options - (size_t)used);
}

static size_t part_count(const struct plan *plan)
{
    return 2 * plan->axes.groups * plan->slices;
}

/* Appends size, slice and groups to `args` (at most 14) and launches over groups and slices. */
static bool launch(struct run *run, const struct plan *plan, const char *kernel, const struct arg *args,
                   strata_error *err)
{
    struct arg all[20] = { { 0 } };
    int count = 0;
    for (; args[count].type != ARG_END; count++) all[count] = args[count];
    all[count++] = arg_uint((uint32_t)plan->axes.size);
    all[count++] = arg_uint((uint32_t)plan->slice);
    all[count++] = arg_uint((uint32_t)plan->axes.groups);
    const struct launch launch = { .kernel = kernel,
                                   .options = plan->options,
                                   .args = all,
                                   .dims = 2,
                                   .global = { plan->axes.groups / (size_t)plan->width, plan->slices } };
    return strata_launch(run, &launch, err);
}

static bool launch_join(struct run *run, const struct plan *plan, const char *kernel, const struct arg *args,
                        size_t items, strata_error *err)
{
    const struct launch launch = {
        .kernel = kernel, .options = plan->options, .args = args, .dims = 1, .global = { items }
    };
    return strata_launch(run, &launch, err);
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

/* slice 0: each has its own number of elements. */
static bool join_moments(struct run *run, const struct plan *plan, const struct view *part, size_t slice, size_t slices,
                         const struct view *stats, strata_error *err)
{
    const struct arg args[] = { arg_view(part),
                                arg_view(stats),
                                arg_uint((uint32_t)plan->axes.size),
                                arg_uint((uint32_t)slice),
                                arg_uint((uint32_t)slices),
                                arg_uint((uint32_t)plan->axes.groups),
                                { 0 } };
    return launch_join(run, plan, "normalize:join_moments", args, plan->axes.groups, err);
}

/* part is scratch of part_count elements. */
static bool moments(struct run *run, const struct plan *plan, const struct normalize *n, const struct view *x, const struct view *part,
                    const struct view *stats, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(part), { 0 } };
    if (n->moments.slices > 0) return join_moments(run, plan, &n->moments.part, 0, n->moments.slices, stats, err);
    return launch(run, plan, "normalize:moments", args, err)
           && join_moments(run, plan, part, plan->slice, plan->slices, stats, err);
}

static bool apply(struct run *run, const struct plan *plan, const struct normalize *n, const struct view *x,
                  const struct view *mean, const struct view *variance, const struct view *y,
                  strata_error *err)
{
    const struct arg args[] = { arg_view(x),           arg_view(mean),
                                arg_view(variance),    arg_view(&n->gamma),
                                arg_view(&n->beta),    arg_view(y),
                                arg_float(n->epsilon), { 0 } };
    return n->pooled.height > 0 ? strata_op_normalize_pooled(run, n, x, mean, variance, y, err)
                                : launch(run, plan, "normalize:apply_stats", args, err);
}

static struct view variances(const struct view *stats, size_t groups)
{
    return (struct view){ .buffer = stats->buffer, .offset = stats->offset + groups, .shape = stats->shape };
}

bool strata_op_normalize(struct run *run, const struct normalize *normalize, const struct view *x,
                         const struct view *stats, const struct view *y, strata_error *err)
{
    struct plan plan;
    struct view part = { 0 }, own = *stats;
    make_plan(run, normalize, x->storage, &plan);
    if (!strata_run_scratch(run, (part_count(&plan) + 2 * plan.axes.groups) * sizeof(float), &part.buffer,
                            err))
        return false;
    if (!stats->buffer) own = (struct view){ .buffer = part.buffer, .offset = part_count(&plan) };
    const struct view variance = variances(&own, plan.axes.groups);
    return moments(run, &plan, normalize, x, &part, &own, err)
           && (!normalize->exchange
               || strata_op_exchange_moments(run, normalize->exchange, &own, plan.axes.groups, plan.axes.size, err))
           && apply(run, &plan, normalize, x, &own, &variance, y, err);
}

bool strata_op_normalize_with(struct run *run, const struct normalize *normalize, const struct view *x,
                              const struct view *mean, const struct view *variance, const struct view *y,
                              strata_error *err)
{
    struct plan plan;
    make_plan(run, normalize, x->storage, &plan);
    return apply(run, &plan, normalize, x, mean, variance, y, err);
}

bool strata_op_normalize_fold(struct run *run, const struct normalize *normalize, const struct view *mean,
                              const struct view *variance, const struct view *bias, const struct view *to, strata_error *err)
{
    const struct arg args[] = { arg_view(mean), arg_view(variance), arg_view(&normalize->gamma), arg_view(&normalize->beta),
                                arg_view(bias), arg_view(to),       arg_float(normalize->epsilon), { 0 } };
    return strata_op_map(run, "affine:fold", NULL, args, strata_view_count(to) / 2, err);
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

static bool group_sums(struct run *run, const struct plan *plan, const struct normalize *n,
                       const struct normalize_gradient *g, const struct view *part, const struct view *sums,
                       strata_error *err)
{
    const struct arg first[] = { arg_view(&g->x),       arg_view(&g->dy),
                                 arg_view(&g->mean),    arg_view(&g->variance),
                                 arg_view(&n->gamma),   arg_view(&n->beta),
                                 arg_view(part),        arg_float(n->epsilon),
                                 { 0 } };
    const bool pooled = n->pooled.height > 0;
    const struct arg second[] = { arg_view(part),
                                  arg_view(sums),
                                  arg_uint((uint32_t)(pooled ? strata_op_normalize_pooled_slices(n) : plan->slices)),
                                  arg_uint((uint32_t)plan->axes.groups),
                                  { 0 } };
    return (pooled ? strata_op_normalize_pooled_sums(run, n, g, part, err) : launch(run, plan, "normalize:gradient_sums", first, err))
           && launch_join(run, plan, "normalize:join_sums", second, 2 * plan->axes.groups, err);
}

static bool input_gradient(struct run *run, const struct plan *plan, const struct normalize *n,
                           const struct normalize_gradient *g, const struct view *sums, strata_error *err)
{
    const struct arg args[] = { arg_view(&g->x),
                                arg_view(&g->dy),
                                arg_view(&g->mean),
                                arg_view(&g->variance),
                                arg_view(&n->gamma),
                                arg_view(&n->beta),
                                arg_view(sums),
                                arg_view(&g->dx),
                                arg_float(n->epsilon),
                                arg_int(g->constant_stats),
                                { 0 } };
    return n->pooled.height > 0 ? strata_op_normalize_pooled_input_gradient(run, n, g, sums, err)
                                : launch(run, plan, "normalize:input_gradient", args, err);
}

/* The plan over the parameters of layer and group normalization. */
static void make_parameter_plan(const struct normalize *n, struct plan *plan)
{
    strata_op_axes(&n->shape, n->axes, &plan->axes);
    plan->width = 1;
    cut_slices(plan, true);
    const int used =
        snprintf(plan->options, sizeof plan->options, "-DPARAMETER=%d%s", (int)n->kind, plan->axes.options);
    group_options(n, plan->options + used, sizeof plan->options - (size_t)used);
}

static bool join_parameter(struct run *run, const struct plan *plan, const struct view *part, int row,
                           const struct view *to, strata_error *err)
{
    const struct arg args[] = { arg_view(part),
                                arg_view(to),
                                arg_uint((uint32_t)row),
                                arg_uint((uint32_t)plan->slices),
                                arg_uint((uint32_t)plan->axes.groups),
                                { 0 } };
    return !to->buffer
           || launch_join(run, plan, "normalize_parameters:join_parameters", args, plan->axes.groups, err);
}

static bool shared_parameters(struct run *run, const struct plan *plan, const struct normalize *n,
                              const struct normalize_gradient *g, const struct view *part, strata_error *err)
{
    const struct arg args[] = { arg_view(&g->x),
                                arg_view(&g->dy),
                                arg_view(&g->mean),
                                arg_view(&g->variance),
                                arg_view(part),
                                arg_float(n->epsilon),
                                { 0 } };
    return launch(run, plan, "normalize_parameters:parameter_sums", args, err)
           && join_parameter(run, plan, part, 0, &g->dbeta, err)
           && join_parameter(run, plan, part, 1, &g->dgamma, err);
}

/* The group sums of batch normalization are the gradients of beta and gamma. */
static bool copy_sums(struct run *run, size_t groups, const struct view *sums,
                      const struct normalize_gradient *g, strata_error *err)
{
    const struct shape one = { 1, { groups } };
    const struct view plain = strata_view_as(sums, one);
    const struct view along = { .buffer = sums->buffer, .offset = sums->offset + groups, .shape = one };
    return (!g->dbeta.buffer || strata_op_copy(run, &plain, &g->dbeta, err))
           && (!g->dgamma.buffer || strata_op_copy(run, &along, &g->dgamma, err));
}

bool strata_op_normalize_gradient(struct run *run, const struct normalize *normalize,
                                  const struct normalize_gradient *gradient, strata_error *err)
{
    struct plan plan, parameters = { 0 };
    struct view part = { 0 };
    const bool wants_parameters = gradient->dgamma.buffer || gradient->dbeta.buffer;
    const bool own = normalize->kind == NORMALIZE_BATCH, shared = wants_parameters && !own;
    const bool wants_sums = (own && wants_parameters) || (gradient->dx.buffer && !gradient->constant_stats);
    assert(normalize->pooled.height == 0 || normalize->activation == ACTIVATION_LINEAR);
    make_plan(run, normalize, gradient->x.storage, &plan);
    if (shared) make_parameter_plan(normalize, &parameters);
    const size_t own_parts = normalize->pooled.height > 0 ? 2 * plan.axes.groups * strata_op_normalize_pooled_slices(normalize)
                                                          : part_count(&plan);
    const size_t sums_at = own_parts > part_count(&parameters) ? own_parts : part_count(&parameters);
    if (!strata_run_scratch(run, (sums_at + 2 * plan.axes.groups) * sizeof(float), &part.buffer, err))
        return false;
    const struct view sums = { .buffer = part.buffer, .offset = sums_at };
    return (!shared || shared_parameters(run, &parameters, normalize, gradient, &part, err))
           && (!wants_sums || group_sums(run, &plan, normalize, gradient, &part, &sums, err))
           && (!own || !wants_parameters || copy_sums(run, plan.axes.groups, &sums, gradient, err))
           && (!normalize->exchange || !gradient->dx.buffer || gradient->constant_stats
               || strata_op_exchange_sums(run, normalize->exchange, &sums, plan.axes.groups, plan.axes.size, err))
           && (!gradient->dx.buffer || input_gradient(run, &plan, normalize, gradient, &sums, err));
}

bool strata_op_moving_average(struct run *run, double momentum, double factor, const struct view *value,
                              const struct view *moving, size_t n, strata_error *err)
{
    const struct arg args[] = {
        arg_view(value), arg_view(moving), arg_float(momentum), arg_float((1 - momentum) * factor), { 0 }
    };
    return strata_op_map(run, "map:moving_average", NULL, args, n, err);
}
