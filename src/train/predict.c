/* predict and extract: outputs for every sample, on every rank. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/batches.h"
#include "model/model.h"
#include "train/memory.h"
#include "train/trainer.h"

/* What is wanted of each batch: count views of the plan, of `size` floats a sample. */
struct outputs {
    const strata_layer *const *layers; /* NULL: the model's output alone */
    size_t count;
    size_t *size;  /* owned */
    float **part;  /* owned: each for a global batch */
    strata_rows_function *rows;
    void *context;
    enum plan_part of; /* PLAN_PREFIX: the output of that */
    bool loss_at_logits;
    struct stopping *stopping; /* NULL: nobody stops it */
};

static bool make_outputs(struct outputs *out, strata_model *model, const strata_data *data, size_t batch, strata_error *err)
{
    struct shape shape;
    out->size = strata_alloc(out->count, sizeof *out->size, err);
    out->part = out->size ? strata_alloc(out->count, sizeof *out->part, err) : NULL;
    for (size_t i = 0; out->part && i < out->count; i++) {
        if (!strata_model_output_for(model, out->layers ? out->layers[i] : NULL, &data->x.shape, &shape, err))
            return false;
        out->size[i] = strata_shape_count(&shape);
        if (!(out->part[i] = strata_alloc(batch, out->size[i] * sizeof(float), err))) return false;
    }
    return out->part != NULL;
}

static void free_outputs(struct outputs *out)
{
    for (size_t i = 0; out->part && i < out->count; i++) free(out->part[i]);
    free(out->part);
    free(out->size);
}

/* ---- a rank's slices ------------------------------------------------------------------------------------------------ */

static bool read_outputs(const struct trainer *t, const struct plan *plan, const struct outputs *out, size_t first,
                         size_t n, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < out->count; i++) {
        const struct view view = out->layers ? strata_plan_extracted(plan, i) : strata_plan_output(plan);
        ok = strata_buffer_read(t->device, QUEUE_COMPUTE, view.buffer, view.offset * sizeof(float),
                                n * out->size[i] * sizeof(float), out->part[i] + first * out->size[i], err);
    }
    return ok;
}

static struct plan_config config_of(const strata_data *data, const struct outputs *out, size_t n)
{
    return (struct plan_config){ .part = out->of, .loss_at_logits = out->loss_at_logits, .n = n, .shape = data->x.shape,
                                 .input = data->x.type, .input_scale = data->scale, .extract = out->layers,
                                 .extract_count = out->layers ? out->count : 0 };
}

/* The plans for so many samples; a batch whose parts are not equal takes two, the last batch two more. */
enum { PLANS = 4 };
struct cached {
    struct plan *plan[PLANS];
    size_t n[PLANS], next;
};

static void free_cached(struct cached *cached)
{
    for (int i = 0; i < PLANS; i++) strata_plan_free(cached->plan[i]);
}

static struct plan *plan_for(const struct trainer *t, const strata_data *data, const struct outputs *out, size_t n,
                             struct cached *cached, strata_error *err)
{
    struct plan_config config = config_of(data, out, n);
    for (int i = 0; i < PLANS; i++)
        if (cached->plan[i] && cached->n[i] == n) return cached->plan[i];
    const size_t at = cached->next++ % PLANS;
    config.pool = t->memory.pool.arena ? &t->memory.pool : NULL;
    strata_plan_free(cached->plan[at]);
    cached->n[at] = n;
    return cached->plan[at] = strata_plan_create(t->model, &config, err);
}

/* n samples of the slice from `at` on. */
static bool run_part(const struct trainer *t, const strata_data *data, const struct batch *slice, size_t at, size_t n,
                     struct cached *cached, const struct outputs *out, strata_error *err)
{
    const size_t sample = strata_shape_count(&data->x.shape) * strata_type_size(data->x.type);
    struct plan *plan = plan_for(t, data, out, n, cached, err);
    return plan
           && strata_buffer_write(t->device, QUEUE_COMPUTE, strata_plan_input(plan), 0, n * sample,
                                  (const char *)slice->x + at * sample, err)
           && strata_run_play(strata_plan_run(plan), err) && read_outputs(t, plan, out, slice->first + at, n, err);
}

static bool run_slice(const struct trainer *t, const strata_data *data, const struct batch *slice, struct cached *cached,
                      const struct outputs *out, strata_error *err)
{
    const size_t size = strata_memory_at_once(&t->memory, slice->count, 1);
    bool ok = true;
    for (size_t at = 0; ok && at < slice->count; at += size)
        ok = run_part(t, data, slice, at, slice->count - at < size ? slice->count - at : size, cached, out, err);
    return ok;
}

/* ---- all ranks' slices ------------------------------------------------------------------------------------------------ */

static bool share_slices(const struct trainer *t, size_t global, const struct outputs *out, strata_error *err)
{
    bool ok = true;
    for (int rank = 0; ok && t->ranks > 1 && rank < t->ranks; rank++) {
        struct share share = t->share;
        size_t first, n;
        share.rank = rank;
        strata_share(&share, global, &first, &n);
        for (size_t i = 0; ok && n > 0 && i < out->count; i++)
            ok = strata_comm_broadcast(t->comm, out->part[i] + first * out->size[i], n * out->size[i] * sizeof(float), rank,
                                       err);
    }
    return ok;
}

/* Whether all ranks leave: one of them is asked to. */
static bool hear(const struct trainer *t, struct stopping *stopping, strata_error *err)
{
    if (!stopping || !stopping->asked) return true;
    double asked = stopping->asked(stopping->context);
    if (!strata_comm_max(t->comm, &asked, 1, err)) return false;
    stopping->stopped = asked > 0;
    return true;
}

/* Samples are read ahead while the device computes. What one rank cannot do, such as write to its disk, ends all of them before the
 * next batch. */
static bool run_batches(const struct trainer *t, const strata_data *data, size_t batch, const struct outputs *out,
                        strata_error *err)
{
    struct cached cached = { 0 };
    struct batches_config config = { .data = data, .global_batch = batch, .x_alone = true,
                                     .profile = strata_device_profile(t->device) };
    config.end = strata_batches_steps(&config);
    struct batches *batches = strata_batches_start(&config, &t->share, 0, 0, err);
    bool ok = batches != NULL, all = true;
    for (size_t from = 0; all && from < data->count && !(out->stopping && out->stopping->stopped); from += batch) {
        const size_t global = data->count - from < batch ? data->count - from : batch;
        struct batch slice;
        ok = ok && strata_batches_next(batches, &slice, err) && run_slice(t, data, &slice, &cached, out, err);
        all = strata_comm_agree(t->comm, ok, err) && share_slices(t, global, out, err);
        for (size_t i = 0; all && ok && i < out->count; i++)
            ok = out->rows(out->context, i, from, global, out->part[i], err);
        all = all && hear(t, out->stopping, err);
    }
    strata_batches_stop(batches);
    free_cached(&cached);
    return all && strata_comm_agree(t->comm, ok, err);
}

/* ---- the part that stays the same --------------------------------------------------------------------------------------- */

struct prefix_rows {
    size_t size;
    float *values; /* of all samples */
};

static bool keep_prefix(void *context, size_t output, size_t first, size_t count, const float *values, strata_error *err)
{
    const struct prefix_rows *to = context;
    (void)output;
    (void)err;
    memcpy(to->values + first * to->size, values, count * to->size * sizeof *values);
    return true;
}

bool strata_trainer_prefix(const struct trainer *t, const strata_data *data, size_t batch_size, bool loss_at_logits,
                           size_t size, float *values, struct stopping *stopping, strata_error *err)
{
    struct prefix_rows to = { size, values };
    float *part = strata_alloc(batch_size < data->count ? batch_size : data->count, size * sizeof *part, err);
    const struct outputs out = { .count = 1, .size = &size, .part = &part, .rows = keep_prefix, .context = &to,
                                 .of = PLAN_PREFIX, .loss_at_logits = loss_at_logits, .stopping = stopping };
    const bool ok = strata_comm_agree(t->comm, part != NULL, err) && run_batches(t, data, batch_size, &out, err);
    free(part);
    return ok;
}

/* What is looked at. */
struct looking {
    const struct trainer *t;
    const strata_data *data;
    const struct outputs *out;
};

static bool measure_looking(void *of, const struct memory_use *use, size_t n, struct plan_sizes *sizes, strata_error *err)
{
    const struct looking *l = of;
    struct plan_config config = config_of(l->data, l->out, n);
    (void)use;
    config.unplayed = true;
    struct plan *plan = strata_plan_create(l->t->model, &config, err);
    if (plan) *sizes = strata_plan_sizes(plan);
    strata_plan_free(plan);
    return plan != NULL;
}

static bool run(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                struct outputs *out, strata_error *err)
{
    struct trainer t = { 0 };
    const size_t batch = strata_batch_size_or(batch_size, 32);
    bool ok = strata_trainer_open(&t, model, context, data, false, err);
    if (ok) {
        struct looking looking = { &t, data, out };
        ok = strata_memory_plan_looking(&t, measure_looking, &looking, data->count, batch, err) && strata_comm_agree(t.comm, make_outputs(out, model, data, batch < data->count ? batch : data->count, err), err)
             && run_batches(&t, data, batch, out, err);
    }
    ok = strata_trainer_close(&t, ok, err);
    free_outputs(out);
    return ok;
}

bool strata_model_predict_rows(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                               strata_rows_function *rows, void *rows_context, strata_error *err)
{
    struct outputs out = { .count = 1, .rows = rows, .context = rows_context };
    return run(model, context, data, batch_size, &out, err);
}

bool strata_model_extract_rows(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                               const strata_layer *const *layers, size_t count, strata_rows_function *rows,
                               void *rows_context, strata_error *err)
{
    struct outputs out = { .layers = layers, .count = count, .rows = rows, .context = rows_context };
    if (count == 0) return strata_fail(err, STRATA_EVALUE, "no layer was named whose output is wanted");
    return run(model, context, data, batch_size, &out, err);
}

/* ---- into memory --------------------------------------------------------------------------------------------------------- */

struct whole {
    strata_model *model;
    const strata_data *data;
    const strata_layer *const *layers;
    float **values;
};

/* The size is known to the model once the first rows are there. */
static bool keep(void *context, size_t output, size_t first, size_t count, const float *values, strata_error *err)
{
    const struct whole *w = context;
    struct shape shape;
    if (!strata_model_output_for(w->model, w->layers ? w->layers[output] : NULL, &w->data->x.shape, &shape, err)) return false;
    const size_t size = strata_shape_count(&shape);
    if (!w->values[output]) w->values[output] = strata_alloc(w->data->count * size, sizeof(float), err);
    if (w->values[output]) memcpy(w->values[output] + first * size, values, count * size * sizeof *values);
    return w->values[output] != NULL;
}

static bool drop(float **values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(values[i]);
        values[i] = NULL;
    }
    return false;
}

bool strata_model_predict(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                          float **values, strata_error *err)
{
    struct whole w = { model, data, NULL, values };
    *values = NULL;
    return strata_model_predict_rows(model, context, data, batch_size, keep, &w, err) || drop(values, 1);
}

bool strata_model_extract(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                          const strata_layer *const *layers, size_t count, float **values, strata_error *err)
{
    struct whole w = { model, data, layers, values };
    for (size_t i = 0; i < count; i++) values[i] = NULL;
    return strata_model_extract_rows(model, context, data, batch_size, layers, count, keep, &w, err) || drop(values, count);
}
