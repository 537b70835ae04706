/* Cases of golden/training: fit, evaluate and predict as real Keras did them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/train.h>

#include "base/json.h"
#include "device/device.h"
#include "golden_file.h"
#include "model/model.h"
#include "runner.h"
#include "train/training.h"

enum { MOST_LOGS = 4000, MOST_WEIGHTS = 256 };

struct training_case {
    hid_t file;
    strata_model *model;
    strata_data *data, *validation;
    json_t *fit;
    double *class_weight;
    strata_history *history;
    char *message;
    size_t size;
    /* batch_logs: of each step the names and values of that step */
    size_t steps;
    double *logs;
    size_t count;
    char names[32][64];
};

static bool say(struct training_case *c, const char *what, const strata_error *err)
{
    snprintf(c->message, c->size, "%s: %s", what, err->message);
    return false;
}

/* ---- the job's one context -------------------------------------------------------------------------------------- */

static strata_context *context;

void golden_context_free(void)
{
    strata_context_free(context);
    context = NULL;
}

strata_context *golden_context(const struct runner *runner, strata_error *err)
{
    if (context) return context;
    const bool gpu = strata_device_class_of(runner->device) == STRATA_GPU_CLASS;
    setenv("STRATA_DEVICE_CLASS", gpu ? "gpu" : "cpu", 1);
    const strata_context_config config = { 0 };
    context = strata_context_create(&config, err);
    return context;
}

bool golden_output_shape(strata_model *model, const strata_data *data, strata_shape *shape, strata_error *err)
{
    const strata_array x = strata_data_x(data);
    strata_shape sample = { .rank = x.rank - 1 };
    for (int i = 0; i < sample.rank; i++) sample.dim[i] = x.dim[i + 1];
    return strata_model_output_shape_for(model, NULL, &sample, shape, err);
}

/* ---- making it --------------------------------------------------------------------------------------------------- */

static strata_array array_of(const struct golden_array *from)
{
    strata_array array = { .type = from->integer ? STRATA_INT32 : STRATA_FLOAT32, .rank = from->shape.rank,
                           .values = from->integer ? (const void *)from->ints : from->values };
    for (int i = 0; i < from->shape.rank; i++) array.dim[i] = from->shape.dim[i];
    return array;
}

static strata_data *read_data(hid_t file, const char *x_name, const char *y_name, const char *weight_name,
                              strata_error *err)
{
    struct golden_array x, y, weight = { 0 };
    strata_data *data = NULL;
    if (golden_read(file, x_name, &x) && golden_read(file, y_name, &y)) {
        if (weight_name) (void)golden_read(file, weight_name, &weight);
        const strata_array xs = array_of(&x), ys = array_of(&y), ws = array_of(&weight);
        data = strata_data_from_arrays(&xs, &ys, weight.values ? &ws : NULL, err);
        golden_free(&weight);
        golden_free(&y);
    }
    golden_free(&x);
    return data;
}

static bool set_weights(struct training_case *c, strata_error *err)
{
    size_t count;
    bool ok = strata_model_weight_count(c->model, &count, err);
    for (size_t i = 0; ok && i < count; i++) {
        char name[64];
        struct golden_array w;
        snprintf(name, sizeof name, "weights_before/%03zu", i);
        ok = golden_read(c->file, name, &w) && strata_model_set_weight(c->model, i, w.values, w.count, err);
        golden_free(&w);
    }
    return ok;
}

/* Keras 3.15 leaves Huber's delta out of the config that it writes; the generator has it. */
static void repair(const char *path, json_t *compile)
{
    if (strstr(path, "loss_huber_delta"))
        json_object_set_new(json_object_get(json_object_get(compile, "loss"), "config"), "delta", json_real(0.3));
}

static bool compile(struct training_case *c, const char *path, strata_error *err)
{
    char *text = golden_attr(c->file, "compile_config");
    json_t *json = text ? strata_json_parse(text, strlen(text), "compile_config", err) : NULL;
    if (json) repair(path, json);
    const bool ok = json && strata_training_compile(c->model, json, err);
    json_decref(json);
    free(text);
    return ok;
}

static bool load(struct training_case *c, const char *path)
{
    strata_error err = { 0 };
    char *config = golden_attr(c->file, "model_config"), *fit = golden_attr(c->file, "fit_config");
    bool ok = config && fit && (c->model = strata_model_from_json(config, &err))
              && (c->fit = strata_json_parse(fit, strlen(fit), "fit_config", &err))
              && (c->data = read_data(c->file, "x", "y", "sample_weight", &err)) && set_weights(c, &err)
              && compile(c, path, &err);
    if (ok && golden_has(c->file, "x_val"))
        ok = (c->validation = read_data(c->file, "x_val", "y_val", NULL, &err)) != NULL;
    free(config);
    free(fit);
    return ok || say(c, "load", &err);
}

/* ---- training it --------------------------------------------------------------------------------------------------- */

static size_t number(const struct training_case *c, const char *key)
{
    return (size_t)json_integer_value(json_object_get(c->fit, key));
}

static bool keep_logs(void *memory, const strata_progress *p)
{
    struct training_case *c = memory;
    if (c->count == 0) {
        c->count = p->count < 32 ? p->count : 32;
        for (size_t i = 0; i < c->count; i++) snprintf(c->names[i], sizeof c->names[i], "%s", p->names[i]);
    }
    for (size_t i = 0; i < c->count && c->steps < MOST_LOGS; i++) c->logs[c->steps * 32 + i] = p->values[i];
    c->steps++;
    return true;
}

static size_t class_weights(struct training_case *c)
{
    const json_t *given = json_object_get(c->fit, "class_weight");
    const char *key;
    json_t *value;
    size_t count = json_object_size(given);
    if (count == 0) return 0;
    c->class_weight = calloc(count, sizeof(double));
    json_object_foreach((json_t *)given, key, value)
    {
        const size_t class = (size_t)atol(key);
        if (class < count) c->class_weight[class] = json_number_value(value);
    }
    return count;
}

static bool fit(struct training_case *c, strata_context *on)
{
    strata_error err = { 0 };
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = number(c, "batch_size");
    config.epochs = number(c, "epochs");
    config.initial_epoch = number(c, "initial_epoch");
    config.steps_per_epoch = number(c, "steps_per_epoch");
    config.validation_split = json_number_value(json_object_get(c->fit, "validation_split"));
    config.validation_data = c->validation;
    config.validation_batch_size = number(c, "validation_batch_size");
    config.validation_freq = number(c, "validation_freq");
    config.validation_steps = number(c, "validation_steps");
    config.shuffle = false;
    config.class_weights = class_weights(c);
    config.class_weight = c->class_weight;
    config.progress = keep_logs;
    config.progress_context = c;
    config.progress_seconds = 0;
    c->logs = calloc(MOST_LOGS * 32, sizeof *c->logs);
    return strata_model_fit(c->model, on, c->data, &config, &c->history, &err) || say(c, "fit", &err);
}

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

static bool compare(struct training_case *c, const char *name, const float *got, size_t count)
{
    struct golden_array expected;
    bool ok = golden_read(c->file, name, &expected);
    if (!ok) {
        snprintf(c->message, c->size, "%s is not in the file", name);
        return false;
    }
    for (size_t i = 0; expected.integer && i < expected.count; i++) {
        const int value = expected.ints[i]; /* the optimizer's iteration */
        ((float *)expected.ints)[i] = (float)value;
    }
    if (expected.integer) {
        expected.values = (float *)expected.ints;
        expected.ints = NULL;
    }
    if (expected.count != count) {
        snprintf(c->message, c->size, "%s has %zu numbers, Keras %zu", name, count, expected.count);
        ok = false;
    } else {
        ok = golden_close(name, got, &expected, false, c->message, c->size);
    }
    golden_free(&expected);
    return ok;
}

static bool check_logs(struct training_case *c)
{
    float *row = calloc(c->steps + 1, sizeof *row);
    bool ok = row != NULL;
    for (size_t i = 0; ok && i < c->count; i++) {
        char name[128];
        if (strncmp(c->names[i], "val_", 4) == 0) continue;
        snprintf(name, sizeof name, "batch_logs/%s", c->names[i]);
        for (size_t s = 0; s < c->steps; s++) row[s] = (float)c->logs[s * 32 + i];
        ok = compare(c, name, row, c->steps);
    }
    free(row);
    return ok;
}

static bool check_history(struct training_case *c)
{
    char *text = golden_attr(c->file, "metric_names");
    strata_error err = { 0 };
    json_t *names = text ? strata_json_parse(text, strlen(text), "metric_names", &err) : NULL;
    const size_t epochs = strata_history_epochs(c->history);
    float *row = calloc(epochs + 1, sizeof *row);
    bool ok = names && row;
    for (size_t i = 0; ok && i < strata_history_count(c->history); i++) {
        char name[128];
        snprintf(name, sizeof name, "history/%s", strata_history_name(c->history, i));
        size_t count = 0; /* Keras's history has no number where an epoch was not validated */
        for (size_t e = 0; e < epochs; e++) {
            const double value = strata_history_values(c->history, i)[e];
            if (!isnan(value)) row[count++] = (float)value;
        }
        ok = compare(c, name, row, count);
    }
    if (ok && json_array_size(names) != strata_history_count(c->history)) {
        snprintf(c->message, c->size, "history has %zu names, Keras %zu: %s", strata_history_count(c->history),
                 json_array_size(names), text);
        ok = false;
    }
    json_decref(names);
    free(text);
    free(row);
    return ok;
}

static bool check_weights(struct training_case *c)
{
    strata_error err = { 0 };
    size_t count;
    bool ok = strata_model_weight_count(c->model, &count, &err);
    for (size_t i = 0; ok && i < count; i++) {
        char name[64];
        const size_t elements = strata_model_weight_info(c->model, i).count;
        float *values = calloc(elements + 1, sizeof *values);
        snprintf(name, sizeof name, "weights_after/%03zu", i);
        ok = values && strata_model_get_weight(c->model, i, values, elements, &err) && compare(c, name, values, elements);
        free(values);
    }
    return ok;
}

static bool check_optimizer(struct training_case *c)
{
    const struct training *t = strata_model_training(c->model);
    bool ok = true;
    for (size_t i = 0; ok && i < t->count; i++) {
        char name[64];
        const struct saved_variable *v = &t->variables[i];
        const float iteration = (float)v->integers;
        size_t count = 1;
        for (int k = 0; k < v->shape.rank; k++) count *= v->shape.dim[k];
        snprintf(name, sizeof name, "optimizer_after/%03zu", i);
        ok = compare(c, name, v->integer ? &iteration : v->values, count);
        /* "adam/sequential_dense_kernel_momentum": ours is without the optimizer's name */
        char *keras = ok ? golden_dataset_attr(c->file, name, "name") : NULL;
        if (keras && strcmp(strchr(keras, '/') ? strchr(keras, '/') + 1 : keras, v->name) != 0) {
            snprintf(c->message, c->size, "%s is called %s, in Keras %s", name, v->name, keras);
            ok = false;
        }
        free(keras);
    }
    return ok;
}

static bool check_predict(struct training_case *c, strata_context *on)
{
    strata_error err = { 0 };
    float *values = NULL;
    strata_shape shape;
    if (!golden_output_shape(c->model, c->data, &shape, &err)) return say(c, "predict", &err);
    size_t count = strata_data_count(c->data);
    for (int i = 0; i < shape.rank; i++) count *= shape.dim[i];
    if (!strata_model_predict(c->model, on, c->data, 7, &values, &err)) return say(c, "predict", &err);
    const bool ok = compare(c, "predict", values, count);
    free(values);
    return ok;
}

static bool check_evaluate(struct training_case *c, strata_context *on)
{
    strata_error err = { 0 };
    strata_logs logs;
    bool ok = true;
    if (!strata_model_evaluate(c->model, on, c->data, number(c, "batch_size"), &logs, &err))
        return say(c, "evaluate", &err);
    for (size_t i = 0; ok && i < logs.count; i++) {
        char name[128];
        const float value = (float)logs.values[i];
        snprintf(name, sizeof name, "evaluate/%s", logs.names[i]);
        ok = compare(c, name, &value, 1);
    }
    strata_logs_free(&logs);
    return ok;
}

/* ---- devices without half ------------------------------------------------------------------------------------------------- */

static bool needs_half(const struct training_case *c, const struct runner *runner)
{
    char *policy = golden_attr(c->file, "policy");
    const bool needs = policy && strcmp(policy, "mixed_float16") == 0 && !strata_device_has_half(runner->device);
    free(policy);
    return needs;
}

/* It says so, and what to do. */
static bool is_refused(struct training_case *c, strata_context *on)
{
    const strata_fit_config config = strata_fit_defaults();
    strata_error err = { 0 };
    const bool fitted = strata_model_fit(c->model, on, c->data, &config, &c->history, &err);
    if (!fitted && err.code == STRATA_EDEVICE && strstr(err.message, "has no half") && strstr(err.message, "mixed_bfloat16"))
        return true;
    snprintf(c->message, c->size, "on a device without half: %s", fitted ? "it was trained" : err.message);
    return false;
}

/* ---- the kind ------------------------------------------------------------------------------------------------------------ */

static bool matches(const char *path)
{
    const size_t length = strlen(path);
    if (length < 3 || strcmp(path + length - 3, ".h5") != 0) return false;
    const hid_t file = golden_open(path);
    const bool is = file >= 0 && golden_has_attr(file, "fit_config");
    if (file >= 0) H5Fclose(file);
    return is;
}

static bool run(struct runner *runner, const char *path, char *message, size_t size)
{
    strata_error err = { 0 };
    struct training_case c = { .file = golden_open(path), .message = message, .size = size };
    strata_context *on = golden_context(runner, &err);
    bool ok = on != NULL || say(&c, "context", &err);
    ok = ok && load(&c, path);
    if (ok && needs_half(&c, runner))
        ok = is_refused(&c, on);
    else
        ok = ok && fit(&c, on) && check_history(&c) && check_logs(&c) && check_weights(&c) && check_optimizer(&c)
             && check_predict(&c, on) && check_evaluate(&c, on);
    strata_history_free(c.history);
    strata_data_free(c.data);
    strata_data_free(c.validation);
    strata_model_free(c.model);
    json_decref(c.fit);
    free(c.class_weight);
    free(c.logs);
    H5Fclose(c.file);
    return ok;
}

const struct case_kind golden_training = { "training", matches, run };
