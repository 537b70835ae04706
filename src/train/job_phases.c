/* A job in phases: recipes that are trained one after the other as one run, such as the head first, then the upper blocks of the base
 * with a small rate. */
#include "train/job_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"
#include "train/fit.h"
#include "train/training.h"

/* {"trainable": [..], "compile": {..}, "fit": {..}}: what differs from the job's own. */
static const json_t *phase_at(const strata_job *job, size_t index)
{
    return json_array_get(json_object_get(job->json, "phases"), index);
}

/* The job's section with the phase's keys in place of its own. */
static json_t *merged(const strata_job *job, size_t index, const char *section)
{
    json_t *all = json_deep_copy(json_object_get(job->json, section));
    json_t *own = json_object_get(phase_at(job, index), section);
    if (!all) all = json_object();
    if (all && own) json_object_update(all, own);
    return all;
}

static bool check_keys(const json_t *phase, strata_error *err)
{
    static const char *const known[] = { "trainable", "compile", "fit" };
    const char *key;
    json_t *value;
    if (!json_is_object(phase))
        return strata_fail(err, STRATA_EJOB, "it is %s; an object with trainable, compile and fit is expected",
                           strata_json_kind(phase));
    json_object_foreach((json_t *)phase, key, value)
    {
        size_t i = 0;
        while (i < 3 && strcmp(known[i], key) != 0) i++;
        if (i == 3) return strata_fail(err, STRATA_EJOB, "unknown key \"%s\"; the keys are trainable, compile and fit", key);
        if (i > 0 && !json_is_object(value))
            return strata_fail(err, STRATA_EJOB, "%s is %s; an object is expected", key, strata_json_kind(value));
        if (i == 2 && json_object_get(value, "initial_epoch"))
            return strata_fail(err, STRATA_EJOB, "fit.initial_epoch: a phase begins where the one before it ends");
    }
    return true;
}

static bool read_phase(strata_job *job, size_t index, strata_error *err)
{
    json_t *fit = NULL;
    const bool ok = check_keys(phase_at(job, index), err) && (fit = merged(job, index, "fit"))
                    && (strata_config_parse(strata_job_fit_fields, fit, STRATA_KERAS3, NULL, &job->phases[index], err)
                        || strata_fail_in(err, "fit"));
    json_decref(fit);
    return ok || strata_fail_in(err, "%s: phases[%zu]", job->path, index);
}

bool strata_job_read_phases(strata_job *job, strata_error *err)
{
    const json_t *phases = json_object_get(job->json, "phases");
    if (!phases) return true;
    if (!json_is_array(phases) || json_array_size(phases) == 0)
        return strata_fail(err, STRATA_EJOB, "%s: phases is %s; a list of at least one phase is expected", job->path,
                           strata_json_kind(phases));
    job->phases = strata_alloc(json_array_size(phases), sizeof *job->phases, err);
    for (size_t i = 0; job->phases && i < json_array_size(phases); i++) {
        if (!read_phase(job, i, err)) return false;
        job->phase_count++;
    }
    return job->phases != NULL;
}

void strata_job_free_phases(strata_job *job)
{
    for (size_t i = 0; i < job->phase_count; i++) strata_config_release(strata_job_fit_fields, &job->phases[i]);
    free(job->phases);
}

static bool compile(const strata_job *job, size_t index, strata_model *model, strata_error *err)
{
    json_t *config = merged(job, index, "compile");
    const bool ok = config ? strata_training_compile(model, config, err) : strata_fail(err, STRATA_EMEMORY, "out of memory");
    json_decref(config);
    return ok || strata_fail_in(err, "%s: phases[%zu]: compile", job->path, index);
}

bool strata_job_check_phases(const strata_job *job, strata_model *model, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < job->phase_count; i++) {
        char place[64];
        snprintf(place, sizeof place, "phases[%zu]: trainable", i);
        ok = compile(job, i, model, err)
             && strata_job_freeze(job, model, json_object_get(phase_at(job, i), "trainable"), place, false, err);
    }
    return ok;
}

static void announce(const strata_job *job, const strata_fit_config *config, const strata_context *context, size_t index)
{
    char text[120];
    if (!config->note || strata_context_rank(context) != 0) return;
    snprintf(text, sizeof text, "phase %zu of %zu: epochs %zu to %zu", index + 1, job->phase_count,
             config->initial_epoch + 1, config->epochs);
    config->note(config->note_context, false, text);
}

bool strata_job_enter_phase(const strata_job *job, size_t index, strata_model *model, strata_error *err)
{
    char place[64];
    snprintf(place, sizeof place, "phases[%zu]: trainable", index);
    return strata_job_freeze(job, model, json_object_get(phase_at(job, index), "trainable"), place, true, err)
           && compile(job, index, model, err);
}

static bool run_phase(const strata_job *job, size_t index, strata_model *model, strata_context *context,
                      const strata_data *data, const strata_fit_config *config, struct fit_phase *phase, strata_error *err)
{
    phase->index = index;
    if (!strata_job_enter_phase(job, index, model, err)) return false;
    announce(job, config, context, index);
    return strata_fit_phase(model, context, data, config, phase, err);
}

bool strata_job_fit(const strata_job *job, strata_model *model, strata_context *context, const strata_data *data,
                    const strata_fit_config *config, strata_history **history, strata_error *err)
{
    struct fit_phase phase = { .best = INFINITY, .first_epoch = config->initial_epoch };
    size_t epoch = config->initial_epoch;
    bool ok = true, resume = config->resume;
    if (job->phase_count == 0) return strata_model_fit(model, context, data, config, history, err);
    for (size_t i = 0; ok && i < job->phase_count; i++) {
        strata_fit_config own = *config;
        strata_job_apply_fit(&job->phases[i], &own);
        own.initial_epoch = epoch;
        own.epochs = epoch += (size_t)job->phases[i].epochs;
        own.resume = resume;
        ok = run_phase(job, i, model, context, data, &own, &phase, err);
        resume = resume && phase.skipped;
    }
    if (ok && history) {
        *history = phase.history;
        phase.history = NULL;
    }
    strata_history_free(phase.history);
    return ok;
}
