/* Source: saving_utils.py of Keras 3's and Keras 2's legacy formats, and both kerases' optimizers. */
#include "files/compile_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fields.h"

/* Of another Keras; they would be refused as unknown by the other one. */
static const char *const only_keras2[] = { "jit_compile", "is_legacy_optimizer", "decay", "lr", NULL };
static const char *const only_keras3[] = { "loss_scale_factor", "gradient_accumulation_steps", NULL };

static void drop(json_t *json, const char *const *keys)
{
    for (; *keys; keys++) json_object_del(json, *keys);
}

static bool is_text(const json_t *json, const char *text)
{
    return json_is_string(json) && strcmp(json_string_value(json), text) == 0;
}

/* ---- reading ---- */

/* Keras before 2.11 divided the rate by 1 + decay * iterations. */
static json_t *decayed(const json_t *rate, double decay)
{
    return json_pack("{s:s, s:s, s:{s:f, s:f, s:f, s:b, s:s}, s:n}", "module", "keras.optimizers.schedules",
                     "class_name", "InverseTimeDecay", "config", "initial_learning_rate",
                     json_number_value(rate), "decay_steps", 1.0, "decay_rate", decay, "staircase", 0, "name",
                     "InverseTimeDecay", "registered_name");
}

static void modernize_rate(json_t *config)
{
    json_t *old = json_object_get(config, "lr");
    if (old && !json_object_get(config, "learning_rate")) json_object_set(config, "learning_rate", old);
    const json_t *rate = json_object_get(config, "learning_rate");
    const double decay = json_number_value(json_object_get(config, "decay"));
    if (decay > 0 && json_is_number(rate)) json_object_set_new(config, "learning_rate", decayed(rate, decay));
    if (json_is_null(json_object_get(config, "epsilon")))
        json_object_set_new(config, "epsilon", json_real(1e-7));
}

static json_t *read_optimizer(const json_t *optimizer);

/* The optimizer inside a LossScaleOptimizer. */
static void read_inside(json_t *config)
{
    json_t *inside = json_object_get(config, "inner_optimizer");
    if (inside) json_object_set_new(config, "inner_optimizer", read_optimizer(inside));
}

static json_t *read_optimizer(const json_t *optimizer)
{
    const char *name = json_string_value(json_object_get(optimizer, "class_name"));
    if (!name) return json_deep_copy(optimizer);
    json_t *config = json_deep_copy(json_object_get(optimizer, "config"));
    if (json_is_object(config)) {
        modernize_rate(config);
        drop(config, only_keras2);
        read_inside(config);
    }
    const char *mark = strchr(name, '>'); /* Keras 2: "Custom>Adam" */
    return json_pack("{s:s, s:s, s:o, s:n}", "module", "keras.optimizers", "class_name",
                     mark ? mark + 1 : name, "config", config ? config : json_object(), "registered_name");
}

/* A copy without the name of the function, which follows from the class. */
static json_t *without_function(const json_t *object)
{
    json_t *copy = json_deep_copy(object);
    json_object_del(json_object_get(copy, "config"), "fn");
    return copy;
}

/* Keras 2 writes its "accuracy" as what it became. */
static json_t *read_metric(const json_t *metric)
{
    const json_t *config = json_object_get(metric, "config");
    const json_t *name = json_object_get(config, "name"), *function = json_object_get(config, "fn");
    if (!is_text(json_object_get(metric, "class_name"), "MeanMetricWrapper") || !json_is_string(function))
        return without_function(metric);
    if (is_text(name, "accuracy") || is_text(name, "acc")) return json_copy((json_t *)name);
    return json_copy((json_t *)function);
}

/* Keras 2 has one list an output. */
static json_t *read_metrics(const json_t *metrics)
{
    if (!json_is_array(metrics)) return json_deep_copy(metrics);
    const bool inside = json_array_size(metrics) == 1 && json_is_array(json_array_get(metrics, 0));
    const json_t *list = inside ? json_array_get(metrics, 0) : metrics;
    json_t *read = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(read, read_metric(json_array_get(list, i)));
    return read;
}

static json_t *read_loss(const json_t *loss)
{
    json_t *read = without_function(loss);
    json_t *config = json_object_get(read, "config");
    if (is_text(json_object_get(config, "reduction"), "auto"))
        json_object_set_new(config, "reduction", json_string("sum_over_batch_size"));
    return read;
}

/* What is null is left out: to Keras 3 a null steps_per_execution is an error, elsewhere it is what is not there. */
json_t *strata_compile_config_read(const json_t *json, const char *what, strata_error *err)
{
    json_t *read = json_object();
    const char *key;
    const json_t *value;
    if (!json_is_object(json) || !read) {
        json_decref(read);
        strata_fail(err, read ? STRATA_EFILE : STRATA_EMEMORY, "%s: the training config is not an object",
                    what);
        return NULL;
    }
    json_object_foreach((json_t *)json, key, value)
    {
        if (strcmp(key, "optimizer_config") == 0 || strcmp(key, "optimizer") == 0)
            json_object_set_new(read, "optimizer", read_optimizer(value));
        else if (strcmp(key, "metrics") == 0 || strcmp(key, "weighted_metrics") == 0)
            json_object_set_new(read, key, read_metrics(value));
        else if (strcmp(key, "loss") == 0)
            json_object_set_new(read, key, read_loss(value));
        else if (!json_is_null(value) && strcmp(key, "sample_weight_mode") != 0)
            json_object_set(read, key, (json_t *)value);
    }
    return read;
}

/* ---- writing ---- */

/* A loss or metric in it, in any form in which a config names one, that Keras 2 lacks; NULL: none. */
static const char *without_class(const json_t *json)
{
    static const char *const classes[] = { "CategoricalGeneralizedCrossEntropy", "PearsonCorrelation", "ConcordanceCorrelation",
                                           NULL };
    const char *name = json_string_value(json), *found = NULL, *key;
    char snake[STRATA_NAME];
    json_t *value;
    size_t index;
    for (const char *const *class = classes; name && *class; class++)
        if (strcmp(name, *class) == 0 || strcmp(name, strata_snake_case(*class, snake)) == 0) return *class;
    json_array_foreach(json, index, value)
    {
        if (!found) found = without_class(value);
    }
    json_object_foreach((json_t *)json, key, value)
    {
        if (!found) found = without_class(value);
    }
    return found;
}

static bool has_classes(const json_t *compile_config, strata_error *err)
{
    static const char *const keys[] = { "loss", "metrics", "weighted_metrics", NULL };
    for (const char *const *key = keys; *key; key++) {
        const char *name = without_class(json_object_get(compile_config, *key));
        if (name)
            return strata_fail(err, STRATA_EVALUE, "%s: Keras 2 has no %s: write it as Keras 3 has it", *key, name);
    }
    return true;
}

/* What Keras 2's optimizer would compute without. */
static bool has_arguments(const json_t *config, strata_error *err)
{
    if (json_object_get(config, "inner_optimizer"))
        return strata_fail(err, STRATA_EVALUE, "optimizer: the loss is scaled, whose state Keras 2 keeps otherwise: write it as Keras 3 "
                           "has it");
    for (const char *const *key = only_keras3; *key; key++) {
        const json_t *value = json_object_get(config, *key);
        char brief[STRATA_JSON_BRIEF];
        if (value && !json_is_null(value))
            return strata_fail(err, STRATA_EVALUE, "optimizer: %s is %s; Keras 2 has no such argument: write it as Keras 3 has it",
                               *key, strata_json_brief(value, brief));
    }
    return true;
}

static json_t *write_optimizer(const json_t *optimizer, strata_flavour flavour)
{
    json_t *config = json_deep_copy(json_object_get(optimizer, "config"));
    const char *name = json_string_value(json_object_get(optimizer, "class_name"));
    char custom[STRATA_NAME + 8] = "Custom>";
    if (!name || !config) {
        json_decref(config);
        return json_deep_copy(optimizer);
    }
    if (flavour == STRATA_FLAVOUR_KERAS3)
        return json_pack("{s:s, s:o}", "class_name", name, "config", config);
    drop(config, only_keras3);
    json_object_set_new(config, "jit_compile", json_false());
    json_object_set_new(config, "is_legacy_optimizer", json_false());
    strncat(custom, name, STRATA_NAME);
    return json_pack("{s:s, s:o}", "class_name", custom, "config", config);
}

/* Keras 2 knows no dtype of losses. */
static json_t *write_loss(const json_t *loss, strata_flavour flavour)
{
    json_t *written = json_deep_copy(loss);
    if (flavour == STRATA_FLAVOUR_KERAS2 && json_is_object(written)) {
        json_object_del(json_object_get(written, "config"), "dtype");
        json_object_del(written, "module");
        json_object_del(written, "registered_name");
    }
    return written;
}

json_t *strata_training_config_write(const json_t *compile_config, strata_flavour flavour, strata_error *err)
{
    const char *key;
    const json_t *value;
    if (flavour == STRATA_FLAVOUR_KERAS2
        && !(has_arguments(json_object_get(json_object_get(compile_config, "optimizer"), "config"), err)
             && has_classes(compile_config, err)))
        return NULL;
    json_t *written = json_object();
    json_object_foreach((json_t *)compile_config, key, value)
    {
        if (strcmp(key, "optimizer") == 0) continue;
        if (strcmp(key, "loss") == 0)
            json_object_set_new(written, key, write_loss(value, flavour));
        else if (flavour == STRATA_FLAVOUR_KERAS3 || strcmp(key, "metrics") == 0
                 || strcmp(key, "weighted_metrics") == 0 || strcmp(key, "loss_weights") == 0)
            json_object_set_new(written, key, json_deep_copy(value));
    }
    const json_t *optimizer = json_object_get(compile_config, "optimizer");
    if (optimizer
        && json_object_set_new(written, "optimizer_config", write_optimizer(optimizer, flavour)) != 0) {
        json_decref(written);
        written = NULL;
    }
    if (!written) strata_fail(err, STRATA_EMEMORY, "out of memory while the training config was written");
    return written;
}

/* ---- asking ---- */

static const json_t *config_of(const json_t *optimizer)
{
    return json_object_get(optimizer, "config");
}

/* What updates the weights. */
static const json_t *innermost(const json_t *compile_config)
{
    const json_t *optimizer = json_object_get(compile_config, "optimizer");
    const json_t *inside = json_object_get(config_of(optimizer), "inner_optimizer");
    return inside ? inside : optimizer;
}

static const char *name_of(const json_t *optimizer)
{
    const char *name = json_string_value(json_object_get(config_of(optimizer), "name"));
    return name && *name ? name : "optimizer";
}

const char *strata_optimizer_name(const json_t *compile_config)
{
    return name_of(json_object_get(compile_config, "optimizer"));
}

const char *strata_inner_optimizer_name(const json_t *compile_config)
{
    const json_t *optimizer = json_object_get(compile_config, "optimizer"), *inside = innermost(compile_config);
    return inside == optimizer ? NULL : name_of(inside);
}

const char *strata_optimizer_class(const json_t *compile_config)
{
    const char *name = json_string_value(json_object_get(innermost(compile_config), "class_name"));
    return name ? name : "";
}

bool strata_constant_rate(const json_t *compile_config, float *rate)
{
    const json_t *value = json_object_get(config_of(innermost(compile_config)), "learning_rate");
    if (rate) *rate = (float)json_number_value(value);
    return json_is_number(value);
}
