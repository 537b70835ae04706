/* Epochs of steps, and what happens between them. */
#include "train/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/profile.h"
#include "model/model.h"

/* ---- logs ------------------------------------------------------------------------------------------------------------- */

/* Room for the losses and metrics, those of validation, and the learning rate. */
bool strata_fit_make_logs(struct fit *f, strata_error *err)
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

void strata_fit_free_logs(struct fit *f)
{
    const size_t values = f->objective ? strata_objective_values(f->objective) : 0;
    for (size_t i = 0; f->validation_names && i < values; i++) free(f->validation_names[i]);
    free(f->validation_names);
    free(f->known);
    free(f->names);
    free(f->values);
}

strata_progress strata_fit_progress(const struct fit *f, bool epoch_end)
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

bool strata_fit_call(struct fit *f, enum callback_event event, const strata_progress *progress, strata_error *err)
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
    strata_comm_work(f->trainer.comm, "ending an epoch", f->epoch + 1);
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
        if (f->step < f->steps && !strata_fit_show(f, err)) return false;
        if (f->interrupted && !f->stop) return strata_fit_shown(f, err) && strata_fit_interrupt(f, false, err);
        if (!save(f, false, false, err)) return false;
    }
    return strata_fit_end_checkpoint(f, err) && strata_fit_shown(f, err) && strata_fit_settle(f, err);
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

static void note_best(struct fit *f)
{
    const size_t values = strata_objective_values(f->objective);
    const double loss = f->values[f->validation && f->count >= 2 * values ? values : 0];
    if (!f->folder || isnan(loss) || loss >= f->best) return;
    f->best = loss;
    f->best_due = true;
}

/* best.keras: the model after the epoch of the least loss. A checkpoint tells which loss that is, so it comes before, or with it. */
static bool save_best(struct fit *f, strata_error *err)
{
    if (!f->best_due) return true;
    f->best_due = false;
    const double start = strata_clock();
    const bool ok = strata_fit_save_in_folder(f, "best.keras", err);
    saved(f, "best.keras", start);
    return ok;
}

/* The epoch's numbers: with exact sums, averaged statistics and validation. */
static bool end_epoch(struct fit *f, strata_error *err)
{
    enum { STOP, ODD, EXTRA };
    double extra[EXTRA] = { f->stop || f->telling.stop, strata_fit_sees_odd(f) };
    strata_comm_work(f->trainer.comm, "ending an epoch", f->epoch + 1);
    if (!strata_fit_drain(f, err) || !strata_fit_sum(f, extra, EXTRA, err) || (extra[ODD] > 0 && !strata_fit_tell_odd(f, err)))
        return false;
    f->stop = extra[STOP] > 0;
    f->count = strata_objective_values(f->objective);
    strata_objective_results(f->objective, f->all, f->values);
    if (!strata_fit_sync(f, err) || !validate(f, err) || !strata_fit_tell_saturated(f, err)) return false;
    log_rate(f);
    strata_progress progress = strata_fit_progress(f, true);
    if (!strata_comm_max(f->trainer.comm, &progress.seconds, 1, err) /* which all ranks are to be told alike */
        || !strata_history_add(f->history, f->names, f->values, f->count, err) || !strata_fit_call(f, CALLBACK_EPOCH_END, &progress, err)
        || !strata_comm_agree(f->trainer.comm, log_event(f, &progress, err), err))
        return false;
    note_best(f);
    strata_comm_phase(f->trainer.comm, "telling its progress", f->step);
    if (f->config->progress && !f->config->progress(f->config->progress_context, &progress)) f->stop = true;
    return true;
}

void strata_fit_begin_epoch(struct fit *f)
{
    for (size_t i = 0; i < f->objective->sums; i++) f->sums[i] = 0;
    f->step = 0;
    f->next_shown = 1;
    f->interval = 1;
}

/* A stop in mid-epoch leaves the epoch unfinished: its numbers are shown, and a checkpoint is where it goes on. */
bool strata_fit_run_epochs(struct fit *f, strata_error *err)
{
    if (f->interrupted) return strata_fit_interrupt(f, false, err); /* while what is frozen was computed */
    while (f->epoch < f->config->epochs && !f->stop) {
        strata_progress progress = strata_fit_progress(f, false);
        f->last_shown = strata_clock();
        f->epoch_start = f->last_shown - f->caching;
        f->caching = 0;
        strata_fit_begin_times(f);
        if ((f->step == 0 && !strata_fit_call(f, CALLBACK_EPOCH_BEGIN, &progress, err)) || !run_steps(f, err)) return false;
        const bool whole = f->step == f->steps;
        if (!whole && !save(f, false, true, err)) return false;
        if (!end_epoch(f, err) || !strata_fit_agree_to_stop(f, err)) return false;
        if (!whole) return save_best(f, err);
        f->epoch++;
        strata_fit_begin_epoch(f);
        const bool at_once = f->stop || f->interrupted;
        if ((!strata_fit_saves_best(f, at_once) && !save_best(f, err)) || !save(f, true, at_once, err) || !strata_fit_tell_times(f, err))
            return false;
        if (f->interrupted && !f->stop && f->epoch < f->config->epochs) return strata_fit_interrupt(f, true, err);
    }
    return true;
}
