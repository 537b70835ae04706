/* Checkpoints: a .keras with the optimizer's state, and in its strata.json what Keras has no place for. A run that goes on
 * from one ends with the same bits as the run that was never stopped: writing one leaves the run itself in the state
 * that reading it makes (moving statistics averaged, sums gathered on rank 0). */
#include "train/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"

/* ---- settings ---------------------------------------------------------------------------------------------------------- */

static const char *const on_failures[] = { "stop", "continue", NULL };

const struct field strata_checkpointing_fields[] = {
    { "every_steps", FIELD_INT, offsetof(struct checkpointing, every_steps), .nullable = true, .null_default = true,
      .min = 1, .max = INFINITY },
    { "every_epochs", FIELD_INT, offsetof(struct checkpointing, every_epochs), .otherwise = 1, .nullable = true,
      .min = 1, .max = INFINITY },
    { "keep", FIELD_INT, offsetof(struct checkpointing, keep), .otherwise = 3, .min = 1, .max = INFINITY },
    { "on_failure", FIELD_CHOICE, offsetof(struct checkpointing, on_failure), .choices = on_failures },
    { 0 },
};

static bool parse_settings(struct fit *f, strata_error *err)
{
    const char *text = f->config->checkpoint;
    if (!text) return true;
    json_t *json = strata_json_parse(text, strlen(text), "checkpoint", err);
    const bool ok = json && (strata_config_parse(strata_checkpointing_fields, json, STRATA_KERAS3, NULL, &f->checkpointing, err)
                             || strata_fail_in(err, "checkpoint"));
    json_decref(json);
    if (!ok && err->code == STRATA_EVALUE) err->code = STRATA_EJOB;
    return ok;
}

/* Said before the first step, not by the first checkpoint. */
static bool is_savable(const strata_model *model, strata_error *err)
{
    json_t *config = strata_model_write(model, STRATA_KERAS3, err);
    json_decref(config);
    return config || strata_fail_in(err, "the run's files are Keras 3's");
}

bool strata_fit_open_folder(struct fit *f, const strata_model *model, bool writes, strata_error *err)
{
    if (!parse_settings(f, err)) return false;
    if (!f->config->run_dir) return true;
    if (!is_savable(model, err)) return false;
    f->folder = strata_run_folder_open(f->config->run_dir, f->config->job, writes, err);
    if (f->folder && writes && f->config->checkpoint)
        f->saver = strata_saver_start(f->folder, (size_t)f->checkpointing.keep, err);
    return f->folder && (f->saver || !writes || !f->config->checkpoint);
}

/* ---- saving the model ---------------------------------------------------------------------------------------------------- */

bool strata_fit_save(struct fit *f, const char *path, strata_error *err)
{
    strata_comm_work(f->trainer.comm, "saving the model", f->step);
    bool ok = strata_fit_sync(f, err) && (!f->updater || strata_updater_store(f->updater, err));
    if (ok && f->trainer.rank == 0) ok = strata_model_save(f->trainer.model, path, NULL, err);
    return strata_comm_agree(f->trainer.comm, ok, err);
}

bool strata_fit_save_in_folder(struct fit *f, const char *name, strata_error *err)
{
    if (!f->folder) return true;
    char *path = strata_run_folder_path(f->folder, name, err);
    const bool ok = strata_comm_agree(f->trainer.comm, path != NULL, err) && strata_fit_save(f, path, err);
    free(path);
    return ok;
}

/* ---- writing a checkpoint -------------------------------------------------------------------------------------------------- */

static json_t *exact_list(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) json_array_append_new(list, strata_exact_number(values[i]));
    return list;
}

json_t *strata_fit_conditions(const struct fit *f)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)f->config->seed);
    return json_pack("{s:I, s:b, s:s, s:I, s:I, s:I}", "batch_size", (json_int_t)f->config->batch_size, "shuffle",
                     f->config->shuffle, "seed", seed, "steps_per_epoch", (json_int_t)f->config->steps_per_epoch,
                     "initial_epoch", (json_int_t)f->config->initial_epoch, "samples", (json_int_t)f->data->count);
}

static json_t *state_of(const struct fit *f, strata_error *err)
{
    const struct training *t = f->training;
    json_t *state = json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?}", "format", STRATA_CHECKPOINT_FORMAT, "step",
                              (json_int_t)strata_fit_done(f), "epoch", (json_int_t)f->epoch,
                              "step_in_epoch", (json_int_t)f->step, "phase", (json_int_t)f->phase->index,
                              "steps_before", (json_int_t)f->phase->steps, "conditions", strata_fit_conditions(f), "scalar",
                              strata_exact_number(t->scalar), "rate", strata_exact_number(t->rate), "best",
                              strata_exact_number(f->best), "history", strata_history_save(f->history), "callbacks",
                              strata_callbacks_save(f->callbacks), "shares", strata_fit_save_balance(f), "job", f->config->job);
    if (state && f->moment.statistics) json_object_set(state, "statistics", f->moment.statistics);
    json_t *own = strata_training_own(t);
    if (own) json_object_set_new(state, "compile", own);
    if (!state) strata_fail(err, STRATA_EMEMORY, "out of memory while a checkpoint was written");
    return state;
}

static bool path_of_next(const struct fit *f, char **path, strata_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "checkpoints/step-%zu.keras", strata_fit_done(f));
    return (*path = strata_run_folder_path(f->folder, name, err));
}

/* What there is to save of the optimizer; without an updater it stays as it was. */
static bool describe_training(struct fit *f, struct saved_training *saved, strata_error *err)
{
    const struct training *t = f->training;
    if (f->updater && !strata_updater_describe(f->updater, &f->optimizer, err)) return false;
    *saved = (struct saved_training){ .compile_config = strata_training_config(t, err),
                                      .variables = f->updater ? f->optimizer.variables : t->variables,
                                      .count = f->updater ? f->optimizer.count : t->count };
    return saved->compile_config != NULL;
}

static bool make_parts(struct fit *f, const struct saved_training *saved, strata_error *err)
{
    if (f->parts) return true;
    char *path;
    const bool ok = path_of_next(f, &path, err) && (f->places = strata_alloc(saved->count, sizeof *f->places, err))
                    && (f->parts = strata_keras_parts(f->trainer.model, path, saved, err));
    for (size_t i = 0; ok && i < saved->count; i++) f->places[i] = strata_keras_parts_variable(f->parts, i);
    free(path);
    return ok;
}

/* On rank 0: what the next step's forward moves, or its beginning. */
static bool read_moving(struct fit *f, strata_error *err)
{
    struct saved_training *saved = &f->moment.saved;
    return describe_training(f, saved, err) && make_parts(f, saved, err)
           && strata_keras_parts_read_moving(f->parts, f->trainer.model, saved, err)
           && strata_event_mark(f->trainer.device, QUEUE_COMPUTE, &f->moment.there, err)
           && strata_queue_flush(f->trainer.device, QUEUE_COMPUTE, err);
}

/* On rank 0, between updates. */
static bool read_updated(struct fit *f, strata_error *err)
{
    return f->trainer.rank > 0 || strata_keras_parts_read_updated(f->parts, f->trainer.model, err);
}

/* On rank 0: until the weights and slots are there. The next update may follow. */
static bool await_updated(struct fit *f, strata_error *err)
{
    struct event *read = NULL;
    if (f->trainer.rank > 0) return true;
    const bool ok = strata_event_mark(f->trainer.device, QUEUE_COPY, &read, err)
                    && strata_queue_flush(f->trainer.device, QUEUE_COPY, err) && strata_event_wait(read, err);
    strata_event_free(read);
    return ok;
}

void strata_fit_forget_checkpoint(struct fit *f)
{
    json_decref(f->moment.saved.compile_config);
    json_decref(f->moment.saved.strata);
    json_decref(f->moment.statistics);
    strata_event_free(f->moment.there);
    free(f->moment.path);
    free(f->moment.best);
    f->moment = (struct moment){ 0 };
}

/* On rank 0: all else but the sums, to which steps may still be on their way. */
static bool describe_moment(struct fit *f, bool best, strata_error *err)
{
    f->taken = strata_fit_done(f);
    return path_of_next(f, &f->moment.path, err) && (f->moment.saved.strata = state_of(f, err))
           && (!best || (f->moment.best = strata_run_folder_path(f->folder, "best.keras", err)));
}

/* Leaves the rest to the saver. */
static bool post(struct fit *f, strata_error *err)
{
    struct moment *m = &f->moment;
    if (json_object_set_new(m->saved.strata, "sums", exact_list(f->sums, f->objective->sums)) != 0)
        return strata_fail(err, STRATA_EMEMORY, "out of memory while a checkpoint was written");
    if (!strata_keras_parts_describe(f->parts, f->trainer.model, m->path, &m->saved, err)) return false;
    strata_saver_post(f->saver, f->parts, m->best, m->there);
    m->best = NULL;
    m->there = NULL;
    return true;
}

/* A file that could not be written: whether the run goes on without it. */
static bool forgive(const struct fit *f, const strata_error *err)
{
    const bool goes_on = f->checkpointing.on_failure == ON_FAILURE_CONTINUE;
    if (goes_on && f->config->warn) f->config->warn(f->config->warn_context, err->message);
    return goes_on;
}

/* Until the last one is written, or is known to be worth nothing, which is told once. */
static bool await_saver(struct fit *f, strata_error *err)
{
    char odd[STRATA_ODD_NAME];
    const bool ok = strata_saver_wait(f->saver, odd, err), known = f->odd;
    f->odd = odd[0] != '\0';
    if (!f->odd || known) return ok;
    strata_error told = { 0 };
    strata_fail(&told, STRATA_EVALUE, "no checkpoint is written of step %zu and of those that follow like it: %s holds numbers "
                "that are not finite", f->taken, odd);
    if (f->config->warn) f->config->warn(f->config->warn_context, told.message);
    return ok;
}

bool strata_fit_saver_failed(struct fit *f)
{
    strata_error err = { 0 };
    if (!f->saver || !strata_saver_failed(f->saver)) return false;
    if (f->checkpointing.on_failure != ON_FAILURE_CONTINUE) return true;
    if (!await_saver(f, &err)) forgive(f, &err);
    return false;
}

bool strata_fit_saved(struct fit *f, bool must, strata_error *err)
{
    if (!f->folder || !f->config->checkpoint) return true;
    bool ok = !f->saver || await_saver(f, err) || (!must && forgive(f, err));
    if (ok && must && f->odd)
        ok = strata_fail(err, STRATA_EVALUE, "epoch %zu, step %zu of %zu is not saved: numbers are not finite", f->epoch + 1, f->step,
                         f->steps);
    return strata_comm_agree(f->trainer.comm, ok, err);
}

static bool is_due(const struct fit *f, bool epoch_end)
{
    const long steps = f->checkpointing.every_steps, epochs = f->checkpointing.every_epochs;
    const size_t done = strata_fit_done(f);
    if (!epoch_end && f->step == f->steps) return false; /* the epoch's end follows at once */
    if (steps != STRATA_NO_INT && done % (size_t)steps == 0) return true;
    return epoch_end && epochs != STRATA_NO_INT && f->epoch % (size_t)epochs == 0;
}

/* Whether the rest may wait until the next step is queued, so that the device goes on meanwhile. There must be one, whose losses are not
 * on their way to the sums yet then, and in whose middle ranks do not meet. */
static bool may_wait(const struct fit *f, bool epoch_end, bool at_once)
{
    return !epoch_end && !at_once && f->updater && !f->exact && !f->accumulation && !f->exchanged;
}

static bool is_wanted(const struct fit *f, bool epoch_end, bool at_once)
{
    return f->folder && f->config->checkpoint && (at_once || is_due(f, epoch_end));
}

/* A run that goes on without a checkpoint that could not be written would not know that best.keras is an older one. */
bool strata_fit_saves_best(const struct fit *f, bool at_once)
{
    return is_wanted(f, true, at_once) && f->checkpointing.on_failure == ON_FAILURE_STOP;
}

bool strata_fit_checkpoint(struct fit *f, bool epoch_end, bool at_once, strata_error *err)
{
    if (!is_wanted(f, epoch_end, at_once)) return true;
    strata_comm_work(f->trainer.comm, "saving a checkpoint", f->step);
    const bool early = !epoch_end && !is_due(f, epoch_end); /* a run that goes on takes no averages here */
    if (!strata_fit_saved(f, false, err) || (early && !strata_fit_keep_statistics(f, &f->moment.statistics, err)) || !strata_fit_sync(f, err))
        return false;
    const bool best = f->best_due;
    f->best_due = false;
    f->moment.open = true;
    f->moment.ok = f->trainer.rank > 0 || (read_moving(f, &f->moment.error) && describe_moment(f, best, &f->moment.error));
    if (may_wait(f, epoch_end, at_once)) return true;
    return strata_comm_agree(f->trainer.comm, strata_device_finish(f->trainer.device, err), err) && strata_fit_end_checkpoint(f, err);
}

/* Takes what only updates change. */
static bool end(struct fit *f, strata_error *err)
{
    const bool root = f->trainer.rank == 0;
    struct comm *comm = f->trainer.comm;
    *err = f->moment.error;
    if (!strata_comm_agree(comm, f->moment.ok, err) || !strata_fit_drain(f, err)
        || !strata_comm_agree(comm, read_updated(f, err), err)
        || (f->updater && !strata_updater_read(f->updater, &f->optimizer, f->places, err))
        || !strata_comm_agree(comm, await_updated(f, err), err) || !strata_fit_sum(f, NULL, 0, err))
        return false;
    for (size_t i = 0; i < f->objective->sums; i++) f->sums[i] = root ? f->all[i] : 0;
    return strata_comm_agree(comm, !root || post(f, err), err);
}

bool strata_fit_end_checkpoint(struct fit *f, strata_error *err)
{
    if (!f->moment.open) return true;
    f->moment.open = false;
    const bool ok = end(f, err);
    strata_fit_forget_checkpoint(f);
    return ok;
}
