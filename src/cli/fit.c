/* strata fit: trains a job; under mpirun one rank a device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>
#include <strata/job.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/load_report.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "cli/progress.h"
#include "cli/signals.h"

/* What a run is made of. Starts as { 0 }. */
struct training {
    strata_job *job;
    strata_context *context;
    strata_data *data, *validation;
    strata_model *model;
    strata_load_report loaded; /* of the job's weights */
    strata_history *history;
};

/* Everything that one rank may fail at by itself comes before the context or is agreed upon. */
static bool prepare(const struct command *c, struct training *t, strata_error *err)
{
    const char *devices = c->devices;
    bool ok = (t->job = strata_command_job(c, c->words[0], err)) != NULL;
    if (ok && !devices) devices = strata_job_devices(t->job);
    ok = ok && strata_job_data(t->job, &t->data, &t->validation, err)
         && (t->model = strata_job_model(t->job, t->data, &t->loaded, err)) != NULL;
    if (ok) strata_command_suit(t->data, t->model);
    if (ok) strata_command_suit(t->validation, t->model);
    t->context = strata_open_timed_context(c, devices, ok, err);
    return t->context
           && strata_context_agree(t->context, strata_command_limit(c, t->context, strata_job_max_memory(t->job), err), err);
}

static void announce(const struct command *c, const struct training *t, const strata_fit_config *config)
{
    const int ranks = strata_context_size(t->context);
    strata_note(c, "%s: %zu samples, batches of %zu, %d rank%s on %s", strata_model_name(t->model),
                strata_data_count(t->data), config->batch_size * (size_t)(config->batch_per_rank ? ranks : 1), ranks, ranks == 1 ? "" : "s",
                strata_context_device(t->context));
}

/* What became of the weights that the job names. */
static bool report_weights(const struct command *c, const struct training *t, strata_error *err)
{
    const char *file = strata_job_weights(t->job);
    if (!file) return true;
    strata_note_load_report(c, file, &t->loaded);
    return !c->json || strata_print_json(json_pack("{s:s, s:s, s:o}", "event", "weights", "file", file, "report",
                                                   strata_load_report_json(&t->loaded)), err);
}

/* -v: the model first. */
static bool show_model(const struct command *c, const struct training *t, strata_error *err)
{
    const strata_summary_options options = { .style = STRATA_FLAVOUR_KERAS3 };
    if (!c->verbose || c->json) return true;
    char *text = strata_model_summary(t->model, &options, err);
    if (text) strata_note(c, "%s", text);
    free(text);
    return text != NULL;
}

/* Quiet or not, a warning is worth its line. */
static void warn(void *context, const char *message)
{
    (void)context;
    fprintf(stderr, "warning: %s\n", message);
}

/* The ranks as the run begins; with -v, what changes. */
static void note(void *context, bool detail, const char *message)
{
    const struct command *c = context;
    if (!detail || c->verbose) strata_note(c, "%s", message);
}

static double last_value(const double *values, size_t epochs)
{
    for (size_t i = epochs; i > 0; i--)
        if (!isnan(values[i - 1])) return values[i - 1];
    return (double)NAN;
}

static json_t *end_event(const struct training *t, const struct progress *p)
{
    json_t *event =
        json_pack("{s:s, s:I, s:I, s:f, s:f}", "event", "end", "epochs", (json_int_t)p->epochs_done,
                  "samples", (json_int_t)p->samples_done, "seconds", p->seconds_done, "samples_per_second",
                  p->seconds_done > 0 ? (double)p->samples_done / p->seconds_done : 0.0);
    const size_t epochs = strata_history_epochs(t->history);
    for (size_t i = 0; event && i < strata_history_count(t->history); i++) {
        const double value = last_value(strata_history_values(t->history, i), epochs);
        json_object_set_new(event, strata_history_name(t->history, i),
                            strata_json_number(value));
    }
    if (event && strata_job_dir(t->job))
        json_object_set_new(event, "dir", json_string(strata_job_dir(t->job)));
    return event;
}

static bool finish(const struct command *c, const struct training *t, const struct progress *p,
                   strata_error *err)
{
    if (c->json) return strata_print_json(end_event(t, p), err);
    if (p->epochs_done == 0) strata_note(c, "nothing left to train");
    if (strata_job_dir(t->job)) strata_note(c, "the run is in %s", strata_job_dir(t->job));
    return true;
}

/* How to go on, in words for the command line: as this run was begun. */
static void tell_how(const struct command *c, const struct training *t, strata_error *err)
{
    char how[900];
    size_t used = (size_t)snprintf(how, sizeof how, "strata fit %s", c->words[0]);
    for (size_t i = 0; i < c->set_count && used < sizeof how; i++)
        used += (size_t)snprintf(how + used, sizeof how - used, " --set '%s'", c->sets[i]);
    if (c->devices && used < sizeof how) snprintf(how + used, sizeof how - used, " --devices %s", c->devices);
    const size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, "; go on with: %s%s --resume",
             strata_context_size(t->context) > 1 ? "mpirun .. " : "", how);
    if (strata_signals_name()) strata_command_fail_in(err, strata_signals_name());
}

static bool train(const struct command *c, struct training *t, strata_error *err)
{
    strata_fit_config config = strata_job_fit_config(t->job);
    struct progress progress = strata_progress_start(c);
    config.validation_data = t->validation;
    config.resume = strata_command_has(c, "--resume");
    config.progress = strata_progress_show;
    config.progress_context = &progress;
    config.warn = warn;
    config.note = note;
    config.note_context = (void *)c;
    config.stop_asked = strata_signals_came;
    if (progress.form != PROGRESS_BAR) config.progress_seconds = INFINITY;
    announce(c, t, &config);
    const bool ok =
        report_weights(c, t, err) && show_model(c, t, err) && strata_job_fit(t->job, t->model, t->context, t->data, &config, &t->history, err);
    if (progress.headed) fputc('\n', stderr);
    if (!ok && err->code == STRATA_ESTOPPED && strata_job_saves(t->job)) tell_how(c, t, err);
    return ok && finish(c, t, &progress, err) && strata_show_profile(c, t->context, err);
}

static bool run(const struct command *c, strata_error *err)
{
    struct training t = { 0 };
    strata_signals_note();
    const bool ok = prepare(c, &t, err) && train(c, &t, err);
    if (!ok) strata_tell_failure(c, err);
    strata_history_free(t.history);
    strata_load_report_free(&t.loaded);
    strata_model_free(t.model);
    strata_data_free(t.data);
    strata_data_free(t.validation);
    strata_context_free(t.context);
    strata_job_free(t.job);
    return ok;
}

static const struct option options[] = {
    { "--resume", 0, NULL, "go on from the newest good checkpoint in the run folder" },
    STRATA_MEMORY_OPTION,
    STRATA_PROFILE_OPTIONS,
    { 0 },
};

extern const struct verb strata_verb_fit;
const struct verb strata_verb_fit = {
    .name = "fit",
    .usage = "JOB.json [--resume] [--max-memory SIZE] [--profile] [--set KEY=VALUE]",
    .summary = "train a job; under mpirun one rank a device",
    .details = "  mpirun -n 2 strata fit JOB.json        the same result on two ranks\n"
               "  strata fit JOB.json --set fit.epochs=5 --set compile.optimizer.Adam.learning_rate=0.01\n"
               "  Ctrl-C, SIGTERM, SIGUSR1 or SIGUSR2, to any rank, saves a checkpoint after the step at hand and exits with 75;\n"
               "  --resume goes on from there, and ends with the same bits as a run that was never stopped. A second\n"
               "  signal ends at once. mpirun gives its ranks one second after Ctrl-C or SIGTERM; kill -USR2 MPIRUN\n"
               "  gives them the time they need.\n"
               "  --max-memory, else the job's run.max_memory, limits what a rank takes of its device: weights, gradients, the optimizer,\n"
               "  activations and what the operations need; not what the driver takes for itself. A rank whose samples of a batch do not\n"
               "  fit runs them in equal parts, whose gradients are added: the update is that of the whole batch but for rounding; batch\n"
               "  normalization takes the statistics of each part, as with fit.accumulate, and one that is synchronized is refused. Each\n"
               "  rank may have its own: mpirun -n 1 strata fit JOB.json --max-memory 2GiB : -n 3 strata fit JOB.json\n",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
