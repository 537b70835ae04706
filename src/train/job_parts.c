/* What a job describes, made: data, model, arguments of fit. */
#include "train/job_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strata/files.h>

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
    *opened = strata_data_open_json(source, err);
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
    if (json_object_get(data, "validation") && job->fit.validation_split > 0)
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

/* ---- model ----------------------------------------------------------------------------------------------------- */

static strata_model *make_model(const strata_job *job, strata_error *err)
{
    const json_t *spec = json_object_get(job->json, "model");
    strata_model *model = NULL;
    if (!spec) {
        strata_fail(err, STRATA_EJOB,
                    "%s: model is missing; a list of layers or the path of a model is required", job->path);
        return NULL;
    }
    if (json_is_string(spec))
        model = strata_model_load(json_string_value(spec), err);
    else if (!(model = strata_model_from_parsed(spec, err)) && err->code == STRATA_EFILE)
        err->code = STRATA_EJOB; /* the file that is wrong is the job */
    if (!model) strata_fail_in(err, "%s: model", job->path);
    return model;
}

/* Keras builds at the first batch; so does a job whose model states no input shape. */
static bool build(const strata_job *job, strata_model *model, const strata_data *data, strata_error *err)
{
    if (strata_model_built(model)) return true;
    if (!data)
        return strata_fail(err, STRATA_EJOB,
                           "%s: model: its input shape is not known; begin with an Input, or give data",
                           job->path);
    const strata_array x = strata_data_x(data);
    strata_shape shape = { .rank = x.rank - 1 };
    for (int i = 1; i < x.rank; i++) shape.dim[i - 1] = x.dim[i];
    return strata_model_build(model, &shape, 0, err) || strata_fail_in(err, "%s: model", job->path);
}

struct weights_spec {
    char *file;
    bool by_name, skip_mismatch;
};

static const struct field weights_fields[] = {
    { "file", FIELD_STRING, offsetof(struct weights_spec, file), .required = true },
    { "by_name", FIELD_BOOL, offsetof(struct weights_spec, by_name), .otherwise = false },
    { "skip_mismatch", FIELD_BOOL, offsetof(struct weights_spec, skip_mismatch), .otherwise = false },
    { 0 },
};

static bool load_weights(const strata_job *job, strata_model *model, strata_error *err)
{
    const json_t *spec = json_object_get(job->json, "weights");
    struct weights_spec weights = { 0 };
    if (!spec || json_is_null(spec)) return true;
    if (json_is_string(spec))
        return strata_model_load_weights(model, json_string_value(spec), NULL, NULL, err)
               || strata_fail_in(err, "%s: weights", job->path);
    if (!strata_config_parse(weights_fields, spec, STRATA_KERAS3, NULL, &weights, err))
        return strata_job_fail_in(job, "weights", err);
    const strata_load_options options = { .by_name = weights.by_name,
                                          .skip_mismatch = weights.skip_mismatch };
    const bool ok = strata_model_load_weights(model, weights.file, &options, NULL, err);
    strata_config_release(weights_fields, &weights);
    return ok || strata_fail_in(err, "%s: weights", job->path);
}

static bool no_such_layer(const strata_job *job, const strata_model *model, size_t rule, const char *pattern,
                          strata_error *err)
{
    struct text names = { 0 };
    for (size_t i = 0; i < strata_model_layer_count(model) && names.length < 1000; i++)
        strata_text_add(&names, "%s%s", i ? ", " : "", strata_layer_name(strata_model_layer(model, i)));
    strata_fail(err, STRATA_EJOB, "%s: trainable[%zu]: no layer's name is like \"%s\"; the layers are %s",
                job->path, rule, pattern, names.data ? names.data : "none");
    strata_text_free(&names);
    return false;
}

static bool freeze(const strata_job *job, strata_model *model, strata_error *err)
{
    const json_t *rules = json_object_get(job->json, "trainable");
    size_t index;
    json_t *rule;
    if (rules && !json_is_array(rules))
        return strata_fail(err, STRATA_EJOB,
                           "%s: trainable is %s; a list of rules such as [\"*\", false] is expected",
                           job->path, strata_json_kind(rules));
    json_array_foreach(rules, index, rule)
    {
        const json_t *pattern = json_array_get(rule, 0), *trainable = json_array_get(rule, 1);
        if (json_array_size(rule) != 2 || !json_is_string(pattern) || !json_is_boolean(trainable))
            return strata_fail(err, STRATA_EJOB, "%s: trainable[%zu] is not a rule such as [\"*\", false]",
                               job->path, index);
        if (strata_model_set_trainable_by_name(model, json_string_value(pattern), json_is_true(trainable))
            == 0)
            return no_such_layer(job, model, index, json_string_value(pattern), err);
    }
    return true;
}

static bool compile(const strata_job *job, strata_model *model, strata_error *err)
{
    const json_t *spec = json_object_get(job->json, "compile");
    if (spec && !json_is_object(spec))
        return strata_fail(err, STRATA_EJOB, "%s: compile is %s; an object is expected", job->path,
                           strata_json_kind(spec));
    if (!spec)
        return strata_fail(err, STRATA_EJOB,
                           "%s: compile is missing; {\"optimizer\": .., \"loss\": .., \"metrics\": [..]} "
                           "is required",
                           job->path);
    return strata_training_compile(model, spec, err) || strata_job_fail_in(job, "compile", err);
}

strata_model *strata_job_model(const strata_job *job, const strata_data *data, strata_error *err)
{
    strata_model *model = make_model(job, err);
    if (model) strata_model_set_seed(model, (uint64_t)job->fit.seed);
    if (model && build(job, model, data, err) && load_weights(job, model, err) && freeze(job, model, err)
        && compile(job, model, err))
        return model;
    strata_model_free(model);
    return NULL;
}

/* ---- fit ------------------------------------------------------------------------------------------------------- */

static size_t count_or_none(long value)
{
    return value == STRATA_NO_INT ? 0 : (size_t)value;
}

strata_fit_config strata_job_fit_config(const strata_job *job)
{
    strata_fit_config config = strata_fit_defaults();
    const struct job_fit *fit = &job->fit;
    config.batch_size = (size_t)fit->batch_size;
    config.epochs = (size_t)fit->epochs;
    config.initial_epoch = (size_t)fit->initial_epoch;
    config.shuffle = fit->shuffle;
    config.seed = (uint64_t)fit->seed;
    config.validation_split = fit->validation_split;
    config.validation_batch_size = count_or_none(fit->validation_batch_size);
    config.validation_freq = (size_t)fit->validation_freq;
    config.steps_per_epoch = count_or_none(fit->steps_per_epoch);
    config.class_weight = fit->class_weight.values;
    config.class_weights = fit->class_weight.count;
    config.callbacks = job->callbacks;
    config.run_dir = job->dir;
    config.checkpoint = job->dir ? job->checkpoint : NULL;
    config.job = job->text;
    return config;
}
