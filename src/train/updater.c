#include "train/updater.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/model.h"
#include "train/updater_priv.h"

/* ---- rates by layer ------------------------------------------------------------------------------------------------------ */

/* The last rule that means a weight's layer says its factor. */
static bool find_factors(struct updater *u, strata_error *err)
{
    json_t *rule;
    size_t i;
    if (!u->training->rates) return true;
    u->factor = strata_alloc(u->params->trainable_params, sizeof *u->factor, err);
    for (size_t p = 0; u->factor && p < u->params->trainable_params; p++) {
        u->factor[p] = 1;
        json_array_foreach(u->training->rates, i, rule)
        {
            if (strata_layer_matches(u->params->list[p].layer, json_string_value(json_array_get(rule, 0))))
                u->factor[p] = json_number_value(json_array_get(rule, 1));
        }
    }
    return u->factor != NULL;
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
        u->partial[i + 1] = u->partial[i] + strata_updater_chunks(u->params->list[i].count);
    const size_t bytes = u->partial[count] * sizeof(float);
    u->host_squares = strata_alloc(1, bytes, err);
    u->squares = u->host_squares ? strata_buffer_create(u->device, bytes ? bytes : 4, err) : NULL;
    return u->squares != NULL;
}

static bool prepare_counts(struct updater *u, strata_error *err)
{
    const size_t bytes = (strata_updater_chunks(u->params->trainable) + 1) * sizeof(float);
    u->host_counts = strata_alloc(1, bytes, err);
    u->counts = u->host_counts ? strata_buffer_create(u->device, bytes, err) : NULL;
    return u->counts != NULL;
}

static bool prepare_measures(struct updater *u, strata_error *err)
{
    return (!strata_updater_measures_norms(u) || prepare_norms(u, err)) && (!u->training->scaling.on || prepare_counts(u, err));
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
        const bool measured = u->parts && strata_updater_measures_norms(u); /* the sum of a tensor's squares is one rank's */
        if (measured || strata_has_object(param->regularizer) || strata_has_object(param->constraint) || param->squares)
            whole[whole_count++] = (struct span){ param->offset, end };
    }
    const struct reducer_config config = { .weights = p->weights, .gradients = p->gradients, .count = p->trainable,
                                           .buckets = spans, .bucket_count = p->bucket_count, .whole = whole,
                                           .whole_count = whole_count, .parts = u->parts, .most_parts = u->most_parts,
                                           .wire = u->wire };
    u->reducer = strata_reducer_create(u->comm, u->device, &config, err);
    free(spans);
    return u->reducer != NULL;
}

static void define_steps(struct updater *u)
{
    u->step = (struct reducer_update){ .context = u, .update = strata_update_span };
    u->finish = (struct reducer_update){ .context = u, .update = strata_update_average };
    if (strata_updater_measures_norms(u) || u->training->scaling.on) {
        u->step.measure_count = u->params->trainable_params + 1;
        u->step.measure = strata_update_measure;
        u->step.measured = strata_update_measured;
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

static bool fill_arenas(const struct updater *u, struct arenas *arenas, strata_error *err)
{
    for (int k = 0; k < u->kinds.count; k++) {
        if (!(arenas->of[k] = strata_alloc(u->params->trainable, sizeof(float), err))) return false;
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
        int64_t iteration, good;
        double scalar, rate, scale;
    } numbers = { t->iteration, t->scaling.good, t->scalar, t->rate, t->scaling.scale };
    if (!strata_comm_broadcast(u->comm, &numbers, sizeof numbers, 0, err)) return false;
    t->iteration = numbers.iteration;
    t->scalar = numbers.scalar;
    t->rate = numbers.rate;
    t->scaling.good = numbers.good;
    t->scaling.scale = numbers.scale;
    return true;
}

static bool load_state(struct updater *u, strata_error *err)
{
    struct arenas arenas = { 0 };
    const bool root = strata_comm_rank(u->comm) == 0;
    bool ok = make_slots(u, err) && (!root || fill_arenas(u, &arenas, err))
              && (!root || !u->training->variables || strata_state_unpack(u->training, u->params, arenas.of, err));
    ok = strata_comm_agree(u->comm, ok, err) && share_numbers(u, err);
    for (int k = 0; ok && k < u->kinds.count; k++)
        ok = strata_reducer_distribute(u->reducer, u->slots[k], arenas.of[k], err);
    free_arenas(&arenas);
    return ok;
}

bool strata_updater_describe(const struct updater *u, struct saved_training *saved, strata_error *err)
{
    return strata_state_pack(u->training, u->model, u->params, saved, NULL, NULL, err);
}

bool strata_updater_read(struct updater *u, struct saved_training *saved, float *const *places, strata_error *err)
{
    const size_t params = u->params->trainable_params;
    const bool root = strata_comm_rank(u->comm) == 0;
    struct stretch *stretches = root ? strata_alloc((size_t)u->kinds.count * params, sizeof *stretches, err) : NULL;
    bool ok = !root || (stretches && strata_state_pack(u->training, u->model, u->params, saved, places, stretches, err));
    ok = strata_comm_agree(u->comm, ok, err);
    for (int k = 0; ok && k < u->kinds.count; k++)
        ok = strata_reducer_collect(u->reducer, u->slots[k], root ? stretches + (size_t)k * params : NULL, root ? params : 0, err);
    free(stretches);
    return strata_comm_agree(u->comm, ok, err);
}

bool strata_updater_store(struct updater *u, strata_error *err)
{
    struct training *t = u->training;
    if (strata_comm_rank(u->comm) == 0 && !u->stored) strata_training_forget(t);
    struct saved_training saved = { .variables = t->variables, .count = t->count };
    const bool alone = strata_comm_size(u->comm) == 1;
    u->stored = strata_comm_agree(u->comm, !alone || strata_device_finish(u->device, err), err) && strata_updater_read(u, &saved, NULL, err)
                && strata_comm_agree(u->comm, !alone || strata_device_finish(u->device, err), err);
    t->variables = saved.variables;
    t->count = saved.count;
    return u->stored;
}

/* A first step's kernels, of which no recording tells, are compiled with those of the recordings. */
static bool rehearse(struct updater *u, strata_error *err)
{
    const struct span owned = { 0, strata_reducer_owned(u->reducer) };
    struct run *run = strata_run_rehearse(u->device, err);
    u->applies = true;
    const bool ok = run && (owned.end == 0 || strata_update_span(u, run, owned, 0, err));
    strata_run_free(run);
    return ok;
}

struct updater *strata_updater_create(struct training *training, strata_model *model, struct params *params,
                                      struct device *device, struct comm *comm, struct buffer *parts,
                                      size_t most_parts, enum strata_wire wire, strata_error *err)
{
    struct updater *u = strata_alloc(1, sizeof *u, err);
    if (!u) return NULL;
    if (wire == STRATA_WIRE_FP16 && training->scaling.on && strata_comm_size(comm) > 1) {
        strata_fail(err, STRATA_EVALUE, "gradients of a scaled loss do not fit into the float16 in which they are to travel; "
                    "let them travel as bf16 or float32");
        free(u);
        return NULL;
    }
    *u = (struct updater){ .training = training, .model = model, .class = strata_training_optimizer(training),
                           .common = strata_training_common(training), .params = params, .device = device,
                           .comm = comm, .queue = strata_comm_size(comm) > 1 ? QUEUE_COPY : QUEUE_COMPUTE,
                           .kinds = strata_slot_kinds(training), .parts = parts, .most_parts = most_parts, .wire = wire, .most_scale = 1 };
    u->clipping = clipping_of(u->common);
    define_steps(u);
    if (make_reducer(u, err) && strata_comm_agree(comm, prepare_measures(u, err) && find_factors(u, err), err)
        && load_state(u, err) && strata_comm_agree(comm, rehearse(u, err), err))
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
    strata_buffer_free(u->counts);
    free(u->host_squares);
    free(u->host_counts);
    free(u->norms);
    free(u->factor);
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

void strata_updater_scale_rate(struct updater *u, double most, double steps)
{
    u->most_scale = most;
    u->warm_up = steps;
}

double strata_updater_rate_scale(const struct updater *u)
{
    const double done = (double)u->training->iteration;
    return done < u->warm_up ? 1 + (u->most_scale - 1) * done / u->warm_up : u->most_scale;
}

void strata_updater_begin(struct updater *u)
{
    struct training *t = u->training;
    const long steps = u->common->gradient_accumulation_steps;
    u->measured_slots = 0;
    u->odd = false;
    u->scalar = t->scalar;
    u->rate = strata_updater_rate(u) * strata_updater_rate_scale(u);
    u->applies = steps == STRATA_NO_INT || (t->iteration + 1) % steps == 0;
    if (u->applies && u->class->advance)
        t->scalar = u->class->advance(t->optimizer.config, t->scalar, strata_updater_iteration(u) + 1);
}

void strata_updater_end(struct updater *u)
{
    struct training *t = u->training;
    if (t->scaling.on) strata_loss_scaling_step(&t->scaling, !u->odd);
    if (u->odd)
        t->scalar = u->scalar;
    else
        t->iteration++;
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
