#include "train/trainer.h"

#include <stdlib.h>

#include "base/memory.h"
#include "dist/context.h"
#include "model/model.h"
#include "train/augment.h"
#include "train/memory.h"

enum { BUCKET_BYTES = 1 << 20 }; /* large enough for the wire, small enough to begin early */

/* ---- data and model ------------------------------------------------------------------------------------------------ */

bool strata_trainer_check_data(const strata_model *model, const strata_data *data, strata_error *err)
{
    char given[STRATA_SHAPE_TEXT], wanted[STRATA_SHAPE_TEXT];
    const strata_shape public = strata_model_input_shape(model);
    const struct shape input = strata_private_shape(&public);
    if (data->count == 0)
        return strata_fail(err, STRATA_EVALUE, "%s: the dataset has no samples", data->name);
    if (!strata_shape_fits(&input, &data->x.shape))
        return strata_fail(err, STRATA_ESHAPE, "%s: samples have shape %s; the model %s takes %s", data->name,
                           strata_shape_text(&data->x.shape, "None", given), strata_model_name(model),
                           strata_shape_text(&input, "None", wanted));
    return true;
}

/* Before the model is asked for anything: what the data wants of augmentation can be done. */
static bool check_augment(const strata_data *data, strata_error *err)
{
    strata_model *model;
    const bool ok = strata_augment_open(data, NULL, &model, err);
    strata_augment_close(ok ? model : NULL);
    return ok;
}

bool strata_trainer_build(strata_model *model, const strata_data *data, strata_error *err)
{
    const strata_shape input = strata_public_shape(&data->x.shape);
    return strata_model_built(model) || strata_model_build(model, &input, 0, err);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

bool strata_trainer_open(struct trainer *t, strata_model *model, strata_context *context, const strata_data *data,
                         bool gradients, strata_error *err)
{
    *t = (struct trainer){ .model = model, .comm = strata_context_comm(context),
                           .device = strata_context_device_of(context) };
    t->memory.limit = strata_context_memory(context, &t->memory.note, &t->memory.note_context);
    t->rank = strata_comm_rank(t->comm);
    t->ranks = strata_comm_size(t->comm);
    t->share = (struct share){ .rank = t->rank, .size = t->ranks };
    bool ok = check_augment(data, err) && strata_trainer_build(model, data, err)
              && strata_trainer_check_data(model, data, err);
    if (ok) {
        t->params = strata_params_bind(model, t->device, gradients, t->ranks > 1 ? BUCKET_BYTES : 0, err);
        ok = t->params != NULL;
    }
    return strata_comm_agree(t->comm, ok, err);
}

bool strata_trainer_close(struct trainer *t, bool ok, strata_error *err)
{
    strata_error later = { 0 };
    strata_buffer_free(t->memory.pool.arena);
    strata_buffer_free(t->memory.pool.input);
    strata_buffer_free(t->memory.pool.scratch);
    t->memory.pool = (struct plan_pool){ 0 };
    if (!t->params) return ok;
    const bool unbound = strata_params_unbind(t->model, &later);
    t->params = NULL;
    if (ok && !unbound) *err = later;
    return ok && unbound;
}

struct passes strata_trainer_passes(const struct trainer *t, const strata_data *data,
                                    const struct objective *objective, bool class_weights)
{
    return (struct passes){ .model = t->model, .device = t->device, .params = t->params, .objective = objective,
                            .pool = t->memory.pool.arena ? &t->memory.pool : NULL, .data = data, .grain = t->grain,
                            .weighted = data->sample_weight.values || class_weights };
}

size_t strata_batch_size_or(size_t given, size_t otherwise)
{
    return given ? given : otherwise;
}

/* ---- evaluating ------------------------------------------------------------------------------------------------------ */

static bool look_at_part(struct passes *passes, const struct batch *batch, struct readback *readback,
                 strata_error *err)
{
    const struct objective *o = passes->objective;
    const double scale = 1 / strata_objective_divisor(o, batch->global_count, batch->global_weight, batch->weight);
    struct event *uploaded = NULL;
    if (batch->count == 0) return true;
    struct pass *pass = strata_passes_get(passes, batch->count, batch->global_count, false, err);
    const struct step_numbers numbers = { .loss_scale = (float)scale };
    bool ok = pass && strata_pass_play(pass, batch, &numbers, &uploaded, err)
              && strata_readback_post(readback, pass, batch, scale, err);
    ok = (!uploaded || strata_event_wait(uploaded, err)) && ok;
    strata_event_free(uploaded);
    return ok;
}

static bool look(const struct trainer *t, struct passes *passes, const struct batch *batch, struct readback *readback,
                 strata_error *err)
{
    bool ok = true;
    const size_t size = t->grain && !t->together ? t->grain : strata_memory_at_once(&t->memory, batch->count, 1);
    if (size >= batch->count) return look_at_part(passes, batch, readback, err);
    for (size_t at = 0; ok && at < batch->count; at += size) {
        const size_t left = batch->count - at;
        const struct batch part = strata_passes_part(passes, batch, at, left < size ? left : size);
        ok = look_at_part(passes, &part, readback, err);
    }
    return ok;
}

static bool look_at(const struct trainer *t, struct passes *passes, size_t batch_size, size_t most, double *sums,
                    strata_error *err)
{
    struct batches_config config = { .data = passes->data, .global_batch = batch_size, .y_type = passes->objective->y_type };
    const size_t all = strata_batches_steps(&config), steps = most && most < all ? most : all;
    config.end = steps;
    struct readback *readback = strata_readback_create(t->device, passes->objective, t->grain, sums, err);
    struct batches *batches = readback ? strata_batches_start(&config, &t->share, 0, 0, err) : NULL;
    bool ok = batches != NULL;
    for (size_t step = 0; ok && step < steps; step++) {
        struct batch batch;
        strata_comm_step(t->comm, "evaluating", step + 1);
        ok = strata_batches_next(batches, &batch, err) && look(t, passes, &batch, readback, err);
    }
    ok = ok && strata_readback_drain(readback, err);
    strata_batches_stop(batches);
    strata_readback_free(readback);
    return ok;
}

bool strata_trainer_evaluate(const struct trainer *t, struct passes *passes, size_t batch_size, size_t steps,
                             double *sums, strata_error *err)
{
    for (size_t i = 0; i < passes->objective->sums; i++) sums[i] = 0;
    const bool ok = look_at(t, passes, batch_size, steps, sums, err);
    strata_comm_phase(t->comm, "evaluating", 0);
    return strata_comm_agree(t->comm, ok, err) && strata_comm_sum(t->comm, sums, passes->objective->sums, err);
}
