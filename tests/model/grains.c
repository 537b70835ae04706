/* Plans of several grains: the bits of one grain after the other, whose gradients are added in a tree. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "model/model.h"
#include "model/plan.h"
#include "ops/map.h"

/* Four whole grains and a part of one: a node of the tree, and one that is left over. */
enum { GRAIN = 3, SAMPLES = 14, GRAINS = 5 };

struct chain {
    char json[700];
};

#define CONV(more) "{\"Conv2D\": {\"kernel_size\": 3, " more "}}"

/* All classes that have weights, and what lies between them; shapes with several tiles, blocks of k and chunks of pixels. */
static struct chain chains[] = {
    { "[{\"Input\": {\"shape\": [70]}}, {\"Dense\": {\"units\": 45, \"activation\": \"gelu\"}}, {\"Dropout\": {\"rate\": 0.3}},"
      "{\"BatchNormalization\": {}}, {\"Dense\": {\"units\": 33, \"activation\": \"tanh\"}}, {\"Dense\": {\"units\": 5, \"activation\": \"softmax\"}}]" },
    { "[{\"Input\": {\"shape\": [30, 7]}}, {\"Dense\": {\"units\": 9}}, {\"LayerNormalization\": {}}, {\"Dense\": {\"units\": 40}}]" },
    { "[{\"Input\": {\"shape\": [101, 7]}}, {\"Dense\": {\"units\": 9}}, {\"RMSNormalization\": {}}, {\"Conv1D\": {\"filters\": 6, "
      "\"kernel_size\": 3, \"padding\": \"causal\"}}, {\"PReLU\": {}}, {\"Conv1DTranspose\": {\"filters\": 3, \"kernel_size\": 3}}]" },
    { "[{\"Input\": {\"shape\": [23, 21, 1]}}," CONV("\"filters\": 9, \"activation\": \"relu\"") "," CONV("\"filters\": 37, \"activation\": \"elu\"")
      ", {\"MaxPooling2D\": {}}, {\"Flatten\": {}}, {\"Dense\": {\"units\": 12, \"activation\": \"selu\"}}, {\"Dense\": {\"units\": 10}}]" },
    { "[{\"Input\": {\"shape\": [24, 22, 16]}}," CONV("\"filters\": 18, \"padding\": \"same\"") ", {\"BatchNormalization\": {\"momentum\": 0.7}},"
      "{\"Activation\": {\"activation\": \"relu\"}}," CONV("\"filters\": 16, \"padding\": \"same\"") ", {\"GlobalAveragePooling2D\": {}}]" },
    { "[{\"Input\": {\"shape\": [13, 12, 6]}}," CONV("\"filters\": 6, \"groups\": 6, \"use_bias\": false") "," CONV("\"filters\": 8, \"groups\": 2, \"strides\": 2")
      ", {\"Conv2D\": {\"filters\": 35, \"kernel_size\": 1}}, {\"GroupNormalization\": {\"groups\": 5}}, {\"AveragePooling2D\": {}},"
      "{\"Conv2DTranspose\": {\"filters\": 4, \"kernel_size\": 2}}]" },
    { "[{\"Input\": {\"shape\": [11, 10, 4]}}, {\"SeparableConv2D\": {\"filters\": 5, \"kernel_size\": 3, \"activation\": \"silu\"}},"
      "{\"DepthwiseConv2D\": {\"kernel_size\": 3, \"padding\": \"same\", \"depth_multiplier\": 2}}, {\"SpatialDropout2D\": {\"rate\": 0.4}},"
      "{\"BatchNormalization\": {\"axis\": 1, \"scale\": false}}, {\"LayerScale\": {\"projection_dim\": 10, \"init_values\": 0.5}},"
      "{\"GlobalMaxPooling2D\": {}}, {\"Softmax\": {}}]" },
    { "[{\"Input\": {\"shape\": [19, 4]}}, {\"SeparableConv1D\": {\"filters\": 6, \"kernel_size\": 3}}, {\"DepthwiseConv1D\": {\"kernel_size\": 2}},"
      "{\"UnitNormalization\": {}}, {\"GaussianNoise\": {\"stddev\": 0.1}}, {\"Dense\": {\"units\": 4}}]" },
    { "[{\"Input\": {\"shape\": [5]}}, {\"Embedding\": {\"input_dim\": 9, \"output_dim\": 6}}, {\"Dense\": {\"units\": 4, \"activation\": \"mish\"}}]" },
};

struct fixture {
    struct device *device;
    strata_model *model;
    struct params *params;
    size_t inputs, outputs; /* of a sample */
    bool integer;
    float *x, *r;
    struct view some_r; /* of the plan at hand */
};

/* What a play gave. */
struct result {
    float *y, *gradients, *statistics;
    size_t statistic_count; /* of a grain */
};

static bool emit_loss(void *context, struct run *run, const struct plan_loss *at, strata_error *err)
{
    const struct fixture *f = context;
    return strata_op_copy(run, &f->some_r, &at->d, err);
}

static float *random_floats(size_t count)
{
    float *values = calloc(count + 1, sizeof *values);
    cr_assert_not_null(values);
    for (size_t i = 0; i < count; i++) values[i] = (float)rand() / (float)RAND_MAX * 2 - 1;
    return values;
}

static size_t sample_size(const strata_shape *shape)
{
    size_t size = 1;
    for (int i = 0; i < shape->rank; i++) size *= shape->dim[i];
    return size;
}

static struct fixture open_chain(const struct chain *chain, strata_device_class class)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = (int)class };
    struct fixture f = { .device = strata_device_open(&request, &err) };
    cr_assert_not_null(f.device, "%s", err.message);
    f.model = strata_model_from_json(chain->json, &err);
    cr_assert_not_null(f.model, "%s", err.message);
    const strata_shape in = strata_model_input_shape(f.model), out = strata_model_output_shape(f.model);
    f.inputs = sample_size(&in);
    f.outputs = sample_size(&out);
    f.x = random_floats(SAMPLES * f.inputs);
    f.r = random_floats(SAMPLES * f.outputs);
    f.integer = strstr(chain->json, "Embedding") != NULL;
    for (size_t i = 0; f.integer && i < SAMPLES * f.inputs; i++) {
        const int32_t index = (int32_t)(i * i % 9);
        memcpy(&f.x[i], &index, sizeof index);
    }
    f.params = strata_params_bind(f.model, f.device, true, 0, &err);
    cr_assert_not_null(f.params, "%s", err.message);
    return f;
}

static void close_chain(struct fixture *f)
{
    strata_error err = { 0 };
    cr_assert(strata_params_unbind(f->model, &err), "%s", err.message);
    strata_model_free(f->model);
    strata_device_close(f->device);
    free(f->x);
    free(f->r);
}

static float *read_floats(const struct fixture *f, const struct buffer *buffer, size_t offset, size_t count)
{
    strata_error err = { 0 };
    float *values = calloc(count + 1, sizeof *values);
    cr_assert(values && (count == 0 || strata_buffer_read(f->device, QUEUE_COMPUTE, buffer, offset * sizeof *values,
                                                          count * sizeof *values, values, &err)));
    return values;
}

static void write_inputs(struct fixture *f, const struct plan *plan, size_t first, size_t n)
{
    strata_error err = { 0 };
    uint32_t words[STEP_ROWS + SAMPLES] = { [STEP_SEED_LOW] = 7 };
    for (size_t i = 0; i < n; i++) words[STEP_ROWS + i] = (uint32_t)(first + i);
    cr_assert(strata_buffer_write(f->device, QUEUE_COMPUTE, strata_plan_input(plan), 0, n * f->inputs * sizeof(float),
                                  f->x + first * f->inputs, &err)
              && strata_buffer_write(f->device, QUEUE_COMPUTE, f->some_r.buffer, 0, n * f->outputs * sizeof(float),
                                     f->r + first * f->outputs, &err)
              && strata_buffer_write(f->device, QUEUE_COMPUTE, strata_plan_step_words(plan), 0,
                                     (STEP_ROWS + n) * sizeof *words, words, &err), "%s", err.message);
}

/* Trains on samples [first, first + n) at once. */
static struct result train(struct fixture *f, size_t first, size_t n)
{
    strata_error err = { 0 };
    f->some_r = (struct view){ .shape = { 1, { n * f->outputs } } };
    f->some_r.buffer = strata_buffer_create(f->device, n * f->outputs * sizeof(float), &err);
    const struct plan_config config = { .n = n, .grain = GRAIN, .training = true, .backward = true,
                                        .input = f->integer ? STRATA_INT32 : STRATA_FLOAT32, .input_scale = 1,
                                        .emit_loss = emit_loss, .context = f };
    struct plan *plan = strata_plan_create(f->model, &config, &err);
    cr_assert_not_null(plan, "%s", err.message);
    write_inputs(f, plan, first, n);
    cr_assert(strata_run_play(strata_plan_run(plan), &err), "%s", err.message);
    const struct view y = strata_plan_output(plan), moved = strata_plan_statistics(plan);
    const struct result result = {
        .y = read_floats(f, y.buffer, y.offset, n * f->outputs),
        .gradients = read_floats(f, f->params->gradients, 0, f->params->trainable),
        .statistics = read_floats(f, moved.buffer, 0, moved.buffer ? strata_view_count(&moved) : 0),
        .statistic_count = moved.buffer ? moved.shape.dim[1] : 0,
    };
    strata_plan_free(plan);
    strata_buffer_free(f->some_r.buffer);
    return result;
}

static void drop(struct result *result)
{
    free(result->y);
    free(result->gradients);
    free(result->statistics);
}

/* The sum of the leaves under node (level, index), by its definition. */
static float node(const struct result *leaves, size_t count, int level, size_t index, size_t element)
{
    if (level == 0) return leaves[index].gradients[element];
    const float left = node(leaves, count, level - 1, 2 * index, element);
    if ((2 * index + 1) << (level - 1) >= count) return left;
    return left + node(leaves, count, level - 1, 2 * index + 1, element);
}

static void expect_bits(const float *got, const float *wanted, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(memcmp(&got[i], &wanted[i], sizeof *got) == 0, "%s %zu is %.9g, not %.9g", what, i, (double)got[i], (double)wanted[i]);
}

static void check(struct fixture *f)
{
    struct result whole = train(f, 0, SAMPLES), grains[GRAINS];
    float *sum = calloc(f->params->trainable + 1, sizeof *sum);
    bool some = false;
    for (size_t g = 0; g < GRAINS; g++) {
        const size_t first = g * GRAIN, n = SAMPLES - first < GRAIN ? SAMPLES - first : GRAIN;
        grains[g] = train(f, first, n);
        expect_bits(whole.y + first * f->outputs, grains[g].y, n * f->outputs, "output");
        expect_bits(whole.statistics + g * whole.statistic_count, grains[g].statistics, whole.statistic_count, "statistic");
    }
    for (size_t i = 0; i < f->params->trainable; i++) {
        sum[i] = node(grains, GRAINS, 3, 0, i);
        some = some || sum[i] != 0;
    }
    cr_assert(some);
    expect_bits(whole.gradients, sum, f->params->trainable, "gradient");
    for (size_t g = 0; g < GRAINS; g++) drop(&grains[g]);
    drop(&whole);
    free(sum);
}

ParameterizedTestParameters(grains, in_one_plan_have_the_bits_of_one_after_the_other)
{
    return cr_make_param_array(struct chain, chains, sizeof chains / sizeof *chains);
}

ParameterizedTest(struct chain *chain, grains, in_one_plan_have_the_bits_of_one_after_the_other)
{
    struct fixture f = open_chain(chain, STRATA_CPU_CLASS);
    float *before = read_floats(&f, f.params->weights, 0, f.params->total);
    cr_assert(strata_plan_takes_grains(f.model, f.device));
    check(&f);
    float *after = read_floats(&f, f.params->weights, 0, f.params->total);
    expect_bits(after, before, f.params->total, "weight");
    free(before);
    free(after);
    close_chain(&f);
}

Test(grains, are_not_taken_together_where_samples_depend_on_their_number_or_add_to_the_loss)
{
    static const struct chain regularized = { "[{\"Input\": {\"shape\": [4]}}, {\"Dense\": {\"units\": 2, \"activity_regularizer\": \"l2\"}}]" };
    struct fixture f = open_chain(&chains[0], STRATA_GPU_CLASS);
    cr_assert_not(strata_plan_takes_grains(f.model, f.device));
    close_chain(&f);
    f = open_chain(&regularized, STRATA_CPU_CLASS);
    cr_assert_not(strata_plan_takes_grains(f.model, f.device));
    close_chain(&f);
}
