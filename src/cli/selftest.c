/* strata selftest: small models on every device, against the same in double on the host: their outputs, and the gradients
 * of all kinds of weights, which are what a step of SGD at rate 1 takes away. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/device.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/reference.h"

struct test {
    const char *name;
    size_t shape[3]; /* of a sample; {n, 0, 0}: a vector */
    const char *layers;
};

#define LOGITS "{\"Dense\": {\"units\": 4}}"
#define HEAD "{\"Flatten\": {}}, " LOGITS

static const struct test tests[] = {
    { "dense", { 7 }, "{\"Dense\": {\"units\": 5, \"activation\": \"tanh\"}}, " LOGITS },
    { "dense, wide", { 100 }, "{\"Dense\": {\"units\": 130, \"activation\": \"sigmoid\"}}, " LOGITS },
    { "activations",
      { 9 },
      "{\"Dense\": {\"units\": 8, \"activation\": \"elu\"}}, {\"Dense\": {\"units\": 8, \"activation\": "
      "\"softplus\"}}, "
      "{\"Dense\": {\"units\": 8}}, {\"Activation\": {\"activation\": \"silu\"}}, " LOGITS },
    { "conv",
      { 9, 8, 3 },
      "{\"Conv2D\": {\"filters\": 5, \"kernel_size\": 3, \"activation\": \"tanh\"}}, " HEAD },
    { "conv, strided",
      { 11, 10, 3 },
      "{\"Conv2D\": {\"filters\": 5, \"kernel_size\": [3, 2], \"strides\": 2, \"padding\": "
      "\"same\"}}, " HEAD },
    { "conv, dilated",
      { 8, 8, 2 },
      "{\"Conv2D\": {\"filters\": 3, \"kernel_size\": 3, \"dilation_rate\": 2, \"padding\": "
      "\"same\"}}, " HEAD },
    { "conv, grouped",
      { 6, 6, 4 },
      "{\"Conv2D\": {\"filters\": 6, \"kernel_size\": 3, \"groups\": 2}}, " HEAD },
    { "conv, wide",
      { 10, 9, 16 },
      "{\"Conv2D\": {\"filters\": 32, \"kernel_size\": 3, \"activation\": \"tanh\"}}, "
      "{\"Conv2D\": {\"filters\": 32, \"kernel_size\": 3, \"activation\": \"tanh\"}}, "
      "{\"GlobalAveragePooling2D\": {}}, " LOGITS },
    { "depthwise conv",
      { 7, 7, 3 },
      "{\"DepthwiseConv2D\": {\"kernel_size\": 3, \"depth_multiplier\": 2, \"activation\": "
      "\"tanh\"}}, " HEAD },
    { "max pooling",
      { 8, 9, 2 },
      "{\"Conv2D\": {\"filters\": 3, \"kernel_size\": 2}}, {\"MaxPooling2D\": {\"pool_size\": 3, "
      "\"strides\": 2}}, " HEAD },
    { "average pooling",
      { 7, 7, 2 },
      "{\"Conv2D\": {\"filters\": 3, \"kernel_size\": 1}}, "
      "{\"AveragePooling2D\": {\"pool_size\": 3, \"padding\": \"same\"}}, " HEAD },
    { "global max pooling",
      { 5, 6, 2 },
      "{\"Conv2D\": {\"filters\": 6, \"kernel_size\": 2}}, {\"GlobalMaxPooling2D\": {}}, " LOGITS },
    { "batch normalization",
      { 5, 5, 3 },
      "{\"DepthwiseConv2D\": {\"kernel_size\": 2}}, {\"BatchNormalization\": {}}, "
      "{\"Activation\": {\"activation\": \"tanh\"}}, " HEAD },
    { "layer normalization",
      { 12 },
      "{\"Dense\": {\"units\": 9}}, {\"LayerNormalization\": {}}, {\"Activation\": {\"activation\": "
      "\"tanh\"}}, " LOGITS },
};
enum { TESTS = sizeof tests / sizeof *tests, SAMPLES = 6, CLASSES = 4, PROBES = 24 };

/* ---- one model, on the host and on the device ------------------------------------------------------------------- */

/* Starts as { 0 }. */
struct bench {
    json_t *layers;
    strata_model *model;
    strata_data *data;
    struct host_tensor x;
    int labels[SAMPLES];
    double **weights;
    size_t weight_count;
};

/* In [-1, 1), the same on every run. */
static double draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) * 0x1p-23 - 1;
}

static bool make_model(const struct test *t, struct bench *b, strata_error *err)
{
    char json[2048], dims[64];
    if (t->shape[1])
        snprintf(dims, sizeof dims, "%zu, %zu, %zu", t->shape[0], t->shape[1], t->shape[2]);
    else
        snprintf(dims, sizeof dims, "%zu", t->shape[0]);
    snprintf(json, sizeof json, "[{\"Input\": {\"shape\": [%s]}}, %s]", dims, t->layers);
    b->layers = json_loads(json, 0, NULL);
    if (!b->layers)
        return strata_command_fail(err, STRATA_EBUG, "selftest: the layers of \"%s\" are no JSON", t->name);
    return (b->model = strata_model_from_json(json, err)) != NULL
           && strata_model_compile(b->model,
                                   "{\"optimizer\": {\"SGD\": {\"learning_rate\": 1.0}}, \"loss\": "
                                   "{\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}",
                                   err)
           && strata_model_weight_count(b->model, &b->weight_count, err);
}

/* Random weights of about Glorot's size; what must be positive (gamma, a variance) is around 1. */
static bool set_weight(struct bench *b, size_t index, uint32_t *state, strata_error *err)
{
    const strata_weight_info info = strata_model_weight_info(b->model, index);
    const bool positive = strcmp(info.name, "gamma") == 0 || strcmp(info.name, "moving_variance") == 0;
    const size_t last = info.shape.rank > 0 ? info.shape.dim[info.shape.rank - 1] : 1;
    const double size = info.shape.rank > 1 ? sqrt(3.0 * (double)last / (double)info.count) : 0.3;
    float *values = calloc(info.count + 1, sizeof *values);
    b->weights[index] = calloc(info.count + 1, sizeof **b->weights);
    bool ok = values && b->weights[index];
    for (size_t i = 0; ok && i < info.count; i++) {
        values[i] = (float)(positive ? 1 + 0.3 * draw(state) : size * draw(state));
        b->weights[index][i] = (double)values[i];
    }
    ok = ok ? strata_model_set_weight(b->model, index, values, info.count, err)
            : strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    free(values);
    return ok;
}

static bool make_data(const struct test *t, struct bench *b, uint32_t *state, strata_error *err)
{
    b->x =
        (struct host_tensor){ t->shape[1] ? 4 : 2, { SAMPLES, t->shape[0], t->shape[1], t->shape[2] }, NULL };
    const size_t count = strata_host_count(&b->x);
    float *values = calloc(count, sizeof *values);
    int32_t labels[SAMPLES];
    b->x.values = calloc(count, sizeof *b->x.values);
    if (!values || !b->x.values) {
        free(values);
        return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    }
    for (size_t i = 0; i < count; i++) b->x.values[i] = (double)(values[i] = (float)draw(state));
    for (int i = 0; i < SAMPLES; i++) labels[i] = b->labels[i] = i % CLASSES;
    strata_array x = { .type = STRATA_FLOAT32, .rank = b->x.rank, .values = values };
    memcpy(x.dim, b->x.dim, sizeof b->x.dim);
    const strata_array y = { .type = STRATA_INT32, .rank = 1, .dim = { SAMPLES }, .values = labels };
    b->data = strata_data_from_arrays(&x, &y, NULL, err);
    free(values);
    return b->data != NULL;
}

static bool open_bench(const struct test *t, struct bench *b, strata_error *err)
{
    uint32_t state = 7;
    if (!make_model(t, b, err) || !make_data(t, b, &state, err)) return false;
    b->weights = calloc(b->weight_count + 1, sizeof *b->weights);
    if (!b->weights) return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    for (size_t i = 0; i < b->weight_count; i++)
        if (!set_weight(b, i, &state, err)) return false;
    return true;
}

static void close_bench(struct bench *b)
{
    for (size_t i = 0; b->weights && i < b->weight_count; i++) free(b->weights[i]);
    free(b->weights);
    strata_host_release(&b->x);
    strata_data_free(b->data);
    strata_model_free(b->model);
    json_decref(b->layers);
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

/* Largest distances, each divided by the largest number expected. */
struct errors {
    double outputs, gradients;
};

static bool compare_outputs(const struct bench *b, strata_context *context, double *worst, strata_error *err)
{
    struct host_tensor y = { 0 };
    float *values = NULL;
    double most = 0, distance = 0;
    bool ok = strata_host_forward(b->layers, (const double *const *)b->weights, &b->x, false, &y, err)
              && strata_model_predict(b->model, context, b->data, SAMPLES, &values, err);
    for (size_t i = 0; ok && i < SAMPLES * CLASSES; i++) {
        const double d = fabs((double)values[i] - y.values[i]);
        most = fmax(most, fabs(y.values[i]));
        distance = isnan(d) ? HUGE_VAL : fmax(distance, d);
    }
    *worst = distance / fmax(most, 1e-3);
    free(values);
    strata_host_release(&y);
    return ok;
}

static bool loss(const struct bench *b, double *value, strata_error *err)
{
    struct host_tensor y = { 0 };
    if (!strata_host_forward(b->layers, (const double *const *)b->weights, &b->x, true, &y, err))
        return false;
    *value = strata_host_crossentropy(&y, b->labels);
    strata_host_release(&y);
    return true;
}

/* Central difference in double: exact to about 1e-9 of the gradient. */
static bool slope(const struct bench *b, double *weight, double *value, strata_error *err)
{
    const double step = 1e-5, was = *weight;
    double above = 0, below = 0;
    *weight = was + step;
    bool ok = loss(b, &above, err);
    *weight = was - step;
    ok = ok && loss(b, &below, err);
    *weight = was;
    *value = (above - below) / (2 * step);
    return ok;
}

/* Some numbers of one weight, spread over it. */
static bool compare_gradient(const struct bench *b, size_t index, double *worst, strata_error *err)
{
    const strata_weight_info info = strata_model_weight_info(b->model, index);
    const size_t probes = info.count < PROBES ? info.count : PROBES;
    float *after = calloc(info.count + 1, sizeof *after);
    double most = 0, distance = 0;
    bool ok = after ? strata_model_get_weight(b->model, index, after, info.count, err)
                    : strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    for (size_t k = 0; ok && k < probes; k++) {
        const size_t i = k * info.count / probes;
        double expected = 0;
        ok = slope(b, &b->weights[index][i], &expected, err);
        const double d = fabs(b->weights[index][i] - (double)after[i] - expected);
        most = fmax(most, fabs(expected));
        distance = isnan(d) ? HUGE_VAL : fmax(distance, d);
    }
    free(after);
    /* a weight of size 1 in float32 loses 6e-8 of what is taken from it, so small gradients are not held against it */
    *worst = fmax(*worst, distance / fmax(most, 2e-3));
    return ok;
}

static bool compare_gradients(const struct bench *b, strata_context *context, double *worst,
                              strata_error *err)
{
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = SAMPLES;
    config.shuffle = false;
    if (!strata_model_fit(b->model, context, b->data, &config, NULL, err)) return false;
    *worst = 0;
    for (size_t i = 0; i < b->weight_count; i++)
        if (strata_model_weight_info(b->model, i).trainable && !compare_gradient(b, i, worst, err))
            return false;
    return true;
}

/* ---- the devices ------------------------------------------------------------------------------------------------ */

/* Rounding in float32 stays some ten times below these; a wrong index or sign is far above. */
static const double most_of_outputs = 2e-5, most_of_gradients = 2e-4;

static bool report(const struct command *c, const char *device, const struct test *t, const struct errors *e,
                   strata_error *err)
{
    const bool good = e->outputs <= most_of_outputs && e->gradients <= most_of_gradients;
    if (!good) *c->status = strata_exit_code(STRATA_EDEVICE);
    if (c->json)
        return strata_print_json(json_pack("{s:s, s:s, s:b, s:f, s:f}", "device", device, "test", t->name,
                                           "ok", good, "outputs", e->outputs, "gradients", e->gradients),
                                 err);
    strata_print("  %-20s outputs %7.1e  gradients %7.1e  %s\n", t->name, e->outputs, e->gradients,
                 good ? "ok" : "WRONG");
    return true;
}

static bool test_one(const struct command *c, strata_context *context, const struct test *t,
                     strata_error *err)
{
    struct bench b = { 0 };
    struct errors e = { 0 };
    const bool ok = open_bench(t, &b, err) && compare_outputs(&b, context, &e.outputs, err)
                    && compare_gradients(&b, context, &e.gradients, err)
                    && report(c, strata_context_device(context), t, &e, err);
    close_bench(&b);
    return ok;
}

static bool test_device(const struct command *c, const char *devices, strata_error *err)
{
    strata_context *context = strata_open_context(devices, true, err);
    if (!context) return false;
    if (!c->json) strata_print("%s\n", strata_context_device(context));
    bool ok = true;
    for (size_t i = 0; ok && i < TESTS; i++) ok = test_one(c, context, &tests[i], err);
    strata_context_free(context);
    return ok;
}

static bool test_all(const struct command *c, strata_error *err)
{
    strata_device_info *list = NULL;
    size_t count = 0;
    if (!strata_devices(&list, &count, err)) return false;
    bool ok = count > 0 || strata_command_fail(err, STRATA_EDEVICE, "no OpenCL device was found");
    for (size_t i = 0; ok && i < count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", list[i].index);
        ok = test_device(c, number, err);
    }
    free(list);
    return ok;
}

static bool run(const struct command *c, strata_error *err)
{
    const bool ok = c->devices ? test_device(c, c->devices, err) : test_all(c, err);
    if (ok && !c->json)
        strata_print(*c->status ? "\na device computes wrongly\n" : "\nall as it should be\n");
    return ok;
}

extern const struct verb strata_verb_selftest;
const struct verb strata_verb_selftest = {
    .name = "selftest",
    .usage = "[--devices LIST]",
    .summary = "small models on every device, against the host",
    .details = "  Outputs and gradients of each kind of layer, compared with double precision on the host; "
               "the numbers are\n"
               "  the largest error, relative to the largest number. Exits with 69 when a device computes "
               "wrongly.\n",
    .run = run,
};
