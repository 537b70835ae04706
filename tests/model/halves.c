/* Plans under mixed policies: what they compute is what floats give, but for the rounding of what is kept as a half. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "model/model.h"
#include "model/plan.h"
#include "ops/map.h"

enum { SAMPLES = 6 };

/* The loss is sum(y * r): its gradient with respect to y is r. */
static bool emit_loss(void *context, struct run *run, const struct plan_loss *at, strata_error *err)
{
    const struct view *r = context;
    return !at->d.buffer || strata_op_copy(run, r, &at->d, err);
}

/* Output, then gradients of all trainable weights. */
struct numbers {
    float *values;
    size_t count, outputs, memory;
};

static float noise(size_t i)
{
    const unsigned mixed = ((unsigned)i * 2654435761u) ^ ((unsigned)i * 40503u + 977u) << 9;
    return (float)((mixed * 2246822519u >> 8) & 0xffff) / 32768.0f - 1.0f;
}

static size_t count_of(const strata_shape *shape)
{
    size_t count = SAMPLES;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

static void fill(struct device *device, struct buffer *buffer, size_t count, bool integer)
{
    strata_error err = { 0 };
    float *values = malloc(count * sizeof *values);
    cr_assert_not_null(values);
    for (size_t i = 0; i < count; i++) {
        const int32_t row = (int32_t)(i * 7 % 5);
        values[i] = noise(i);
        if (integer) memcpy(&values[i], &row, sizeof row);
    }
    cr_assert(strata_buffer_write(device, QUEUE_COMPUTE, buffer, 0, count * sizeof *values, values, &err), "%s", err.message);
    free(values);
}

/* One step of the model under the policy, on the weights that it has. */
static struct numbers compute(strata_model *model, struct device *device, enum storage policy)
{
    strata_error err = { 0 };
    strata_model_set_policy(model, policy);
    struct params *params = strata_params_bind(model, device, true, 0, &err);
    cr_assert_not_null(params, "%s", err.message);
    const strata_shape in = strata_model_input_shape(model), out = strata_model_output_shape(model);
    const bool integer = strata_model_integer_input(model);
    struct numbers n = { .outputs = count_of(&out), .count = count_of(&out) + params->trainable };
    struct view r = { .buffer = strata_buffer_create(device, n.outputs * sizeof(float), &err), .shape = { 1, { n.outputs } } };
    fill(device, r.buffer, n.outputs, false);
    const struct plan_config config = { .n = SAMPLES, .training = true, .backward = true, .input_scale = 1, .context = &r,
                                        .input = integer ? STRATA_INT32 : STRATA_FLOAT32, .emit_loss = emit_loss };
    struct plan *plan = strata_plan_create(model, &config, &err);
    cr_assert_not_null(plan, "%s", err.message);
    fill(device, strata_plan_input(plan), count_of(&in), integer);
    cr_assert(strata_run_play(strata_plan_run(plan), &err), "%s", err.message);
    n.values = malloc(n.count * sizeof *n.values);
    n.memory = strata_plan_memory(plan);
    const struct view y = strata_plan_output(plan);
    cr_assert(n.values && y.storage == STORAGE_FLOAT32, "outputs are floats");
    cr_assert(strata_buffer_read(device, QUEUE_COMPUTE, y.buffer, y.offset * sizeof(float), n.outputs * sizeof(float), n.values, &err)
              && strata_buffer_read(device, QUEUE_COMPUTE, params->gradients, 0, params->trainable * sizeof(float),
                                    n.values + n.outputs, &err));
    strata_plan_free(plan);
    strata_buffer_free(r.buffer);
    cr_assert(strata_params_unbind(model, &err), "%s", err.message);
    return n;
}

/* The largest distance, in parts of the largest number. */
static double distance(const float *a, const float *b, size_t count)
{
    double largest = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)a[i]));
        off = fmax(off, isnan(b[i]) ? INFINITY : fabs((double)a[i] - (double)b[i]));
    }
    return largest > 0 ? off / largest : off;
}

static struct device *open_as(int class)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = class };
    struct device *device = strata_device_open(&request, &err);
    cr_assert_not_null(device, "%s", err.message);
    return device;
}

/* A number goes through some ten roundings on its way through these models and back, each of which moves it by at most half of the
 * last place; what is wrongly placed, scaled or left out is off by tenths. */
static void expect_alike(const char *json, int class, enum storage policy)
{
    const double most = 12 * (policy == STORAGE_FLOAT16 ? 0x1p-11 : 0x1p-8);
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_not_null(model, "%s", err.message);
    struct device *device = open_as(class);
    const struct numbers floats = compute(model, device, STORAGE_FLOAT32), halves = compute(model, device, policy);
    const size_t n = floats.outputs;
    const double outputs = distance(floats.values, halves.values, n);
    const double gradients = distance(floats.values + n, halves.values + n, floats.count - n);
    cr_assert(outputs < most && outputs > 0, "%s: outputs are off by %g", json, outputs);
    cr_assert(gradients < most && gradients > 0, "%s: gradients are off by %g", json, gradients);
    free(floats.values);
    free(halves.values);
    strata_model_free(model);
    strata_device_close(device);
}

#define FUNCTIONAL(layers, end)                                                                                      \
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["                                   \
    "{\"class_name\": \"InputLayer\", \"name\": \"i\", \"inbound_nodes\": [],"                                       \
    " \"config\": {\"name\": \"i\", \"batch_input_shape\": [null, 6, 5, 3]}}," layers "],"                           \
    " \"input_layers\": [[\"i\", 0, 0]], \"output_layers\": [[\"" end "\", 0, 0]]}}"
#define NODE(class, name, config, from)                                                                              \
    "{\"class_name\": \"" class "\", \"name\": \"" name "\", \"config\": {\"name\": \"" name "\"" config "},"        \
    " \"inbound_nodes\": [[" from "]]}"
#define FROM(name) "[\"" name "\", 0, 0, {}]"
#define CONV(name, filters, more, from)                                                                              \
    NODE("Conv2D", name, ", \"filters\": " filters ", \"kernel_size\": [3, 3], \"padding\": \"same\"" more, from)

static const char *const models[] = {
    /* several consumers, one of which keeps floats */
    FUNCTIONAL(CONV("a", "4", ", \"activation\": \"relu\"", FROM("i")) "," CONV("b", "4", "", FROM("a")) ","
               CONV("f", "4", ", \"dtype\": \"float32\", \"activation\": \"tanh\"", FROM("a")) ","
               NODE("Add", "s", "", FROM("a") "," FROM("b") "," FROM("f")) ","
               NODE("BatchNormalization", "n", "", FROM("s")) "," NODE("Activation", "r", ", \"activation\": \"gelu\"", FROM("n")) ","
               NODE("Concatenate", "k", "", FROM("r") "," FROM("s")) "," NODE("GlobalAveragePooling2D", "g", "", FROM("k")), "g"),
    "[{\"Input\": {\"shape\": [6, 5, 3]}}, {\"ZeroPadding2D\": {}}, {\"DepthwiseConv2D\": {\"kernel_size\": 3, \"activation\": \"tanh\"}},"
    " {\"PReLU\": {}}, {\"Conv2DTranspose\": {\"filters\": 4, \"kernel_size\": 2, \"strides\": 2}}, {\"GroupNormalization\": {\"groups\": 2}},"
    " {\"AveragePooling2D\": {\"pool_size\": 2}}, {\"SeparableConv2D\": {\"filters\": 4, \"kernel_size\": 2, \"activation\": \"softmax\"}},"
    " {\"Flatten\": {}}, {\"Dense\": {\"units\": 5, \"dtype\": \"float32\"}}]",
    "[{\"Input\": {\"shape\": [7]}}, {\"Embedding\": {\"input_dim\": 5, \"output_dim\": 6}}, {\"Conv1D\": {\"filters\": 5, \"kernel_size\": 3,"
    " \"activation\": \"softsign\"}}, {\"LayerNormalization\": {}}, {\"GlobalAveragePooling1D\": {}}, {\"Dense\": {\"units\": 3}}]",
    "[{\"Input\": {\"shape\": [6]}}, {\"Dense\": {\"units\": 8, \"activation\": \"tanh\", \"activity_regularizer\": {\"L2\": {\"l2\": 0.5}}}},"
    " {\"Sequential\": [{\"Dense\": {\"units\": 7, \"activation\": \"sigmoid\"}}, {\"Reshape\": {\"target_shape\": [7, 1]}}]},"
    " {\"Permute\": {\"dims\": [2, 1]}}, {\"Dense\": {\"units\": 4, \"activation\": \"log_softmax\"}}]",
};

ParameterizedTestParameters(halves, give_what_floats_give_but_for_their_rounding)
{
    static size_t numbers[sizeof models / sizeof *models];
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) numbers[i] = i;
    return cr_make_param_array(size_t, numbers, sizeof models / sizeof *models);
}

ParameterizedTest(size_t *number, halves, give_what_floats_give_but_for_their_rounding)
{
    expect_alike(models[*number], STRATA_CPU_CLASS, STORAGE_BFLOAT16);
    expect_alike(models[*number], STRATA_GPU_CLASS, STORAGE_BFLOAT16);
    expect_alike(models[*number], STRATA_GPU_CLASS, STORAGE_FLOAT16);
}

/* A chain of tensors of 32 x 32 x 16 is kept for backward. */
Test(halves, take_half_the_memory_of_what_is_kept)
{
    static const char chain[] = "[{\"Input\": {\"shape\": [32, 32, 16]}}, {\"BatchNormalization\": {}}, {\"Activation\": {\"activation\": \"gelu\"}},"
                                " {\"BatchNormalization\": {}}, {\"Activation\": {\"activation\": \"silu\"}}, {\"BatchNormalization\": {}},"
                                " {\"Activation\": {\"activation\": \"gelu\"}}, {\"BatchNormalization\": {}}, {\"GlobalAveragePooling2D\": {}}]";
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(chain, &err);
    cr_assert_not_null(model, "%s", err.message);
    struct device *device = open_as(STRATA_GPU_CLASS);
    const struct numbers floats = compute(model, device, STORAGE_FLOAT32), halves = compute(model, device, STORAGE_FLOAT16);
    const double input = SAMPLES * 32 * 32 * 16 * sizeof(float); /* stays */
    cr_assert((double)halves.memory - input < 0.6 * ((double)floats.memory - input), "%zu bytes, %zu of floats", halves.memory,
              floats.memory);
    free(floats.values);
    free(halves.values);
    strata_model_free(model);
    strata_device_close(device);
}
