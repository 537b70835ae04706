/* One owner's update of a span of weights. */
#include "train/updater_priv.h"

#include <math.h>

#include "layers/regularizer.h"
#include "ops/map.h"

/* ---- what lies in a span ------------------------------------------------------------------------------------------ */

/* The part [begin, end) of the parameter that lies in the span; begin == end when none does. */
static struct span overlap(const struct param *param, struct span span)
{
    const size_t begin = param->offset > span.begin ? param->offset : span.begin;
    const size_t stop = param->offset + param->count, end = stop < span.end ? stop : span.end;
    return begin < end ? (struct span){ begin, end } : (struct span){ 0, 0 };
}

static struct view place(struct buffer *buffer, size_t offset, size_t count)
{
    return (struct view){ .buffer = buffer, .offset = offset, .shape = { 1, { count } } };
}

static struct view gradients_of(const struct updater *u, struct span span)
{
    return place(u->params->gradients, span.begin, span.end - span.begin);
}

static struct view weights_of(const struct updater *u, struct span span)
{
    return place(u->params->weights, span.begin, span.end - span.begin);
}

static bool scale(struct run *run, const struct view *g, double factor, strata_error *err)
{
    const struct arg args[] = { arg_view(g), arg_float(factor), { 0 } };
    return strata_op_map(run, "update:scale", NULL, args, strata_view_count(g), err);
}

/* ---- gradients as the optimizer sees them ---------------------------------------------------------------------------- */

static bool add_regularizers(const struct updater *u, struct run *run, struct span span, strata_error *err)
{
    const struct view none = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && i < u->params->trainable_params; i++) {
        const struct param *param = &u->params->list[i];
        if (!strata_has_object(param->regularizer) || overlap(param, span).end == 0) continue;
        const struct regularizer_class *class = (const struct regularizer_class *)param->regularizer->class;
        const struct view w = strata_param_view(u->params, param), dw = strata_param_gradient(u->params, param);
        ok = class->apply(param->regularizer->config, run, &w, 1, &none, &dw, err);
    }
    return ok;
}

static bool accumulate(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct view g = gradients_of(u, span);
    const struct view sum = place(u->slots[u->kinds.accumulator], slot, span.end - span.begin);
    if (!u->applies) {
        const struct arg args[] = { arg_view(&g), arg_view(&sum), { 0 } };
        return strata_op_map(run, "update:accumulate", NULL, args, strata_view_count(&g), err);
    }
    const struct arg args[] = { arg_view(&g), arg_view(&sum),
                                arg_float((double)u->common->gradient_accumulation_steps), { 0 } };
    return strata_op_map(run, "update:mean", NULL, args, strata_view_count(&g), err);
}

static bool prepare(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct view g = gradients_of(u, span);
    const double factor = strata_training_loss_factor(u->training);
    return (isnan(factor) || scale(run, &g, 1 / factor, err)) && add_regularizers(u, run, span, err)
           && (u->kinds.accumulator < 0 || accumulate(u, run, span, slot, err));
}

/* ---- clipping ------------------------------------------------------------------------------------------------------------ */

static bool queue_squares(struct updater *u, struct run *run, struct span span, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < u->params->trainable_params; i++) {
        const struct span part = overlap(&u->params->list[i], span);
        const size_t count = part.end - part.begin;
        if (count == 0) continue;
        const struct view g = gradients_of(u, part);
        const struct arg args[] = { arg_view(&g), arg_place(u->squares, u->partial[i]), arg_ulong(count), { 0 } };
        ok = strata_op_map(run, "update:squares", NULL, args, strata_updater_chunks(count), err);
    }
    return ok;
}

static void add_squares(const struct updater *u, struct span span, double *values)
{
    for (size_t i = 0; i < u->params->trainable_params; i++) {
        const struct span part = overlap(&u->params->list[i], span);
        const size_t chunks = strata_updater_chunks(part.end - part.begin);
        for (size_t c = 0; c < chunks; c++) values[i] += (double)u->host_squares[u->partial[i] + c];
    }
}

/* Adds the squares to `values`. */
static bool measure_norms(struct updater *u, struct run *run, struct span span, double *values, strata_error *err)
{
    const size_t bytes = u->partial[u->params->trainable_params] * sizeof(float);
    if (!queue_squares(u, run, span, err)
        || !strata_buffer_read(u->device, u->queue, u->squares, 0, bytes, u->host_squares, err))
        return false;
    add_squares(u, span, values);
    return true;
}

static bool count_odd(const struct updater *u, struct run *run, struct span span, double *count, strata_error *err)
{
    const struct view g = gradients_of(u, span);
    const size_t elements = strata_view_count(&g), chunks = strata_updater_chunks(elements);
    const struct arg args[] = { arg_view(&g), arg_place(u->counts, 0), arg_ulong(elements), { 0 } };
    if (chunks == 0) return true;
    if (!strata_op_map(run, "update:odd", NULL, args, chunks, err)
        || !strata_buffer_read(u->device, u->queue, u->counts, 0, chunks * sizeof(float), u->host_counts, err))
        return false;
    for (size_t c = 0; c < chunks; c++) *count += (double)u->host_counts[c];
    return true;
}

/* The reducer asks for measures before any update, so this is where gradients are prepared when there are some. It measures a rank's
 * spans in the order in which their slots are packed. */
bool strata_update_measure(void *context, struct run *run, struct span span, double *values, strata_error *err)
{
    struct updater *u = context;
    const size_t slot = u->measured_slots;
    u->measured_slots += span.end - span.begin;
    if (!prepare(u, run, span, slot, err)) return false;
    return !u->applies
           || ((!strata_updater_measures_norms(u) || measure_norms(u, run, span, values, err))
               && (!u->counts || count_odd(u, run, span, &values[u->params->trainable_params], err)));
}

void strata_update_measured(void *context, const double *values)
{
    struct updater *u = context;
    double all = 0;
    u->odd = u->counts && values[u->params->trainable_params] > 0;
    for (size_t i = 0; strata_updater_measures_norms(u) && i < u->params->trainable_params; i++) {
        u->norms[i] = sqrt(values[i]);
        all += values[i];
    }
    if (u->clipping == CLIP_GLOBAL_NORM) u->norms[0] = sqrt(all);
}

static bool clip_each(const struct updater *u, struct run *run, struct span span, strata_error *err)
{
    const double most = u->common->clipnorm;
    bool ok = true;
    for (size_t i = 0; ok && i < u->params->trainable_params; i++) {
        const struct span part = overlap(&u->params->list[i], span);
        if (part.begin == part.end || u->norms[i] <= most) continue;
        const struct view g = gradients_of(u, part);
        ok = scale(run, &g, most / u->norms[i], err);
    }
    return ok;
}

static bool clip(const struct updater *u, struct run *run, struct span span, strata_error *err)
{
    const struct view g = gradients_of(u, span);
    const struct arg args[] = { arg_view(&g), arg_float(u->common->clipvalue), { 0 } };
    switch (u->clipping) {
    case CLIP_VALUE: return strata_op_map(run, "update:clip", NULL, args, strata_view_count(&g), err);
    case CLIP_NORM: return clip_each(u, run, span, err);
    case CLIP_GLOBAL_NORM:
        /* a norm that is not finite makes all gradients NaN, as in Keras */
        return u->norms[0] <= u->common->global_clipnorm
               || scale(run, &g, isfinite(u->norms[0]) ? u->common->global_clipnorm / u->norms[0] : (double)NAN, err);
    case CLIP_NOTHING: break;
    }
    return true;
}

/* ---- the update ------------------------------------------------------------------------------------------------------------ */

static bool decay(const struct updater *u, struct run *run, struct span span, strata_error *err)
{
    const struct view w = weights_of(u, span);
    if (isnan(u->common->weight_decay)) return true;
    const struct arg args[] = { arg_view(&w), arg_float(u->common->weight_decay * u->rate), { 0 } };
    return strata_op_map(run, "update:decay", NULL, args, strata_view_count(&w), err);
}

/* Keras has the squares only of gradients that nothing has touched: clipping, regularizing and accumulating make one dense
 * tensor of the list of rows. */
static bool has_squares(const struct updater *u, const struct param *param)
{
    return u->clipping == CLIP_NOTHING && u->kinds.accumulator < 0 && isnan(strata_training_loss_factor(u->training))
           && !strata_has_object(param->regularizer) && param->squares;
}

static bool optimize_part(const struct updater *u, struct run *run, struct span span, size_t slot,
                          struct view squares, strata_error *err)
{
    const size_t n = span.end - span.begin;
    if (n == 0) return true;
    struct optimizer_step step = { .run = run, .w = weights_of(u, span), .g = gradients_of(u, span),
                                   .squares = squares, .n = n,
                                   .learning_rate = u->rate, .iteration = strata_updater_iteration(u) + 1,
                                   .state = u->training->scalar };
    for (int k = u->kinds.own; k < u->kinds.count; k++) step.slot[k - u->kinds.own] = place(u->slots[k], slot, n);
    return u->class->update(u->training->optimizer.config, &step, err);
}

/* A tensor with squares is updated by itself, and what lies behind it not at all. */
static bool optimize(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct view none = { 0 };
    size_t at = span.begin;
    bool ok = true;
    for (size_t i = 0; ok && i < u->params->trainable_params; i++) {
        const struct param *param = &u->params->list[i];
        if (!param->squares || overlap(param, span).end == 0) continue;
        const struct span before = { at, param->offset }, own = { param->offset, param->offset + param->count };
        const struct view squares = place(u->params->gradients, param->squares, param->count);
        ok = optimize_part(u, run, before, slot + before.begin - span.begin, none, err)
             && optimize_part(u, run, own, slot + own.begin - span.begin, has_squares(u, param) ? squares : none, err);
        at = param->squares + (param->squares - param->offset);
    }
    const struct span rest = { at, span.end };
    return ok && (at >= span.end || optimize_part(u, run, rest, slot + at - span.begin, none, err));
}

static bool apply(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    return decay(u, run, span, err) && optimize(u, run, span, slot, err);
}

/* Where the tensors that share the rate of the one at span.begin end. */
static size_t same_rate(const struct updater *u, struct span span, double *factor)
{
    size_t i = 0;
    while (i + 1 < u->params->trainable_params && u->params->list[i + 1].offset <= span.begin) i++;
    *factor = u->factor[i];
    for (i++; i < u->params->trainable_params && u->params->list[i].offset < span.end; i++)
        if (u->factor[i] != *factor) return u->params->list[i].offset;
    return span.end;
}

static bool apply_by_rate(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    bool ok = true;
    for (struct span part = span; ok && part.begin < span.end; part.begin = part.end) {
        double factor;
        part.end = same_rate(u, (struct span){ part.begin, span.end }, &factor);
        struct updater scaled = *u;
        scaled.rate = u->rate * factor;
        ok = apply(&scaled, run, part, slot + part.begin - span.begin, err);
    }
    return ok;
}

/* Keras moves the average at every step, also between accumulated ones; the first step's weights are where it starts. */
static bool average(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const int64_t iteration = strata_updater_iteration(u);
    const long often = u->common->ema_overwrite_frequency;
    const struct view w = weights_of(u, span), mean = place(u->slots[u->kinds.average], slot, span.end - span.begin);
    const struct arg args[] = { arg_view(&w), arg_view(&mean),
                                arg_float(iteration == 0 ? 0 : u->common->ema_momentum), { 0 } };
    return strata_op_map(run, "update:average", NULL, args, strata_view_count(&w), err)
           && (often == STRATA_NO_INT || (iteration + 1) % often != 0 || strata_op_copy(run, &mean, &w, err));
}

static bool constrain(const struct updater *u, struct run *run, struct span span, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < u->params->trainable_params; i++) {
        const struct param *param = &u->params->list[i];
        if (!strata_has_object(param->constraint) || overlap(param, span).end == 0) continue;
        const struct view w = strata_param_view(u->params, param);
        ok = ((const struct constraint_class *)param->constraint->class)
                 ->apply(param->constraint->config, run, &w, err);
    }
    return ok;
}

bool strata_update_span(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct updater *u = context;
    if (u->odd) return true;
    if (!u->step.measure && !prepare(u, run, span, slot, err)) return false;
    if (u->applies
        && (!clip(u, run, span, err)
            || !(u->factor ? apply_by_rate(u, run, span, slot, err) : apply(u, run, span, slot, err))))
        return false;
    return (u->kinds.average < 0 || average(u, run, span, slot, err)) && constrain(u, run, span, err);
}

bool strata_update_average(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct updater *u = context;
    const struct view w = weights_of(u, span), mean = place(u->slots[u->kinds.average], slot, span.end - span.begin);
    return strata_op_copy(run, &mean, &w, err);
}
