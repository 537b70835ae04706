/* The model that a job describes: made or loaded, bases in it, its weights, what trains, compiled. */
#include "train/job_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strata/files.h>

#include "base/text.h"
#include "data/dataset.h"
#include "model/model.h"
#include "train/training.h"

/* ---- a base -------------------------------------------------------------------------------------------------------- */

/* {"Model": {"file": "base.h5", "trainable": false, "cut": "last_conv", "pooling": "avg"}} */
struct base {
    char *file, *name, *cut;
    int pooling, trainable;
};

enum { POOLING_NONE, POOLING_AVG, POOLING_MAX };
static const char *const poolings[] = { "none", "avg", "max", NULL };

enum { TRAINABLE_AS_SAVED, TRAINABLE_NO, TRAINABLE_YES };

static bool parse_trainable(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    (void)flavour;
    if (!json_is_boolean(json) && !json_is_null(json))
        return strata_fail(err, STRATA_EVALUE, "%s is %s; true or false is expected", field->name, strata_json_brief(json, brief));
    *(int *)at = json_is_null(json) ? TRAINABLE_AS_SAVED : json_is_true(json) ? TRAINABLE_YES : TRAINABLE_NO;
    return true;
}

const struct field strata_job_base_fields[] = {
    { "file", FIELD_STRING, offsetof(struct base, file), .required = true, .help = "a saved model of either Keras" },
    { "name", FIELD_STRING, offsetof(struct base, name), .nullable = true, .null_default = true,
      .help = "what the rules of trainable call it; null: as saved" },
    { "trainable", FIELD_CUSTOM, offsetof(struct base, trainable), .nullable = true, .parse = parse_trainable,
      .help = "null: as saved" },
    { "cut", FIELD_STRING, offsetof(struct base, cut), .nullable = true, .null_default = true,
      .help = "the layer that the base ends with; null: all of it" },
    { "pooling", FIELD_CHOICE, offsetof(struct base, pooling), .choices = poolings, .help = "of its last features" },
    { 0 },
};

static strata_layer *make_base(const struct base *base, strata_error *err)
{
    strata_model *model = strata_model_load(base->file, err);
    if (!model) return NULL;
    const bool ok = (!base->name || strata_model_rename(model, base->name, err))
                    && (!base->cut || strata_model_cut(model, base->cut, err))
                    && (base->pooling == POOLING_NONE
                        || strata_model_pool(model, base->pooling == POOLING_MAX ? STRATA_POOLING_MAX : STRATA_POOLING_AVG, err));
    if (!ok) {
        strata_fail_in(err, "%s", base->file);
        strata_model_free(model);
        return NULL;
    }
    if (base->trainable != TRAINABLE_AS_SAVED) strata_model_set_trainable(model, base->trainable == TRAINABLE_YES);
    return strata_layer_from_model(model, err);
}

/* The config of an entry that names a file; NULL: it is a layer, or a model with its layers. */
static const json_t *base_config(const json_t *entry)
{
    const json_t *config = json_object_size(entry) == 1 ? json_object_get(entry, "Model") : NULL;
    return json_object_get(config, "layers") ? NULL : config;
}

static strata_layer *make_entry(const json_t *entry, enum flavour flavour, strata_error *err)
{
    const json_t *config = base_config(entry);
    struct base base = { 0 };
    if (!config) return strata_layer_from_parsed(entry, flavour, err);
    if (!strata_config_parse(strata_job_base_fields, config, STRATA_KERAS3, NULL, &base, err)) {
        strata_fail_in(err, "Model");
        return NULL;
    }
    strata_layer *layer = make_base(&base, err);
    strata_config_release(strata_job_base_fields, &base);
    return layer;
}

/* ---- the model ------------------------------------------------------------------------------------------------------ */

static strata_model *make_list(const json_t *list, strata_error *err)
{
    const enum flavour flavour = strata_config_flavour(list);
    strata_model *model = strata_sequential_create(NULL, err);
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry)
    {
        strata_layer *layer = model ? make_entry(entry, flavour, err) : NULL;
        if (layer && strata_model_add(model, layer, err)) continue;
        if (model) strata_fail_in(err, "layer %zu", index);
        strata_model_free(model);
        return NULL;
    }
    return model;
}

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
    else if (json_is_array(spec))
        model = make_list(spec, err);
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

const char *strata_job_weights(const strata_job *job)
{
    const json_t *spec = json_object_get(job->json, "weights");
    return json_string_value(json_is_string(spec) ? spec : json_object_get(spec, "file"));
}

static bool load_weights(const strata_job *job, strata_model *model, strata_load_report *report, strata_error *err)
{
    const json_t *spec = json_object_get(job->json, "weights");
    struct weights_spec weights = { 0 };
    if (!spec || json_is_null(spec)) return true;
    if (json_is_string(spec))
        return strata_model_load_weights(model, json_string_value(spec), NULL, report, err)
               || strata_fail_in(err, "%s: weights", job->path);
    if (!strata_config_parse(weights_fields, spec, STRATA_KERAS3, NULL, &weights, err))
        return strata_job_fail_in(job, "weights", err);
    const strata_load_options options = { .by_name = weights.by_name,
                                          .skip_mismatch = weights.skip_mismatch };
    const bool ok = strata_model_load_weights(model, weights.file, &options, report, err);
    strata_config_release(weights_fields, &weights);
    return ok || strata_fail_in(err, "%s: weights", job->path);
}

static bool no_such_layer(const strata_job *job, const strata_model *model, const char *place, size_t rule,
                          const char *pattern, strata_error *err)
{
    struct text names = { 0 };
    for (size_t i = 0; i < strata_model_layer_count(model) && names.length < 1000; i++)
        strata_text_add(&names, "%s%s", i ? ", " : "", strata_layer_name(strata_model_layer(model, i)));
    strata_fail(err, STRATA_EJOB, "%s: %s[%zu]: no layer's name is like \"%s\"; the layers are %s",
                job->path, place, rule, pattern, names.data ? names.data : "none");
    strata_text_free(&names);
    return false;
}

bool strata_job_freeze(const strata_job *job, strata_model *model, const json_t *rules, const char *place, bool apply,
                       strata_error *err)
{
    size_t index;
    json_t *rule;
    if (rules && !json_is_array(rules))
        return strata_fail(err, STRATA_EJOB,
                           "%s: %s is %s; a list of rules such as [\"*\", false] is expected",
                           job->path, place, strata_json_kind(rules));
    json_array_foreach(rules, index, rule)
    {
        const json_t *pattern = json_array_get(rule, 0), *trainable = json_array_get(rule, 1);
        if (json_array_size(rule) != 2 || !json_is_string(pattern) || !json_is_boolean(trainable))
            return strata_fail(err, STRATA_EJOB, "%s: %s[%zu] is not a rule such as [\"*\", false]", job->path, place, index);
        const char *glob = json_string_value(pattern);
        if ((apply ? strata_model_set_trainable_by_name(model, glob, json_is_true(trainable))
                   : strata_model_count_matching(model, glob)) == 0)
            return no_such_layer(job, model, place, index, glob, err);
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

strata_model *strata_job_model(const strata_job *job, const strata_data *data, strata_load_report *report, strata_error *err)
{
    if (report) *report = (strata_load_report){ 0 };
    strata_model *model = make_model(job, err);
    if (model) strata_model_set_seed(model, (uint64_t)job->fit.seed);
    if (model && build(job, model, data, err) && load_weights(job, model, report, err)
        && strata_job_freeze(job, model, json_object_get(job->json, "trainable"), "trainable", true, err)
        && strata_job_check_phases(job, model, err) && compile(job, model, err))
        return model;
    if (report) strata_load_report_free(report);
    strata_model_free(model);
    return NULL;
}
