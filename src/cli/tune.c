/* strata tune: measures which implementations are fastest for a job's model on this device, and keeps the choices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/tune.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

/* What tune makes of a job. Starts as { 0 }. */
struct subject {
    strata_job *job;
    strata_data *data, *validation;
    strata_model *model;
    strata_context *context;
    strata_tuning tuning;
};

static const char *const outcomes[] = { "measured", "not measured", "wrong", "failed" };

static bool open_all(const struct command *c, struct subject *s, strata_error *err)
{
    const char *devices = c->devices;
    bool ok = (s->job = strata_command_job(c, c->words[0], err)) != NULL;
    if (ok && !devices) devices = strata_job_devices(s->job);
    ok = ok && strata_job_data(s->job, &s->data, &s->validation, err)
         && (s->model = strata_job_model(s->job, s->data, NULL, err)) != NULL;
    if (ok) strata_command_suit(s->data, s->model);
    if (ok) strata_command_suit(s->validation, s->model);
    return (s->context = strata_open_context(devices, ok, err)) != NULL;
}

static bool print_lines(const strata_tuning *t, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < t->count; i++) {
        const strata_tune_line *l = &t->lines[i];
        ok = strata_print_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:b, s:b, s:f}", "event", "tune", "device",
                                         l->device, "step", l->step, "operation", l->operation, "shape", l->shape,
                                         "implementation", l->implementation, "outcome", outcomes[l->outcome], "seconds",
                                         l->seconds, "of_limit", l->of_limit, "default", l->by_default, "chosen", l->chosen,
                                         "gain", l->gain),
                               err);
    }
    return ok && strata_print_json(json_pack("{s:s, s:I, s:I, s:s}", "event", "end", "ops", (json_int_t)t->ops, "unmeasured",
                                             (json_int_t)t->unmeasured, "file", t->path ? t->path : ""), err);
}

static void add_row(struct table *table, const strata_tune_line *l, bool first)
{
    const bool timed = l->outcome == STRATA_TUNE_MEASURED;
    strata_table_add(table, "%s", first ? l->step[0] ? l->step : l->operation : "");
    strata_table_add(table, "%s%s%s", first && l->step[0] ? l->operation : "", first && l->step[0] ? " " : "", first ? l->shape : "");
    strata_table_add(table, "%s%s", l->implementation, l->by_default ? ", default" : "");
    char ms[32] = "", of_limit[32] = "", gain[48] = "";
    snprintf(ms, sizeof ms, "%.3f", 1e3 * l->seconds);
    if (timed) snprintf(of_limit, sizeof of_limit, "%.0f %%", 100 * l->of_limit);
    if (timed && l->chosen && !l->by_default) snprintf(gain, sizeof gain, "%.2f times as fast", l->gain);
    strata_table_add(table, "%s", timed ? ms : outcomes[l->outcome]);
    strata_table_add(table, "%s", of_limit);
    strata_table_add(table, "%s", timed && l->chosen ? "chosen" : "");
    strata_table_add(table, "%s", gain);
}

/* The first line of an op is that of its default. */
static bool print_table(const strata_tuning *t, strata_error *err)
{
    static const char *const head[] = { "step", "operation", "implementation", "ms", "of limit", "", "" };
    struct table table = { .columns = 7, .align = "lllrrll" };
    size_t changed = 0;
    for (size_t i = 0; i < 7; i++) strata_table_add(&table, "%s", head[i]);
    for (size_t i = 0; i < t->count; i++) {
        const strata_tune_line *l = &t->lines[i];
        add_row(&table, l, l->by_default);
        changed += l->chosen && !l->by_default;
    }
    if (!strata_table_print(&table, err)) return false;
    strata_print("%zu ops of one shape each, %zu of %zu choices not the default; they are in %s\n", t->ops, changed,
                 t->ops - t->unmeasured, t->path ? t->path : "");
    if (t->unmeasured > 0)
        strata_print("%zu were not measured, for lack of time, and stay with the default: give more with --seconds\n", t->unmeasured);
    return true;
}

static bool tune(const struct command *c, struct subject *s, double seconds, strata_error *err)
{
    strata_note(c, "%s on %s: measuring for up to %g seconds", strata_model_name(s->model), strata_context_device(s->context),
                seconds);
    return strata_job_tune(s->job, s->model, s->context, s->data, s->validation, seconds, &s->tuning, err)
           && (c->json ? print_lines(&s->tuning, err) : print_table(&s->tuning, err));
}

static bool run(const struct command *c, strata_error *err)
{
    struct subject s = { 0 };
    double seconds;
    const bool ok = strata_command_number(c, "--seconds", 60, &seconds, err) && open_all(c, &s, err) && tune(c, &s, seconds, err);
    if (!ok) strata_tell_failure(c, err);
    strata_tuning_release(&s.tuning);
    strata_model_free(s.model);
    strata_context_free(s.context);
    strata_data_free(s.data);
    strata_data_free(s.validation);
    strata_job_free(s.job);
    return ok;
}

static const struct option options[] = {
    { "--seconds", 0, "S", "how long it measures at most, kernels' building among it; 60" },
    { 0 },
};

extern const struct verb strata_verb_tune;
const struct verb strata_verb_tune = {
    .name = "tune",
    .usage = "JOB.json [--seconds S] [--set KEY=VALUE]",
    .summary = "choose implementations for this model's shapes on this device",
    .details = "  Products and convolutions can be done in several ways, of which a fixed one serves by default. This runs each one that can\n"
               "  serve a shape, for all shapes that the job has in training and validation, in its whole batches and its last ones, the\n"
               "  costly ones first. One whose result is not the default's within rounding is left out; the fastest of the others is\n"
               "  chosen, if it takes 3 % less time than the default. On devices of the class gpu CLBlast's parameters are chosen\n"
               "  too: of Xgemm, the kernel of its products, 16 sets (tiles of 16 to 128, with local memory and without), those\n"
               "  that the device can run, then five sizes from which on that kernel is used, under the best of them.\n"
               "  The choices are kept in tuning.json in the cache folder (STRATA_CACHE_DIR, else XDG_CACHE_HOME/strata or\n"
               "  ~/.cache/strata), by the device's name, driver and class, op and shape. fit, evaluate, predict, extract and bench\n"
               "  use them where they have the same shape, which --profile shows; nothing is ever measured without being\n"
               "  asked for, so runs repeat bit for bit while the file stays as it is. Delete it to have the defaults back. Exact runs\n"
               "  (run.exact) leave the choices out. Under mpirun tune with as many ranks as will train, for shapes are those of a\n"
               "  rank's share: one rank of each type of device measures, and what it found holds for all of that type, as one\n"
               "  of them reads the file and tells the others.\n",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
