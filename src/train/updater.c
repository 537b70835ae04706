#include "train/updater.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "layers/regularizer.h"
#include "ops/map.h"
#include "train/optimizer_state.h"

enum { CHUNK = 1024 }; /* elements that one sum of squares covers; see cl/update.cl */

enum clipping { CLIP_NOTHING, CLIP_VALUE, CLIP_NORM, CLIP_GLOBAL_NORM };

struct updater {
    struct training *training;
    strata_model *model;
    const struct optimizer_class *class;
    const struct optimizer_common *common;
    struct params *params;
    struct device *device;
    struct comm *comm;
    enum queue_index queue; /* of the runs that the reducer gives us */
    struct reducer *reducer;
    struct reducer_update step, finish;
    struct slot_kinds kinds;
    struct buffer *slots[STRATA_MAX_KINDS];

    /* of the step at hand */
    double rate;
    bool applies;      /* false: its gradients are only accumulated */
    size_t measured_slots; /* slots of the spans measured so far */

    enum clipping clipping;
    double *norms;     /* by parameter, or one for all */
    size_t *partial;   /* by parameter: where its sums of squares begin; one more at the end */
    struct buffer *squares;
    float *host_squares;
};

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
    return (struct view){ buffer, offset, { 1, { count } } };
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

/* Keras's `iterations`: updates, not the steps whose gradients are accumulated. */
static int64_t optimizer_iteration(const struct updater *u)
{
    const long steps = u->common->gradient_accumulation_steps;
    return steps == STRATA_NO_INT ? u->training->iteration : u->training->iteration / steps;
}

static bool has_object(const struct object *object)
{
    return object && object->class;
}

/* ---- gradients as the optimizer sees them ---------------------------------------------------------------------------- */

static bool add_regularizers(const struct updater *u, struct run *run, struct span span, strata_error *err)
{
    const struct view none = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && i < u->params->trainable_params; i++) {
        const struct param *param = &u->params->list[i];
        if (!has_object(param->regularizer) || overlap(param, span).end == 0) continue;
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
    const double factor = u->common->loss_scale_factor;
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
        ok = strata_op_map(run, "update:squares", NULL, args, (count + CHUNK - 1) / CHUNK, err);
    }
    return ok;
}

static void add_squares(const struct updater *u, struct span span, double *values)
{
    for (size_t i = 0; i < u->params->trainable_params; i++) {
        const struct span part = overlap(&u->params->list[i], span);
        const size_t chunks = (part.end - part.begin + CHUNK - 1) / CHUNK;
        double *value = u->clipping == CLIP_NORM ? &values[i] : &values[0];
        for (size_t c = 0; c < chunks; c++) *value += (double)u->host_squares[u->partial[i] + c];
    }
}

/* The reducer asks for measures before any update, so this is where gradients are prepared when norms are clipped. It
 * measures a rank's spans in the order in which their slots are packed. */
static bool measure(void *context, struct run *run, struct span span, double *values, strata_error *err)
{
    struct updater *u = context;
    const size_t bytes = u->partial[u->params->trainable_params] * sizeof(float), slot = u->measured_slots;
    u->measured_slots += span.end - span.begin;
    if (!prepare(u, run, span, slot, err)) return false;
    if (!u->applies) return true;
    if (!queue_squares(u, run, span, err)
        || !strata_buffer_read(u->device, u->queue, u->squares, 0, bytes, u->host_squares, err))
        return false;
    add_squares(u, span, values);
    return true;
}

static void measured(void *context, const double *values)
{
    struct updater *u = context;
    const size_t count = u->clipping == CLIP_NORM ? u->params->trainable_params : 1;
    for (size_t i = 0; i < count; i++) u->norms[i] = sqrt(values[i]);
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
    return u->clipping == CLIP_NOTHING && u->kinds.accumulator < 0 && isnan(u->common->loss_scale_factor)
           && !has_object(param->regularizer) && param->squares;
}

static bool optimize_part(const struct updater *u, struct run *run, struct span span, size_t slot,
                          struct view squares, strata_error *err)
{
    const size_t n = span.end - span.begin;
    if (n == 0) return true;
    struct optimizer_step step = { .run = run, .w = weights_of(u, span), .g = gradients_of(u, span),
                                   .squares = squares, .n = n,
                                   .learning_rate = u->rate, .iteration = optimizer_iteration(u) + 1,
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

/* Keras moves the average at every step, also between accumulated ones; the first step's weights are where it starts. */
static bool average(const struct updater *u, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const int64_t iteration = optimizer_iteration(u);
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
        if (!has_object(param->constraint) || overlap(param, span).end == 0) continue;
        const struct view w = strata_param_view(u->params, param);
        ok = ((const struct constraint_class *)param->constraint->class)
                 ->apply(param->constraint->config, run, &w, err);
    }
    return ok;
}

static bool update(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct updater *u = context;
    if (!u->step.measure && !prepare(u, run, span, slot, err)) return false;
    if (u->applies
        && (!clip(u, run, span, err) || !decay(u, run, span, err) || !optimize(u, run, span, slot, err)))
        return false;
    return (u->kinds.average < 0 || average(u, run, span, slot, err)) && constrain(u, run, span, err);
}

static bool take_average(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    const struct updater *u = context;
    const struct view w = weights_of(u, span), mean = place(u->slots[u->kinds.average], slot, span.end - span.begin);
    return strata_op_copy(run, &mean, &w, err);
}

/* ---- creating --------------------------------------------------------------------------------------------------------------- */

static enum clipping clipping_of(const struct optimizer_common *c)
{
    if (c->clipnorm > 0) return CLIP_NORM;
    if (c->global_clipnorm > 0) return CLIP_GLOBAL_NORM;
    return c->clipvalue > 0 ? CLIP_VALUE : CLIP_NOTHING;
}

static bool prepare_norms(struct updater *u, strata_error *err)
{
    const size_t count = u->params->trainable_params;
    u->partial = strata_alloc(count + 1, sizeof *u->partial, err);
    u->norms = u->partial ? strata_alloc(count + 1, sizeof *u->norms, err) : NULL;
    if (!u->norms) return false;
    for (size_t i = 0; i < count; i++)
        u->partial[i + 1] = u->partial[i] + (u->params->list[i].count + CHUNK - 1) / CHUNK;
    const size_t bytes = u->partial[count] * sizeof(float);
    u->host_squares = strata_alloc(1, bytes, err);
    u->squares = u->host_squares ? strata_buffer_create(u->device, bytes ? bytes : 4, err) : NULL;
    return u->squares != NULL;
}

static bool make_reducer(struct updater *u, strata_error *err)
{
    const struct params *p = u->params;
    struct span *spans = strata_alloc(p->bucket_count + p->trainable_params, sizeof *spans, err);
    if (!spans) return false;
    struct span *whole = spans + p->bucket_count;
    size_t whole_count = 0;
    for (size_t b = 0; b < p->bucket_count; b++) spans[b] = (struct span){ p->buckets[b].begin, p->buckets[b].end };
    for (size_t i = 0; i < p->trainable_params; i++) {
        const struct param *param = &p->list[i];
        const size_t end = param->squares ? param->squares + param->count : param->offset + param->count;
        if (has_object(param->regularizer) || has_object(param->constraint) || param->squares)
            whole[whole_count++] = (struct span){ param->offset, end };
    }
    const struct reducer_config config = { .weights = p->weights, .gradients = p->gradients, .count = p->trainable,
                                           .buckets = spans, .bucket_count = p->bucket_count, .whole = whole,
                                           .whole_count = whole_count };
    u->reducer = strata_reducer_create(u->comm, u->device, &config, err);
    free(spans);
    return u->reducer != NULL;
}

static void define_steps(struct updater *u)
{
    u->step = (struct reducer_update){ .context = u, .update = update };
    u->finish = (struct reducer_update){ .context = u, .update = take_average };
    if (u->clipping == CLIP_NORM || u->clipping == CLIP_GLOBAL_NORM) {
        u->step.measure_count = u->clipping == CLIP_NORM ? u->params->trainable_params : 1;
        u->step.measure = measure;
        u->step.measured = measured;
    }
}

/* ---- state to and from the host -------------------------------------------------------------------------------------------- */

struct arenas {
    float *of[STRATA_MAX_KINDS];
};

static void free_arenas(struct arenas *arenas)
{
    for (int k = 0; k < STRATA_MAX_KINDS; k++) free(arenas->of[k]);
}

static bool make_arenas(const struct updater *u, struct arenas *arenas, strata_error *err)
{
    for (int k = 0; k < u->kinds.count; k++) {
        arenas->of[k] = strata_alloc(u->params->trainable, sizeof(float), err);
        if (!arenas->of[k]) return false;
        for (size_t i = 0; i < u->params->trainable; i++) arenas->of[k][i] = u->kinds.kind[k].start;
    }
    return true;
}

static bool make_slots(struct updater *u, strata_error *err)
{
    const size_t owned = strata_reducer_owned(u->reducer);
    for (int k = 0; k < u->kinds.count; k++) {
        u->slots[k] = strata_buffer_create(u->device, (owned ? owned : 1) * sizeof(float), err);
        if (!u->slots[k]) return false;
    }
    return true;
}

/* Numbers of the state that every rank needs; only rank 0 read them. */
static bool share_numbers(struct updater *u, strata_error *err)
{
    struct training *t = u->training;
    struct {
        int64_t iteration;
        double scalar, rate;
    } numbers = { t->iteration, t->scalar, t->rate };
    if (!strata_comm_broadcast(u->comm, &numbers, sizeof numbers, 0, err)) return false;
    t->iteration = numbers.iteration;
    t->scalar = numbers.scalar;
    t->rate = numbers.rate;
    return true;
}

static bool load_state(struct updater *u, strata_error *err)
{
    struct arenas arenas = { 0 };
    const bool root = strata_comm_rank(u->comm) == 0;
    bool ok = make_slots(u, err) && (!root || make_arenas(u, &arenas, err))
              && (!root || !u->training->variables || strata_state_unpack(u->training, u->params, arenas.of, err));
    ok = strata_comm_agree(u->comm, ok, err) && share_numbers(u, err);
    for (int k = 0; ok && k < u->kinds.count; k++)
        ok = strata_reducer_distribute(u->reducer, u->slots[k], arenas.of[k], err);
    free_arenas(&arenas);
    return ok;
}

bool strata_updater_store(struct updater *u, strata_error *err)
{
    struct arenas arenas = { 0 };
    const bool root = strata_comm_rank(u->comm) == 0;
    bool ok = strata_comm_agree(u->comm, !root || make_arenas(u, &arenas, err), err);
    for (int k = 0; ok && k < u->kinds.count; k++)
        ok = strata_reducer_collect(u->reducer, u->slots[k], arenas.of[k], err);
    ok = ok && (!root || strata_state_pack(u->training, u->model, u->params, arenas.of, err));
    free_arenas(&arenas);
    return strata_comm_agree(u->comm, ok, err);
}

struct updater *strata_updater_create(struct training *training, strata_model *model, struct params *params,
                                      struct device *device, struct comm *comm, strata_error *err)
{
    struct updater *u = strata_alloc(1, sizeof *u, err);
    if (!u) return NULL;
    *u = (struct updater){ .training = training, .model = model, .class = strata_training_optimizer(training),
                           .common = strata_training_common(training), .params = params, .device = device,
                           .comm = comm, .queue = strata_comm_size(comm) > 1 ? QUEUE_COPY : QUEUE_COMPUTE,
                           .kinds = strata_slot_kinds(training) };
    u->clipping = clipping_of(u->common);
    define_steps(u);
    if (make_reducer(u, err) && strata_comm_agree(comm, !u->step.measure || prepare_norms(u, err), err)
        && load_state(u, err))
        return u;
    strata_updater_free(u);
    return NULL;
}

void strata_updater_free(struct updater *u)
{
    if (!u) return;
    strata_reducer_free(u->reducer);
    for (int k = 0; k < STRATA_MAX_KINDS; k++) strata_buffer_free(u->slots[k]);
    strata_buffer_free(u->squares);
    free(u->host_squares);
    free(u->norms);
    free(u->partial);
    free(u);
}

/* ---- steps -------------------------------------------------------------------------------------------------------------------- */

bool strata_updater_has_schedule(const struct updater *u)
{
    return !strata_schedule_is_constant(&u->common->learning_rate);
}

/* Keras keeps a constant rate as a float. */
double strata_updater_rate(const struct updater *u)
{
    const double scheduled = strata_schedule_value(&u->common->learning_rate, u->training->iteration);
    const bool set = !isnan(u->training->rate) && !strata_updater_has_schedule(u);
    return (double)(float)(set ? u->training->rate : scheduled);
}

void strata_updater_set_rate(struct updater *u, double rate)
{
    u->training->rate = rate;
}

void strata_updater_begin(struct updater *u)
{
    struct training *t = u->training;
    const long steps = u->common->gradient_accumulation_steps;
    u->measured_slots = 0;
    u->rate = strata_updater_rate(u);
    u->applies = steps == STRATA_NO_INT || (t->iteration + 1) % steps == 0;
    if (u->applies && u->class->advance)
        t->scalar = u->class->advance(t->optimizer.config, t->scalar, optimizer_iteration(u) + 1);
}

void strata_updater_end(struct updater *u)
{
    u->training->iteration++;
}

const struct reducer_update *strata_updater_step(const struct updater *u)
{
    return &u->step;
}

struct reducer *strata_updater_reducer(const struct updater *u)
{
    return u->reducer;
}

bool strata_updater_finish(struct updater *u, strata_error *err)
{
    return u->kinds.average < 0
           || (strata_reducer_start(u->reducer, NULL, NULL, &u->finish, err) && strata_reducer_wait(u->reducer, err));
}
