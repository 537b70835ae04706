/* fit: epochs of steps, and what happens between them. */
#include "train/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/profile.h"
#include "dist/context.h"
#include "model/model.h"

strata_fit_config strata_fit_defaults(void)
{
    return (strata_fit_config){ .batch_size = 32, .accumulate = 1, .epochs = 1, .shuffle = true, .progress_seconds = 0.1,
                                .cache_frozen = true, .cache_bytes = (size_t)1 << 30 };
}

/* ---- logs ------------------------------------------------------------------------------------------------------------- */

/* Room for the losses and metrics, those of validation, and the learning rate. */
static bool make_logs(struct fit *f, strata_error *err)
{
    const size_t values = strata_objective_values(f->objective);
    f->room = 2 * values + 1;
    f->names = strata_alloc(f->room, sizeof *f->names, err);
    f->values = f->names ? strata_alloc(f->room, sizeof *f->values, err) : NULL;
    f->validation_names = f->values ? strata_alloc(values, sizeof *f->validation_names, err) : NULL;
    if (!f->validation_names) return false;
    for (size_t i = 0; i < values; i++) {
        char name[300];
        f->names[i] = f->objective->names[i];
        snprintf(name, sizeof name, "val_%s", f->names[i]);
        f->validation_names[i] = strata_copy_text(name, err);
        if (!f->validation_names[i]) return false;
    }
    f->count = values;
    f->known = strata_alloc(2 * values, sizeof *f->known, err);
    for (size_t i = 0; f->known && i < values; i++) {
        f->known[i] = f->names[i];
        f->known[values + i] = f->validation_names[i];
    }
    return f->known != NULL;
}

static void free_logs(struct fit *f)
{
    const size_t values = f->objective ? strata_objective_values(f->objective) : 0;
    for (size_t i = 0; f->validation_names && i < values; i++) free(f->validation_names[i]);
    free(f->validation_names);
    free(f->known);
    free(f->names);
    free(f->values);
}

static strata_progress progress_of(const struct fit *f, bool epoch_end)
{
    const size_t seen = f->step * f->config->batch_size;
    const size_t n = f->data->count;
    return (strata_progress){ .epoch = f->epoch, .epochs = f->config->epochs, .step = f->step, .steps = f->steps,
                              .seconds = strata_clock() - f->epoch_start,
                              .samples = f->config->steps_per_epoch || seen < n ? seen : n, .names = f->names,
                              .values = f->values, .count = f->count, .epoch_end = epoch_end };
}

/* ---- callbacks ----------------------------------------------------------------------------------------------------------- */

static bool save_model(struct callback_step *step, const char *path, bool weights_only, strata_error *err)
{
    (void)weights_only; /* the file's name says it: .weights.h5 */
    return strata_fit_save(step->context, path, err);
}

/* Of a log, by its name without "val_". */
static enum direction direction_of(const struct callback_step *step, const char *name)
{
    const struct objective *o = ((const struct fit *)step->context)->objective;
    if (strncmp(name, "val_", 4) == 0) name += 4;
    for (size_t i = 0; i < o->metric_count; i++)
        if (strcmp(o->metrics[i].name, name) == 0)
            return ((const struct metric_class *)o->metrics[i].metric.class)->direction;
    return strcmp(name, "loss") == 0 ? DIRECTION_DOWN : DIRECTION_UNKNOWN;
}

static bool call(struct fit *f, enum callback_event event, const strata_progress *progress, strata_error *err)
{
    struct callback_step step = {
        .model = f->trainer.model, .writes = f->trainer.rank == 0, .progress = progress,
        .known = f->known, .known_count = strata_objective_values(f->objective) * (f->validation ? 2 : 1),
        .learning_rate = f->updater ? strata_updater_rate(f->updater) : 0,
        .direction = direction_of, .has_schedule = f->updater && strata_updater_has_schedule(f->updater), .folder = f->config->run_dir,
        .may_resume = f->folder && f->config->checkpoint,
        .save = save_model, .context = f,
    };
    const double rate = step.learning_rate;
    const bool ok = strata_callbacks_call(f->callbacks, event, &step, err);
    f->stop = f->stop || step.stop;
    if (f->updater && step.learning_rate != rate) strata_updater_set_rate(f->updater, step.learning_rate);
    return strata_comm_agree(f->trainer.comm, ok, err);
}

/* ---- progress inside an epoch ---------------------------------------------------------------------------------------------- */

static const double look_seconds = 1; /* how often callbacks look when nobody else does */

/* When every rank shows progress again, in steps: by rank 0's clock, which alone decides. */
static double next_interval(const struct fit *f)
{
    const double wanted = fmin(f->config->progress_seconds, look_seconds), spent = strata_clock() - f->last_shown;
    if (wanted == 0 || strata_callbacks_watch_steps(f->callbacks)) return 1;
    const double steps = spent > 0 ? (double)f->interval * wanted / spent : 1;
    return fmin(fmax(floor(steps), 1), fmin(2.0 * (double)f->interval, 1e6));
}

static bool show_progress(struct fit *f, strata_error *err)
{
    const bool exact = f->config->progress_seconds == 0 || strata_callbacks_watch_steps(f->callbacks);
    enum { INTERVAL, STOP, EXTRA };
    double extra[EXTRA] = { f->trainer.rank == 0 ? next_interval(f) : 0, f->stop };
    if (f->step < f->next_shown) return true;
    f->last_shown = strata_clock();
    /* the first steps are still on their way to the host */
    if ((exact || f->step <= READBACK_DEPTH) && !strata_fit_drain(f, err)) return false;
    if (!strata_fit_sum(f, extra, EXTRA, err)) return false;
    strata_objective_results(f->objective, f->all, f->values);
    f->count = strata_objective_values(f->objective);
    f->interval = (size_t)extra[INTERVAL];
    f->next_shown = f->step + f->interval;
    f->stop = extra[STOP] > 0;
    const strata_progress progress = progress_of(f, false);
    strata_comm_phase(f->trainer.comm, "telling its progress", f->step);
    if (f->config->progress && !f->config->progress(f->config->progress_context, &progress)) f->stop = true;
    return call(f, CALLBACK_STEP_END, &progress, err);
}

/* Whether anybody looks at the logs inside an epoch. */
static bool shows_progress(const struct fit *f)
{
    return strata_callbacks_look_inside(f->callbacks)
           || (f->config->progress && isfinite(f->config->progress_seconds));
}

/* ---- an epoch ---------------------------------------------------------------------------------------------------------------- */

/* A checkpoint that was not due takes no time, and is not worth a place on the time line. */
static void saved(struct fit *f, const char *what, double start)
{
    const double seconds = strata_clock() - start;
    f->times.saving += seconds;
    if (seconds > 1e-4) strata_profile_host(strata_device_profile(f->trainer.device), PROFILE_SAVING, what, start);
}

static bool save(struct fit *f, bool epoch_end, bool at_once, strata_error *err)
{
    const double start = strata_clock();
    const bool ok = strata_fit_checkpoint(f, epoch_end, at_once, err);
    saved(f, "checkpoint", start);
    return ok;
}

static bool validate(struct fit *f, strata_error *err)
{
    const size_t values = strata_objective_values(f->objective);
    const size_t every = f->config->validation_freq ? f->config->validation_freq : 1;
    if (!f->validation || (f->epoch + 1) % every != 0) return true;
    const double start = strata_clock();
    if (!strata_trainer_evaluate(&f->trainer, &f->validation_passes,
                                 strata_batch_size_or(f->config->validation_batch_size, f->config->batch_size),
                                 f->config->validation_steps, f->all, err))
        return false;
    f->times.validating += strata_clock() - start;
    strata_objective_results(f->objective, f->all, f->values + values);
    for (size_t i = 0; i < values; i++) f->names[values + i] = f->validation_names[i];
    f->count = 2 * values;
    return true;
}

static void log_rate(struct fit *f)
{
    if (!strata_callbacks_log_rate(f->callbacks)) return;
    f->names[f->count] = "learning_rate";
    f->values[f->count++] = f->updater ? strata_updater_rate(f->updater) * strata_updater_rate_scale(f->updater) : 0;
}

static bool run_steps(struct fit *f, strata_error *err)
{
    while (f->step < f->steps && !f->stop) {
        strata_fit_listen(f);
        if (!strata_fit_step(f, err) || !strata_fit_hear(f, err)) return false;
        if (f->step < f->steps && shows_progress(f) && !show_progress(f, err)) return false;
        if (f->interrupted && !f->stop) return strata_fit_interrupt(f, false, err);
        if (!save(f, false, false, err)) return false;
    }
    return true;
}

static bool log_event(struct fit *f, const strata_progress *p, strata_error *err)
{
    if (!f->folder) return true;
    json_t *event = json_pack("{s:s, s:I, s:I, s:f}", "event", "epoch", "epoch", (json_int_t)f->epoch + 1, "steps",
                              (json_int_t)f->step, "seconds", p->seconds);
    for (size_t i = 0; event && i < f->count; i++)
        json_object_set_new(event, f->names[i], isfinite(f->values[i]) ? json_real(f->values[i]) : json_null());
    return strata_run_folder_log(f->folder, event, err)
           && strata_run_folder_history(f->folder, f->history, f->phase->first_epoch, err);
}

/* best.keras: the model after the epoch of the least loss. */
static bool keep_best(struct fit *f, strata_error *err)
{
    const size_t values = strata_objective_values(f->objective);
    const double loss = f->values[f->validation && f->count >= 2 * values ? values : 0];
    if (!f->folder || isnan(loss) || loss >= f->best) return true;
    f->best = loss;
    const double start = strata_clock();
    const bool ok = strata_fit_save_in_folder(f, "best.keras", err);
    saved(f, "best.keras", start);
    return ok;
}

/* The epoch's numbers: with exact sums, averaged statistics and validation. */
static bool end_epoch(struct fit *f, strata_error *err)
{
    double stop = f->stop;
    strata_comm_phase(f->trainer.comm, "ending an epoch", f->epoch + 1);
    if (!strata_fit_drain(f, err) || !strata_fit_sum(f, &stop, 1, err)) return false;
    f->stop = stop > 0;
    f->count = strata_objective_values(f->objective);
    strata_objective_results(f->objective, f->all, f->values);
    if (!strata_fit_sync(f, err) || !validate(f, err) || !strata_fit_tell_saturated(f, err)) return false;
    log_rate(f);
    strata_progress progress = progress_of(f, true);
    if (!strata_history_add(f->history, f->names, f->values, f->count, err) || !call(f, CALLBACK_EPOCH_END, &progress, err)
        || !strata_comm_agree(f->trainer.comm, log_event(f, &progress, err), err) || !keep_best(f, err))
        return false;
    if (f->config->progress && !f->config->progress(f->config->progress_context, &progress)) f->stop = true;
    return true;
}

static void begin_epoch(struct fit *f)
{
    for (size_t i = 0; i < f->objective->sums; i++) f->sums[i] = 0;
    f->step = 0;
    f->next_shown = 1;
    f->interval = 1;
}

/* A stop in mid-epoch leaves the epoch unfinished: its numbers are shown, and a checkpoint is where it goes on. */
static bool run_epochs(struct fit *f, strata_error *err)
{
    if (f->interrupted) return strata_fit_interrupt(f, false, err); /* while what is frozen was computed */
    while (f->epoch < f->config->epochs && !f->stop) {
        strata_progress progress = progress_of(f, false);
        f->last_shown = strata_clock();
        f->epoch_start = f->last_shown - f->caching;
        f->caching = 0;
        strata_fit_begin_times(f);
        if ((f->step == 0 && !call(f, CALLBACK_EPOCH_BEGIN, &progress, err)) || !run_steps(f, err)) return false;
        const bool whole = f->step == f->steps;
        if (!whole && !save(f, false, true, err)) return false;
        if (!end_epoch(f, err) || !strata_fit_agree_to_stop(f, err)) return false;
        if (!whole) break;
        f->epoch++;
        begin_epoch(f);
        if (!save(f, true, f->stop || f->interrupted, err) || !strata_fit_tell_times(f, err)) return false;
        if (f->interrupted && !f->stop && f->epoch < f->config->epochs) return strata_fit_interrupt(f, true, err);
    }
    return true;
}

/* ---- beginning and end ---------------------------------------------------------------------------------------------------------- */

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
    if (!f->history || !carry_history(f, err) || !make_logs(f, err)) return false;
    const bool classes = f->config->class_weight != NULL;
    f->passes = strata_trainer_passes(&f->trainer, f->data, f->objective, classes);
    strata_fit_set_exchange(f);
    if (f->validation) f->validation_passes = strata_trainer_passes(&f->trainer, f->validation, f->objective, false);
    f->readback = strata_readback_create(f->trainer.device, f->objective, f->config->exact, f->sums, err);
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

static bool prepare(struct fit *f, strata_model *model, strata_context *context, const strata_data *data,
                    strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    json_t *state = NULL;
    const strata_fit_config *c = f->config;
    strata_comm_watch(comm, c->watch_report > 0 ? c->watch_report : STRATA_WATCH_REPORT,
                      c->watch_stop > 0 ? c->watch_stop : STRATA_WATCH_STOP);
    strata_comm_phase(comm, "preparing to train", 0);
    if (!strata_fit_agree_settings(comm, c, err)) return false;
    bool ok = (f->training = strata_training_of(model, err)) != NULL && strata_fit_check(f->config, err)
              && split_data(f, data, err) && (f->callbacks = strata_callbacks_create(f->config->callbacks, err))
              && strata_fit_open_folder(f, strata_comm_rank(comm) == 0, err);
    ok = strata_comm_agree(comm, ok, err) && strata_fit_load(f, comm, model, &state, err);
    if (ok && f->phase->skipped) {
        json_decref(state);
        return true;
    }
    ok = ok && strata_trainer_open(&f->trainer, model, context, f->data, true, err);
    ok = ok && strata_comm_agree(comm, prepare_objective(f, err), err) && strata_fit_agree(f, err);
    ok = ok && strata_fit_begin_exact(f, err) && strata_fit_begin_accumulation(f, err);
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
    if (ok) begin_epoch(f);
    ok = ok && (!state || strata_fit_restore(f, state, err))
         && strata_fit_begin_balance(f, json_object_get(state, "shares"), err) && cache(f, err)
         && strata_comm_agree(comm, start_batches(f, err), err);
    json_decref(state);
    return ok;
}

/* Keras: the callbacks' end comes after the weights took their averages. */
static bool finish(struct fit *f, strata_error *err)
{
    strata_progress progress = progress_of(f, true);
    strata_comm_phase(f->trainer.comm, "saving what it trained", 0);
    return (!f->updater || strata_updater_finish(f->updater, err)) && call(f, CALLBACK_TRAIN_END, &progress, err)
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
    strata_updater_free(f->updater);
    strata_fit_end_exact(f);
    strata_fit_end_accumulation(f);
    strata_passes_free(&f->passes);
    strata_passes_free(&f->validation_passes);
    strata_frozen_cache_close(&f->cache);
    strata_frozen_cache_close(&f->validation_cache);
    free_logs(f);
    strata_objective_free(f->objective);
    strata_callbacks_free(f->callbacks);
    json_decref(f->statistics);
    strata_saver_stop(f->saver);
    strata_keras_parts_free(f->parts);
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
        ok = call(&f, CALLBACK_TRAIN_BEGIN, &none, err) && run_epochs(&f, err) && finish(&f, err);
        if (ok) leave(&f);
    }
    strata_history_free(f.history);
    release(&f);
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
