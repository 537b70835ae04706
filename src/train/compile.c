/* compile: what to minimize, how, and what to measure. */
#include "train/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strata/train.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"
#include "train/loss.h"
#include "train/metric.h"

/* ---- life ---------------------------------------------------------------------------------------------------------- */

void strata_training_forget(struct training *t)
{
    struct saved_training state = { .variables = t->variables, .count = t->count };
    strata_saved_training_release(&state);
    t->variables = NULL;
    t->count = 0;
}

static void release(void *memory)
{
    struct training *t = memory;
    strata_training_forget(t);
    strata_object_release(&t->optimizer);
    json_decref(t->rates);
    json_decref(t->loss);
    json_decref(t->metrics);
    json_decref(t->weighted_metrics);
    free(t);
}

struct training *strata_training_of(const strata_model *model, strata_error *err)
{
    struct training *t = strata_model_training(model);
    if (!t)
        strata_fail(err, STRATA_EVALUE, "%s: the model is not compiled; call compile with an optimizer and a loss first",
                    strata_model_name(model));
    return t;
}

void strata_training_adopt(struct training *t, struct saved_variable *variables, size_t count)
{
    strata_training_forget(t);
    t->variables = variables;
    t->count = count;
}

/* ---- the config ------------------------------------------------------------------------------------------------------ */

static const char *const known[] = { "optimizer",   "loss",         "metrics",  "weighted_metrics",    "loss_weights",
                                     "run_eagerly", "jit_compile",  "steps_per_execution", "auto_scale_loss",
                                     "learning_rate_multipliers", "winograd", "dtype_policy" };

static bool check_keys(const json_t *config, strata_error *err)
{
    const size_t count = sizeof known / sizeof *known;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)config, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0) i++;
        if (i < count || key[0] == '#') continue;
        const char *nearest = strata_nearest(key, known, count);
        return nearest ? strata_fail(err, STRATA_EJOB, "unknown key \"%s\"; did you mean \"%s\"?", key, nearest)
                       : strata_fail(err, STRATA_EJOB,
                                     "unknown key \"%s\"; the keys are optimizer, loss, metrics, weighted_metrics", key);
    }
    const json_t *weights = json_object_get(config, "loss_weights");
    return !weights || json_is_null(weights)
           || strata_fail(err, STRATA_EJOB, "loss_weights weighs the losses of several outputs; a Sequential has one");
}

static bool is_any(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcasecmp(name, *names) == 0) return true;
    return false;
}

/* Names whose class depends on shapes are settled when fit begins; all others must be known now. */
static bool check_spec(const struct registry *registry, const json_t *spec, const char *const *later, strata_error *err)
{
    struct object object;
    if (json_is_string(spec) && is_any(json_string_value(spec), later)) return true;
    if (!strata_object_parse(registry, spec, STRATA_KERAS3, &object, err)) return false;
    strata_object_release(&object);
    return true;
}

static bool parse_optimizer(struct training *t, const json_t *config, strata_error *err)
{
    json_t *usual = json_string("rmsprop"); /* Keras's default */
    const json_t *spec = json_object_get(config, "optimizer");
    bool ok = usual || strata_fail(err, STRATA_EMEMORY, "out of memory");
    if (ok && strata_loss_scaling_is(spec))
        ok = strata_loss_scaling_parse(spec, &t->scaling, &t->optimizer, err) || strata_fail_in(err, "optimizer");
    else
        ok = ok && (strata_object_parse(&strata_optimizers, spec ? spec : usual, STRATA_KERAS3, &t->optimizer, err)
                    || strata_fail_in(err, "optimizer"));
    json_decref(usual);
    return ok && (t->optimizer.class || strata_fail(err, STRATA_EJOB, "optimizer is null; name one"));
}

/* Rules like those of trainable. No key of Keras's compile: there one writes a training loop for it. */
static bool parse_rates(struct training *t, const strata_model *model, const json_t *config, strata_error *err)
{
    json_t *rules = json_object_get(config, "learning_rate_multipliers"), *rule;
    size_t i;
    if (!rules || json_is_null(rules)) return true;
    if (!json_is_array(rules))
        return strata_fail(err, STRATA_EJOB, "learning_rate_multipliers is %s; a list of rules such as [\"base/*\", 0.1] is expected",
                           strata_json_kind(rules));
    json_array_foreach(rules, i, rule)
    {
        const json_t *pattern = json_array_get(rule, 0), *factor = json_array_get(rule, 1);
        if (json_array_size(rule) != 2 || !json_is_string(pattern) || !(json_number_value(factor) >= 0) || !json_is_number(factor))
            return strata_fail(err, STRATA_EJOB, "learning_rate_multipliers[%zu] is not a rule such as [\"base/*\", 0.1]", i);
        if (strata_model_count_matching(model, json_string_value(pattern)) == 0)
            return strata_fail(err, STRATA_EJOB, "learning_rate_multipliers[%zu]: no layer's name is like \"%s\"", i,
                               json_string_value(pattern));
    }
    t->rates = json_incref(rules);
    return true;
}

static bool parse_loss(struct training *t, const json_t *config, strata_error *err)
{
    static const char *const later[] = { "crossentropy", "ce", NULL };
    json_t *loss = json_object_get(config, "loss");
    /* Keras takes a list or an object by output, too; here there is one output */
    if (json_is_array(loss) && json_array_size(loss) == 1) loss = json_array_get(loss, 0);
    if (!loss || json_is_null(loss)) return true;
    t->loss = json_incref(loss);
    return check_spec(&strata_losses, loss, later, err) || strata_fail_in(err, "loss");
}

/* A list, in which lists of one output's metrics are laid open. */
static bool flatten(json_t *list, const json_t *specs, strata_error *err)
{
    static const char *const later[] = { "accuracy", "acc", "crossentropy", "ce", NULL };
    if (!specs || json_is_null(specs)) return true;
    if (!json_is_array(specs))
        return (check_spec(&strata_metrics, specs, later, err)
                && json_array_append(list, (json_t *)specs) == 0);
    for (size_t i = 0; i < json_array_size(specs); i++)
        if (!flatten(list, json_array_get(specs, i), err)) return strata_fail_in(err, "[%zu]", i);
    return true;
}

static bool parse_metrics(const json_t *config, const char *key, json_t **list, strata_error *err)
{
    *list = json_array();
    if (!*list) return strata_fail(err, STRATA_EMEMORY, "out of memory");
    return flatten(*list, json_object_get(config, key), err) || strata_fail_in(err, "%s", key);
}

/* Of Strata alone, and not written to files, whose compile config Keras reads. */
static bool parse_winograd(struct training *t, const json_t *config, strata_error *err)
{
    const json_t *winograd = json_object_get(config, "winograd");
    t->winograd = !json_is_false(winograd);
    return !winograd || json_is_boolean(winograd)
           || strata_fail(err, STRATA_EJOB, "winograd is not true or false; false leaves out Winograd's convolution");
}

/* What Keras sets by keras.config.set_dtype_policy before the layers are made. */
static bool set_policy(strata_model *model, const json_t *config, strata_error *err)
{
    enum storage policy = STORAGE_FLOAT32;
    bool stated;
    if (!strata_policy_read(json_object_get(config, "dtype_policy"), "dtype_policy", &policy, &stated, err)) return false;
    if (stated) strata_model_set_policy(model, policy);
    return true;
}

/* Keras scales the loss of a model whose policy keeps gradients as float16, unless it is told not to. */
static bool scale_loss(struct training *t, const strata_model *model, const json_t *config, strata_error *err)
{
    const json_t *automatic = json_object_get(config, "auto_scale_loss");
    if (automatic && !json_is_boolean(automatic))
        return strata_fail(err, STRATA_EJOB, "auto_scale_loss is not true or false");
    if (!t->scaling.on && !json_is_false(automatic) && strata_model_policy(model) == STORAGE_FLOAT16)
        t->scaling = strata_loss_scaling_usual();
    return !t->scaling.on || strata_training_common(t)->gradient_accumulation_steps == STRATA_NO_INT
        || strata_fail(err, STRATA_EJOB, "optimizer: gradient_accumulation_steps does not go with a scaled loss; fit.accumulate "
                       "runs a batch in parts, or set auto_scale_loss to false");
}

bool strata_training_compile(strata_model *model, const json_t *config, strata_error *err)
{
    struct training *t = strata_alloc(1, sizeof *t, err);
    if (!t) return false;
    t->head.collect = strata_training_collect;
    t->rate = NAN;
    t->scalar = 1;
    bool ok = json_is_object(config) || strata_fail(err, STRATA_EJOB, "an object of compile's arguments is expected");
    ok = ok && check_keys(config, err) && parse_optimizer(t, config, err) && parse_rates(t, model, config, err)
         && parse_loss(t, config, err)
         && parse_metrics(config, "metrics", &t->metrics, err)
         && parse_metrics(config, "weighted_metrics", &t->weighted_metrics, err) && parse_winograd(t, config, err)
         && set_policy(model, config, err) && scale_loss(t, model, config, err);
    if (!ok) {
        release(t);
        err->code = err->code == STRATA_EVALUE ? STRATA_EJOB : err->code;
        return false;
    }
    strata_model_snapshot_trainable(model);
    strata_model_set_training(model, t, release);
    return true;
}

bool strata_model_compile(strata_model *model, const char *config, strata_error *err)
{
    json_t *json = strata_json_parse(config, strlen(config), "compile", err);
    const bool ok = json && strata_training_compile(model, json, err);
    json_decref(json);
    return ok || strata_fail_in(err, "compile");
}

/* A name as it is; anything else in the full form, which Keras reads. */
static json_t *full_form(const struct registry *registry, json_t *spec, strata_error *err)
{
    struct object object;
    if (!json_is_object(spec)) return json_incref(spec);
    if (!strata_object_parse(registry, spec, STRATA_KERAS3, &object, err)) return NULL;
    json_t *full = strata_object_write(registry, &object, STRATA_KERAS3, err);
    strata_object_release(&object);
    return full;
}

/* null for an empty list, as Keras writes it. */
static json_t *full_list(json_t *metrics, strata_error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < json_array_size(metrics); i++) {
        json_t *full = full_form(&strata_metrics, json_array_get(metrics, i), err);
        if (!full || json_array_append_new(list, full) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    if (!list || json_array_size(list) > 0) return list;
    json_decref(list);
    return json_null();
}

json_t *strata_training_config(const struct training *t, strata_error *err)
{
    strata_fail(err, STRATA_EMEMORY, "out of memory while the compile config was written");
    json_t *optimizer = strata_object_write(&strata_optimizers, &t->optimizer, STRATA_KERAS3, err);
    if (optimizer && t->scaling.on) optimizer = strata_loss_scaling_write(&t->scaling, optimizer);
    json_t *loss = t->loss ? full_form(&strata_losses, t->loss, err) : json_null();
    json_t *metrics = full_list(t->metrics, err), *weighted = full_list(t->weighted_metrics, err);
    json_t *config = optimizer && loss && metrics && weighted
                         ? json_pack("{s:O, s:O, s:n, s:O, s:O, s:b, s:i, s:b}", "optimizer", optimizer, "loss", loss,
                                     "loss_weights", "metrics", metrics, "weighted_metrics", weighted, "run_eagerly", 0,
                                     "steps_per_execution", 1, "jit_compile", 0)
                         : NULL;
    json_decref(optimizer);
    json_decref(loss);
    json_decref(metrics);
    json_decref(weighted);
    if (config) *err = (strata_error){ 0 };
    return config;
}
