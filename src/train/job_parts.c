/* What a job describes, made: data, model, arguments of fit. */
#include "train/job_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/dataset.h"
#include "model/model.h"
#include "train/training.h"

/* ---- data ------------------------------------------------------------------------------------------------------ */

static bool known_sources(const strata_job *job, const json_t *data, strata_error *err)
{
    static const char *const names[] = { "train", "validation" };
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)data, key, value)
    {
        if (strcmp(key, names[0]) == 0 || strcmp(key, names[1]) == 0) continue;
        const char *nearest = strata_nearest(key, names, 2);
        return strata_fail(err, STRATA_EJOB, "%s: data: unknown key \"%s\"; %s%s%s", job->path, key,
                           nearest ? "did you mean \"" : "the keys are train and validation",
                           nearest ? nearest : "", nearest ? "\"?" : "");
    }
    return true;
}

static bool open_source(const strata_job *job, const json_t *data, const char *name, strata_data **opened,
                        strata_error *err)
{
    const json_t *source = json_object_get(data, name);
    *opened = NULL;
    if (!source || json_is_null(source)) return true;
    *opened = strata_data_open_json(source, true, err);
    return *opened || strata_fail_in(err, "%s: data.%s", job->path, name);
}

bool strata_job_data(const strata_job *job, strata_data **train, strata_data **validation, strata_error *err)
{
    const json_t *data = json_object_get(job->json, "data");
    *train = *validation = NULL;
    if (!json_is_object(data) || !json_object_get(data, "train"))
        return strata_fail(err, STRATA_EJOB,
                           "%s: data.train is missing; a source such as \"fashion-mnist:train\" is "
                           "required",
                           job->path);
    if (json_object_get(data, "validation") && !json_is_null(json_object_get(data, "validation"))
        && job->fit.validation_split > 0)
        return strata_fail(err, STRATA_EJOB,
                           "%s: data.validation and fit.validation_split both name validation data; "
                           "leave one out",
                           job->path);
    if (known_sources(job, data, err) && open_source(job, data, "train", train, err)
        && open_source(job, data, "validation", validation, err))
        return true;
    strata_data_free(*train);
    *train = NULL;
    return false;
}

/* ---- fit ------------------------------------------------------------------------------------------------------- */

static size_t count_or_none(long value)
{
    return value == STRATA_NO_INT ? 0 : (size_t)value;
}

void strata_job_apply_fit(const struct job_fit *fit, strata_fit_config *config)
{
    config->batch_size = (size_t)fit->batch_size;
    config->accumulate = (size_t)fit->accumulate;
    config->batch_per_rank = fit->batch_per_rank;
    config->rate_scaling = (strata_rate_scaling)fit->rate_scaling;
    config->warmup_epochs = fit->warmup_epochs;
    config->epochs = (size_t)fit->epochs;
    config->initial_epoch = (size_t)fit->initial_epoch;
    config->shuffle = fit->shuffle;
    config->seed = (uint64_t)fit->seed;
    config->validation_split = fit->validation_split;
    config->validation_batch_size = count_or_none(fit->validation_batch_size);
    config->validation_freq = (size_t)fit->validation_freq;
    config->validation_steps = count_or_none(fit->validation_steps);
    config->steps_per_epoch = count_or_none(fit->steps_per_epoch);
    config->class_weight = fit->class_weight.values;
    config->class_weights = fit->class_weight.count;
}

strata_fit_config strata_job_fit_config(const strata_job *job)
{
    strata_fit_config config = strata_fit_defaults();
    strata_job_apply_fit(&job->fit, &config);
    config.callbacks = job->callbacks;
    config.run_dir = job->dir;
    config.checkpoint = job->dir ? job->checkpoint : NULL;
    config.cache_frozen = job->run.cache_frozen;
    config.cache_bytes = (size_t)job->run.cache_budget << 20;
    config.job = job->text;
    config.exact = job->run.exact;
    config.watch_report = job->run.watchdog.report;
    config.watch_stop = job->run.watchdog.stop;
    config.balance = job->run.balance.kind;
    config.compression = (strata_compression)job->run.compression;
    config.shares = job->run.balance.shares;
    config.share_count = job->run.balance.count;
    return config;
}
