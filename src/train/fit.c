/* fit: how a run begins and ends. */
#include "train/fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/choices.h"
#include "dist/context.h"
#include "model/model.h"

strata_fit_config strata_fit_defaults(void)
{
    return (strata_fit_config){ .batch_size = 32, .accumulate = 1, .epochs = 1, .shuffle = true, .progress_seconds = 0.1,
                                .cache_frozen = true, .cache_bytes = (size_t)1 << 30 };
}

/* ---- the beginning -------------------------------------------------------------------------------------------------------------- */

static bool split_data(struct fit *f, const strata_data *data, strata_error *err)
{
    f->data = data;
    f->validation = f->config->validation_data;
    if (f->config->validation_split == 0) return true;
    if (!strata_data_split(data, f->config->validation_split, &f->head, &f->tail, err)) return false;
    f->data = f->head;
    f->validation = f->tail;
    return true;
}

static bool carry_history(struct fit *f, strata_error *err)
{
    if (!f->phase->history) return true;
    json_t *rows = strata_history_save(f->phase->history);
    const bool ok = rows ? strata_history_restore(f->history, rows, err) : strata_fail(err, STRATA_EMEMORY, "out of memory");
    json_decref(rows);
    return ok;
}

static bool prepare_objective(struct fit *f, strata_error *err)
{
    f->objective = strata_objective_create(f->training, f->trainer.model, f->data, err);
    if (!f->objective) return false;
    if (f->validation
        && (!strata_trainer_check_data(f->trainer.model, f->validation, err)
            || !strata_objective_check_data(f->objective, f->trainer.model, f->validation, err)))
        return strata_fail_in(err, "validation");
    enum { EXTRA = 8 };
    f->sums = strata_alloc(f->objective->sums, sizeof *f->sums, err);
    f->all = f->sums ? strata_alloc(f->objective->sums + EXTRA, sizeof *f->all, err) : NULL;
    f->history = f->all ? strata_history_create(err) : NULL;
    if (!f->history || !carry_history(f, err) || !strata_fit_make_logs(f, err) || !strata_fit_make_progress(f, err)) return false;
    const bool classes = f->config->class_weight != NULL;
    strata_fit_cut(f);
    f->passes = strata_trainer_passes(&f->trainer, f->data, f->objective, classes);
    strata_fit_set_exchange(f);
    if (f->validation) f->validation_passes = strata_trainer_passes(&f->trainer, f->validation, f->objective, false);
    f->readback = strata_readback_create(f->trainer.device, f->objective, f->trainer.grain, f->sums, err);
    return f->readback && strata_pace_open(&f->pace, f->trainer.device, f->trainer.rank, err);
}

static bool cache(struct fit *f, strata_error *err)
{
    const double start = strata_clock();
    const bool ok = strata_fit_cache(f, err);
    f->caching = strata_clock() - start;
    return ok;
}

static bool start_batches(struct fit *f, strata_error *err)
{
    const strata_fit_config *c = f->config;
    f->batching = (struct batches_config){ .data = f->passes.data, .global_batch = c->batch_size, .shuffle = c->shuffle,
                                           .seed = c->seed, .steps_per_epoch = c->steps_per_epoch,
                                           .y_type = f->objective->y_type, .class_weight = c->class_weight,
                                           .class_weights = c->class_weights,
                                           .profile = strata_device_profile(f->trainer.device) };
    f->steps = strata_batches_steps(&f->batching);
    f->batching.end = (uint64_t)c->epochs * f->steps;
    if (f->updater && c->rate_scaling != STRATA_RATE_FIXED)
        strata_updater_scale_rate(f->updater, c->rate_scaling == STRATA_RATE_SQRT ? sqrt(f->trainer.ranks) : f->trainer.ranks,
                                  c->warmup_epochs * (double)f->steps);
    f->batches = strata_batches_start(&f->batching, &f->trainer.share, f->epoch, f->step, err);
    return f->batches != NULL;
}

static void warn_of_flags(const struct fit *f, const strata_model *model, int rank)
{
    if (rank == 0 && f->config->warn && strata_model_trainable_changed(model))
        f->config->warn(f->config->warn_context, "trainable was changed since the model was compiled; it takes effect when "
                                                 "the model is compiled again");
}

static enum strata_wire wire_of(const struct fit *f)
{
    switch (f->config->compression) {
    case STRATA_COMPRESSION_BF16: return STRATA_WIRE_BF16;
    case STRATA_COMPRESSION_FP16: return STRATA_WIRE_FP16;
    case STRATA_COMPRESSION_NONE: break;
    }
    return STRATA_WIRE_FLOAT;
}

/* What is wrong with the data is said before anything is written. */
static bool await_data(const struct fit *f, strata_error *err)
{
    const void *x;
    return strata_data_await(f->data, &x, err) && (!f->validation || strata_data_await(f->validation, &x, err));
}

static bool prepare(struct fit *f, strata_model *model, strata_context *context, const strata_data *data,
                    strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    json_t *state = NULL;
    const strata_fit_config *c = f->config;
    strata_comm_watch(comm, c->watch_report > 0 ? c->watch_report : STRATA_WATCH_REPORT,
                      c->watch_stop > 0 ? c->watch_stop : STRATA_WATCH_STOP);
    strata_comm_work(comm, "preparing to train", 0);
    if (!strata_fit_agree_settings(comm, c, err)) return false;
    bool ok = (f->training = strata_training_of(model, err)) != NULL && strata_fit_check(f->config, err)
              && split_data(f, data, err) && (f->callbacks = strata_callbacks_create(f->config->callbacks, err))
              && await_data(f, err) && strata_fit_open_folder(f, model, strata_comm_rank(comm) == 0, err);
    ok = strata_comm_agree(comm, ok, err) && strata_fit_load(f, comm, model, &state, err);
    if (ok && f->phase->skipped) {
        json_decref(state);
        return true;
    }
    strata_device_use_choices(strata_context_device_of(context), !c->exact);
    ok = ok && strata_trainer_open(&f->trainer, model, context, f->data, true, err);
    ok = ok && strata_comm_agree(comm, prepare_objective(f, err), err) && strata_fit_agree(f, err);
    ok = ok && strata_fit_begin_exact(f, err) && strata_fit_limit(f, err) && strata_fit_begin_accumulation(f, err);
    if (ok && f->trainer.params->trainable > 0) {
        size_t most;
        struct buffer *parts = strata_fit_parts(f, &most);
        f->updater = strata_updater_create(f->training, model, f->trainer.params, f->trainer.device, comm, parts,
                                           most, wire_of(f), err);
        ok = f->updater != NULL;
    }
    warn_of_flags(f, model, strata_comm_rank(comm));
    f->seed = f->config->seed;
    f->epoch = f->config->initial_epoch;
    if (ok) strata_fit_begin_epoch(f);
    ok = ok && (!state || strata_fit_restore(f, state, err))
         && strata_fit_begin_balance(f, json_object_get(state, "shares"), err) && cache(f, err)
         && strata_comm_agree(comm, start_batches(f, err), err);
    json_decref(state);
    return ok;
}

/* ---- the end --------------------------------------------------------------------------------------------------------------------- */

/* Keras: the callbacks' end comes after the weights took their averages. */
static bool finish(struct fit *f, strata_error *err)
{
    strata_progress progress = strata_fit_progress(f, true);
    strata_comm_work(f->trainer.comm, "saving what it trained", 0);
    return (!f->updater || strata_updater_finish(f->updater, err)) && strata_fit_call(f, CALLBACK_TRAIN_END, &progress, err)
           && (!f->updater || strata_updater_store(f->updater, err))
           && strata_fit_save_in_folder(f, "last.keras", err) && strata_fit_saved(f, false, err);
}

static void release(struct fit *f)
{
    strata_error ignored = { 0 };
    if (f->trainer.device) (void)strata_device_finish(f->trainer.device, &ignored); /* nothing reads our memory any more */
    strata_event_free(f->uploaded);
    strata_pace_close(&f->pace);
    strata_fit_end_balance(f);
    strata_batches_stop(f->batches);
    strata_readback_free(f->readback);
    strata_passes_free(&f->passes);
    strata_passes_free(&f->validation_passes);
    strata_updater_free(f->updater); /* has memory that passes' recordings used */
    strata_fit_end_exact(f);
    strata_fit_end_accumulation(f);
    strata_frozen_cache_close(&f->cache);
    strata_frozen_cache_close(&f->validation_cache);
    strata_comm_sum_free(f->telling.sum);
    strata_fit_free_logs(f);
    strata_objective_free(f->objective);
    strata_callbacks_free(f->callbacks);
    strata_fit_forget_checkpoint(f);
    strata_saver_stop(f->saver);
    strata_keras_parts_free(f->parts);
    strata_saved_training_release(&f->optimizer);
    free(f->places);
    strata_run_folder_close(f->folder);
    strata_data_free(f->head);
    strata_data_free(f->tail);
    free(f->sums);
    free(f->all);
}

/* A later phase that begins with epoch e does so as if all before it had had its own steps. */
size_t strata_fit_done(const struct fit *f)
{
    const size_t since = (f->epoch - (f->phase->index ? f->config->initial_epoch : 0)) * f->steps + f->step;
    return f->phase->index ? f->phase->steps + since : since;
}

static void leave(struct fit *f)
{
    f->phase->steps = strata_fit_done(f);
    f->phase->best = f->best;
    strata_history_free(f->phase->history);
    f->phase->history = f->history;
    f->history = NULL;
}

bool strata_fit_phase(strata_model *model, strata_context *context, const strata_data *data, const strata_fit_config *config,
                      struct fit_phase *phase, strata_error *err)
{
    strata_fit_config own = *config;
    if (own.batch_per_rank) own.batch_size *= (size_t)strata_context_size(context);
    struct fit f = { .config = &own, .phase = phase, .best = phase->best };
    strata_progress none = { 0 };
    phase->skipped = false;
    bool ok = prepare(&f, model, context, data, err);
    if (ok && !phase->skipped) {
        ok = strata_fit_call(&f, CALLBACK_TRAIN_BEGIN, &none, err) && strata_fit_run_epochs(&f, err) && finish(&f, err);
        if (ok) leave(&f);
    }
    strata_comm_work(strata_context_comm(context), "ending a run", 0);
    strata_history_free(f.history);
    release(&f);
    strata_comm_phase(strata_context_comm(context), "between runs", 0);
    strata_device_use_choices(strata_context_device_of(context), true);
    return strata_trainer_close(&f.trainer, ok, err);
}

bool strata_model_fit(strata_model *model, strata_context *context, const strata_data *data,
                      const strata_fit_config *config, strata_history **history, strata_error *err)
{
    struct fit_phase whole = { .best = INFINITY, .first_epoch = config->initial_epoch };
    const bool ok = strata_fit_phase(model, context, data, config, &whole, err);
    if (ok && history) {
        *history = whole.history;
        whole.history = NULL;
    }
    strata_history_free(whole.history);
    return ok;
}
