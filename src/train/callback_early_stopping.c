/* EarlyStopping. Source: keras/src/callbacks/early_stopping.py. */
#include <math.h>
#include <stdlib.h>
#include <strata/files.h>

#include "base/memory.h"
#include "train/callback_list.h"
#include "train/callback_monitor.h"
#include "train/history.h"

struct config {
    struct monitor monitor;
    long patience, verbose, start_from;
    double baseline; /* NAN: none */
    bool restore_best;
};

struct state {
    long wait, best_epoch;
    double best;
    bool began, kept;
    bool restored; /* the weights are still in the run folder */
    float **weights; /* of the best epoch; NULL: none kept */
    size_t count;
};

static const struct field fields[] = {
    MONITOR_FIELDS(config, monitor),
    MONITOR_DELTA(config, monitor, 0),
    { "patience", FIELD_INT, offsetof(struct config, patience), .min = 0, .max = INFINITY,
      .help = "so many epochs without a better one end training" },
    { "verbose", FIELD_INT, offsetof(struct config, verbose), .otherwise = 0 },
    { "baseline", FIELD_FLOAT, offsetof(struct config, baseline), .nullable = true, .null_default = true,
      .help = "what must be beaten for an epoch to count as better" },
    { "restore_best_weights", FIELD_BOOL, offsetof(struct config, restore_best), .otherwise = false },
    { "start_from_epoch", FIELD_INT, offsetof(struct config, start_from), .min = 0, .max = INFINITY },
    { 0 },
};

/* ---- the best epoch's weights ----------------------------------------------------------------------------------------- */

static void release(void *memory)
{
    struct state *s = memory;
    for (size_t i = 0; s->weights && i < s->count; i++) free(s->weights[i]);
    free(s->weights);
    s->weights = NULL;
    s->count = 0;
}

static bool make_room(struct state *s, const strata_model *model, strata_error *err)
{
    if (s->weights) return true;
    if (!strata_model_weight_count(model, &s->count, err)) return false;
    s->weights = strata_alloc(s->count, sizeof *s->weights, err);
    bool ok = s->weights != NULL;
    for (size_t i = 0; ok && i < s->count; i++)
        ok = (s->weights[i] = strata_alloc(strata_model_weight_info(model, i).count, sizeof(float), err)) != NULL;
    return ok;
}

/* Where a run that goes on finds them. */
static const char best_file[] = "early_stopping.weights.h5";

static bool copy(struct state *s, strata_model *model, strata_error *err)
{
    bool ok = make_room(s, model, err);
    for (size_t i = 0; ok && i < s->count; i++)
        ok = strata_model_get_weight(model, i, s->weights[i], strata_model_weight_info(model, i).count, err);
    s->kept = ok;
    return ok;
}

static bool keep(struct state *s, struct callback_step *step, strata_error *err)
{
    if (!copy(s, step->model, err) || !step->may_resume) return s->kept;
    char *path = strata_callback_path(best_file, step, err);
    const bool ok = path && step->save(step, path, true, err);
    free(path);
    return ok;
}

static bool put_back(const struct state *s, strata_model *model, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s->count; i++)
        ok = strata_model_set_weight(model, i, s->weights[i], strata_model_weight_info(model, i).count, err);
    return ok;
}

/* The weights in the run folder pass through the model, whose own are put back. */
static bool fetch(struct state *s, struct callback_step *step, strata_error *err)
{
    struct state own = { 0 };
    char *path = strata_callback_path(best_file, step, err);
    bool ok = path && copy(&own, step->model, err)
              && strata_model_load_weights(step->model, path, NULL, NULL, err) && copy(s, step->model, err);
    ok = (!own.kept || put_back(&own, step->model, err)) && ok;
    s->restored = false;
    release(&own);
    free(path);
    return ok;
}

/* ---- events --------------------------------------------------------------------------------------------------------------- */

/* A run that goes on keeps the state that was restored. */
static bool train_begin(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    struct state *s = memory;
    if (!s->began) s->best = NAN;
    s->began = true;
    return !s->restored || !((const struct config *)config)->restore_best || fetch(s, step, err);
}

static bool better_epoch(const struct config *c, struct state *s, struct callback_step *step, double value,
                         strata_error *err)
{
    bool beats = true;
    s->best = value;
    s->best_epoch = (long)step->progress->epoch;
    if (c->restore_best && !keep(s, step, err)) return false;
    if (!isnan(c->baseline) && !strata_monitor_better(&c->monitor, step, value, c->baseline, &beats, err)) return false;
    if (beats) s->wait = 0;
    return true;
}

static bool epoch_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    struct state *s = memory;
    double value;
    bool better, there;
    if (!strata_monitor_value(&c->monitor, step, &value, &there, err)) return false;
    if (!there || (long)step->progress->epoch < c->start_from) return true;
    if (c->restore_best && !s->kept && !keep(s, step, err)) return false;
    s->wait++;
    if (!strata_monitor_better(&c->monitor, step, value, s->best, &better, err)) return false;
    if (better) return better_epoch(c, s, step, value, err);
    if (s->wait >= c->patience && step->progress->epoch > 0) {
        step->stop = true;
        step->stop_reason = "early stopping";
    }
    return true;
}

static bool train_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    const struct state *s = memory;
    return !c->restore_best || !s->kept || put_back(s, step->model, err);
}

static json_t *save(const void *memory)
{
    const struct state *s = memory;
    return json_pack("{s:b, s:I, s:I, s:o}", "kept", s->kept, "wait", (json_int_t)s->wait, "best_epoch", (json_int_t)s->best_epoch, "best",
                     strata_exact_number(s->best));
}

static bool restore(void *memory, const json_t *json, strata_error *err)
{
    struct state *s = memory;
    s->wait = (long)json_integer_value(json_object_get(json, "wait"));
    s->best_epoch = (long)json_integer_value(json_object_get(json, "best_epoch"));
    s->began = true;
    s->restored = json_is_true(json_object_get(json, "kept"));
    return strata_exact_value(json_object_get(json, "best"), &s->best)
           || strata_fail(err, STRATA_EFILE, "its state in the checkpoint has no number \"best\"");
}

const struct callback_class strata_callback_early_stopping = {
    .class = { .name = "EarlyStopping", .config_size = sizeof(struct config), .fields = fields,
               .help = "ends training when a number gets no better" },
    .state_size = sizeof(struct state), .train_begin = train_begin, .epoch_end = epoch_end, .train_end = train_end,
    .release = release, .save = save, .restore = restore,
};
