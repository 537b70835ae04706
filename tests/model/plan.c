/* Plans: gradients agree with finite differences through chains, branches, nested models and frozen parts. */
#include "model/plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "model/model.h"
#include "ops/map.h"

/* The loss is sum(y * r) for a fixed r, so its gradient with respect to y is r. */
struct loss {
    struct view r;
};

static bool emit_loss(void *context, struct run *run, const struct plan_loss *at, strata_error *err)
{
    const struct loss *loss = context;
    return !at->d.buffer || strata_op_copy(run, &loss->r, &at->d, err);
}

struct fixture {
    struct device *device;
    strata_model *model;
    struct params *params;
    struct plan *plan;
    struct loss loss;
    size_t n, inputs, outputs;
    float *x, *r, *y;
};

static float *random_floats(size_t count)
{
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)rand() / (float)RAND_MAX * 2 - 1;
    return values;
}

static struct fixture open_model(const char *json, size_t n)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct fixture f = { .device = strata_device_open(&request, &err), .n = n };
    cr_assert_not_null(f.device, "%s", err.message);
    f.model = strata_model_from_json(json, &err);
    cr_assert_not_null(f.model, "%s", err.message);
    const strata_shape in = strata_model_input_shape(f.model), out = strata_model_output_shape(f.model);
    f.inputs = f.outputs = n;
    for (int i = 0; i < in.rank; i++)
        f.inputs *= in.dim[i];
    for (int i = 0; i < out.rank; i++)
        f.outputs *= out.dim[i];
    f.x = random_floats(f.inputs);
    f.r = random_floats(f.outputs);
    f.y = calloc(f.outputs, sizeof *f.y);
    return f;
}

static void make_plan(struct fixture *f)
{
    strata_error err = { 0 };
    f->params = strata_params_bind(f->model, f->device, true, 0, &err);
    cr_assert_not_null(f->params, "%s", err.message);
    f->loss.r.shape = (struct shape){ .rank = 1, .dim = { f->outputs } };
    f->loss.r.buffer = strata_buffer_create(f->device, f->outputs * sizeof(float), &err);
    cr_assert(strata_buffer_write(f->device, QUEUE_COMPUTE, f->loss.r.buffer, 0, f->outputs * sizeof(float), f->r, &err));
    const struct plan_config config = { .n = f->n, .training = true, .backward = true, .input = STRATA_FLOAT32,
                                        .input_scale = 1, .emit_loss = emit_loss, .context = &f->loss };
    f->plan = strata_plan_create(f->model, &config, &err);
    cr_assert_not_null(f->plan, "%s", err.message);
    cr_assert(strata_buffer_write(f->device, QUEUE_COMPUTE, strata_plan_input(f->plan), 0, f->inputs * sizeof(float), f->x, &err));
}

static double play(struct fixture *f)
{
    strata_error err = { 0 };
    double sum = 0;
    cr_assert(strata_run_play(strata_plan_run(f->plan), &err), "%s", err.message);
    const struct view y = strata_plan_output(f->plan);
    cr_assert(strata_buffer_read(f->device, QUEUE_COMPUTE, y.buffer, y.offset * sizeof(float), f->outputs * sizeof(float), f->y, &err));
    for (size_t i = 0; i < f->outputs; i++)
        sum += (double)f->y[i] * f->r[i];
    return sum;
}

static void set_element(struct fixture *f, size_t offset, float value)
{
    strata_error err = { 0 };
    cr_assert(strata_buffer_write(f->device, QUEUE_COMPUTE, f->params->weights, offset * sizeof value, sizeof value, &value, &err));
}

static float element(struct fixture *f, const struct buffer *buffer, size_t offset)
{
    strata_error err = { 0 };
    float value;
    cr_assert(strata_buffer_read(f->device, QUEUE_COMPUTE, buffer, offset * sizeof value, sizeof value, &value, &err));
    return value;
}

/* Central differences in float32: a step of 1e-2 leaves errors of some 1e-3 of the gradient's scale. */
static void check_gradients(struct fixture *f)
{
    play(f);
    for (size_t p = 0; p < f->params->trainable_params; p++) {
        const struct param *param = &f->params->list[p];
        for (int k = 0; k < 3; k++) {
            const size_t at = param->offset + (size_t)rand() % param->count;
            play(f);
            const float gradient = element(f, f->params->gradients, at), w = element(f, f->params->weights, at);
            set_element(f, at, w + 1e-2f);
            const double above = play(f);
            set_element(f, at, w - 1e-2f);
            const double below = play(f), difference = (above - below) / 2e-2;
            set_element(f, at, w);
            cr_assert_lt(fabs(difference - gradient), 2e-2 * (1 + fabs(difference)), "%s/%s[%zu]: %g, by differences %g",
                         strata_layer_name(param->layer), param->name, at - param->offset, gradient, difference);
        }
    }
}

static void close_all(struct fixture *f)
{
    strata_error err = { 0 };
    strata_plan_free(f->plan);
    strata_buffer_free(f->loss.r.buffer);
    cr_assert(strata_params_unbind(f->model, &err), "%s", err.message);
    strata_model_free(f->model);
    strata_device_close(f->device);
    free(f->x);
    free(f->r);
    free(f->y);
}

Test(plan, of_a_chain_has_the_gradients_of_differences)
{
    struct fixture f = open_model("[{\"Input\": {\"shape\": [7, 6, 2]}},"
                                  "{\"Conv2D\": {\"filters\": 5, \"kernel_size\": 3, \"activation\": \"tanh\", \"padding\": \"same\"}},"
                                  "{\"MaxPooling2D\": {}}, {\"Activation\": {\"activation\": \"gelu\"}}, {\"Flatten\": {}},"
                                  "{\"Dense\": {\"units\": 6, \"activation\": \"silu\"}}, {\"Dense\": {\"units\": 3, \"activation\": \"softmax\"}}]", 3);
    make_plan(&f);
    check_gradients(&f);
    close_all(&f);
}

Test(plan, of_normalization_that_applies_what_follows_it_has_the_gradients_of_differences)
{
    struct fixture f = open_model("[{\"Input\": {\"shape\": [4, 3, 2]}}, {\"Conv2D\": {\"filters\": 5, \"kernel_size\": 2}},"
                                  "{\"BatchNormalization\": {}}, {\"Activation\": {\"activation\": \"tanh\"}}, {\"Flatten\": {}},"
                                  "{\"Dense\": {\"units\": 3}}, {\"BatchNormalization\": {\"scale\": false}}, {\"Activation\": {\"activation\": \"sigmoid\"}}]", 7);
    make_plan(&f);
    check_gradients(&f);
    close_all(&f);
}

Test(plan, of_pooled_activations_has_the_gradients_of_differences)
{
    struct fixture f = open_model("[{\"Input\": {\"shape\": [9, 8, 2]}}, {\"Conv2D\": {\"filters\": 5, \"kernel_size\": 2, \"activation\": \"softsign\"}},"
                                  "{\"MaxPooling2D\": {\"pool_size\": 3, \"strides\": 2, \"padding\": \"same\"}}, {\"Conv2D\": {\"filters\": 4, \"kernel_size\": 2}},"
                                  "{\"BatchNormalization\": {}}, {\"Activation\": {\"activation\": \"sigmoid\"}}, {\"MaxPooling2D\": {}},"
                                  "{\"Reshape\": {\"target_shape\": [1, 4]}}, {\"Conv1D\": {\"filters\": 6, \"kernel_size\": 1, \"activation\": \"silu\"}},"
                                  "{\"MaxPooling1D\": {\"pool_size\": 1}}, {\"Flatten\": {}}]", 3);
    make_plan(&f);
    check_gradients(&f);
    close_all(&f);
}

/* Neither what a convolution gives nor its gradient has a place where it pools itself: both would not fit. */
Test(plan, of_convolutions_that_pool_has_the_gradients_of_differences_in_less_memory)
{
    setenv("STRATA_IMPL", "conv2d=winograd", 1);
    struct fixture f = open_model("[{\"Input\": {\"shape\": [31, 20, 3]}},"
                                  "{\"Conv2D\": {\"filters\": 33, \"kernel_size\": 3, \"activation\": \"softsign\", \"padding\": \"same\"}}, {\"MaxPooling2D\": {}},"
                                  "{\"Conv2D\": {\"filters\": 16, \"kernel_size\": 3}}, {\"MaxPooling2D\": {\"pool_size\": [2, 4]}},"
                                  "{\"Activation\": {\"activation\": \"tanh\"}}, {\"GlobalAveragePooling2D\": {}}]", 3);
    make_plan(&f);
    if (strata_device_class_of(f.device) == STRATA_CPU_CLASS) {
        const size_t first = 3 * 31 * 20 * 33 * sizeof(float), pooled = first / 4;
        cr_assert_lt(strata_plan_sizes(f.plan).arena, 4 * pooled);
    }
    check_gradients(&f);
    close_all(&f);
    unsetenv("STRATA_IMPL");
}

Test(plan, keeps_no_activation_from_which_a_layer_picks)
{
    struct fixture f = open_model("[{\"Input\": {\"shape\": [64, 64, 1]}}, {\"Conv2D\": {\"filters\": 32, \"kernel_size\": 1, \"activation\": \"relu\"}},"
                                  "{\"MaxPooling2D\": {\"pool_size\": 4}}, {\"GlobalAveragePooling2D\": {}}]", 3);
    make_plan(&f);
    const size_t activation = 3 * 64 * 64 * 32 * sizeof(float);
    cr_assert_lt(strata_plan_sizes(f.plan).arena, activation + activation / 2, "its gradient takes the place of what it gave");
    check_gradients(&f);
    close_all(&f);
}

static enum activation_kind last_of(const char *json)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_not_null(model, "%s", err.message);
    const enum activation_kind kind = strata_plan_last_activation(model);
    strata_model_free(model);
    return kind;
}

Test(plan, offers_logits_only_where_nothing_follows_the_last_activation)
{
    cr_assert_eq(last_of("[{\"Input\": {\"shape\": [5]}}, {\"Dense\": {\"units\": 3, \"activation\": \"softmax\"}}]"), ACTIVATION_SOFTMAX);
    cr_assert_eq(last_of("[{\"Input\": {\"shape\": [5]}}, {\"Dense\": {\"units\": 3}}, {\"Softmax\": {}}]"), ACTIVATION_SOFTMAX);
    cr_assert_eq(last_of("[{\"Input\": {\"shape\": [5]}}, {\"Dense\": {\"units\": 3, \"activation\": \"softmax\"}}, {\"Flatten\": {}}]"),
                 ACTIVATION_LINEAR);
    cr_assert_eq(last_of("[{\"Input\": {\"shape\": [5]}},"
                         "{\"Dense\": {\"units\": 3, \"activation\": \"softmax\", \"activity_regularizer\": \"l2\"}}]"), ACTIVATION_LINEAR);
}

static const char branched[] =
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 5], \"name\": \"in\"}, \"name\": \"in\", \"inbound_nodes\": []},"
    "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"a\", \"activation\": \"tanh\"}, \"name\": \"a\", \"inbound_nodes\": [[[\"in\", 0, 0, {}]]]},"
    "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"b\", \"activation\": \"sigmoid\"}, \"name\": \"b\", \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]},"
    "{\"class_name\": \"Add\", \"config\": {\"name\": \"sum\"}, \"name\": \"sum\", \"inbound_nodes\": [[[\"a\", 0, 0, {}], [\"b\", 0, 0, {}]]]},"
    "{\"class_name\": \"Multiply\", \"config\": {\"name\": \"product\"}, \"name\": \"product\", \"inbound_nodes\": [[[\"sum\", 0, 0, {}], [\"a\", 0, 0, {}]]]}],"
    "\"input_layers\": [[\"in\", 0, 0]], \"output_layers\": [[\"product\", 0, 0]]}}";

Test(plan, of_branches_adds_what_several_consumers_send_back)
{
    struct fixture f = open_model(branched, 4);
    make_plan(&f);
    check_gradients(&f);
    close_all(&f);
}

Test(plan, opens_nested_models)
{
    char json[2500];
    snprintf(json, sizeof json, "[%s, {\"Dense\": {\"units\": 3, \"name\": \"head\"}}]", branched);
    struct fixture f = open_model(json, 4);
    make_plan(&f);
    cr_assert_eq(f.params->trainable_params, 6);
    check_gradients(&f);
    close_all(&f);
}

Test(plan, has_no_gradients_below_the_lowest_trainable_weight)
{
    strata_error err = { 0 };
    struct fixture f = open_model("[{\"Input\": {\"shape\": [5]}}, {\"Dense\": {\"units\": 400, \"name\": \"a\", \"activation\": \"tanh\"}},"
                                  "{\"Dense\": {\"units\": 400, \"name\": \"b\"}}, {\"Dense\": {\"units\": 2, \"name\": \"c\"}}]", 64);
    make_plan(&f);
    const size_t whole = strata_plan_sizes(f.plan).arena;
    strata_plan_free(f.plan);
    strata_buffer_free(f.loss.r.buffer);
    cr_assert(strata_params_unbind(f.model, &err));
    strata_model_set_trainable_by_name(f.model, "*", false);
    strata_model_set_trainable_by_name(f.model, "c", true);
    strata_model_snapshot_trainable(f.model);
    make_plan(&f);
    cr_assert_eq(f.params->trainable_params, 2);
    cr_assert_lt(f.params->trainable, 1000, "frozen weights have no gradient buffer");
    check_gradients(&f);
    cr_assert_lt(strata_plan_sizes(f.plan).arena, whole, "no activations of what is frozen are kept");
    close_all(&f);
}

Test(plan, runs_a_chain_in_the_memory_of_two_of_its_layers_when_nothing_is_kept)
{
    strata_error err = { 0 };
    struct fixture f = open_model("[{\"Input\": {\"shape\": [512]}}, {\"Dense\": {\"units\": 512}}, {\"Dense\": {\"units\": 512}},"
                                  "{\"Dense\": {\"units\": 512}}, {\"Dense\": {\"units\": 512}}, {\"Dense\": {\"units\": 512}}]", 32);
    f.params = strata_params_bind(f.model, f.device, false, 0, &err);
    const struct plan_config config = { .n = 32, .input = STRATA_FLOAT32, .input_scale = 1 };
    f.plan = strata_plan_create(f.model, &config, &err);
    cr_assert_not_null(f.plan, "%s", err.message);
    cr_assert_leq(strata_plan_memory(f.plan), 3 * 32 * 512 * sizeof(float) + 1024, "input and two activations");
    close_all(&f);
}

/* ---- what is done while storing ----------------------------------------------------------------------------------- */

static const char normalized[] = "[{\"Input\": {\"shape\": [6, 5, 3]}}, {\"Conv2D\": {\"filters\": 4, \"kernel_size\": 2, \"name\": \"c\"}},"
                                 "{\"BatchNormalization\": {\"name\": \"b\"}}, {\"Activation\": {\"activation\": \"relu\"}}]";

/* Plays an inference of n samples; *c: the convolution's own output, when it is asked for. */
static void infer(struct fixture *f, const strata_layer *const *extract, float *c, size_t count)
{
    strata_error err = { 0 };
    const struct plan_config config = { .n = f->n, .input = STRATA_FLOAT32, .input_scale = 1, .extract = extract,
                                        .extract_count = extract != NULL };
    strata_plan_free(f->plan);
    f->plan = strata_plan_create(f->model, &config, &err);
    cr_assert_not_null(f->plan, "%s", err.message);
    cr_assert(strata_buffer_write(f->device, QUEUE_COMPUTE, strata_plan_input(f->plan), 0, f->inputs * sizeof(float), f->x, &err));
    play(f);
    if (!extract) return;
    const struct view view = strata_plan_extracted(f->plan, 0);
    cr_assert(strata_buffer_read(f->device, QUEUE_COMPUTE, view.buffer, view.offset * sizeof(float), count * sizeof(float), c, &err));
}

/* y = max(0, (c - mean) / sqrt(variance + 1e-3) * gamma + beta). w: the arena of weights. */
static double by_definition(const struct fixture *f, const float *w, float c, size_t channel)
{
    double p[4] = { 0 };
    static const char *const names[] = { "gamma", "beta", "moving_mean", "moving_variance" };
    for (size_t i = 0; i < f->params->count; i++)
        for (int k = 0; k < 4; k++)
            if (strcmp(f->params->list[i].name, names[k]) == 0) p[k] = w[f->params->list[i].offset + channel];
    return fmax(0, (c - p[2]) / sqrt(p[3] + 1e-3) * p[0] + p[1]);
}

Test(plan, normalizes_by_constants_while_a_convolution_stores_unless_its_own_output_is_wanted)
{
    strata_error err = { 0 };
    struct fixture f = open_model(normalized, 3);
    f.params = strata_params_bind(f.model, f.device, false, 0, &err);
    cr_assert_not_null(f.params, "%s", err.message);
    const size_t words = strata_buffer_size(f.params->weights) / sizeof(float);
    float *w = random_floats(words), *c = calloc(f.outputs, sizeof *c);
    for (size_t i = 0; i < words; i++) w[i] = fabsf(w[i]) + 0.1f; /* variances too */
    cr_assert(strata_buffer_write(f.device, QUEUE_COMPUTE, f.params->weights, 0, words * sizeof *w, w, &err));

    const strata_layer *layer = strata_model_get_layer(f.model, "c", &err);
    infer(&f, &layer, c, f.outputs);
    for (int fused = 0; fused < 2; fused++) {
        if (fused) infer(&f, NULL, NULL, 0);
        for (size_t i = 0; i < f.outputs; i++)
            cr_assert_float_eq(f.y[i], by_definition(&f, w, c[i], i % 4), 1e-4, "%d, element %zu: %g of %g", fused, i,
                               (double)f.y[i], (double)c[i]);
    }
    free(w);
    free(c);
    close_all(&f);
}

/* Weights and factors of what is frozen are brought to their places once, and again when somebody sets them. */
Test(plan, of_frozen_layers_sees_weights_that_are_set_between_plays)
{
    strata_error err = { 0 };
    struct fixture f = open_model("[{\"Input\": {\"shape\": [6, 5, 3]}}, {\"Conv2D\": {\"filters\": 4, \"kernel_size\": 2, \"name\": \"c\"}},"
                                  "{\"SeparableConv2D\": {\"filters\": 5, \"kernel_size\": 3, \"name\": \"s\"}},"
                                  "{\"BatchNormalization\": {\"name\": \"b\"}}, {\"Conv2D\": {\"filters\": 2, \"kernel_size\": 1, \"name\": \"head\"}}]", 3);
    strata_model_set_trainable_by_name(f.model, "*", false);
    strata_model_set_trainable_by_name(f.model, "head", true);
    strata_model_snapshot_trainable(f.model);
    make_plan(&f);
    float *before = calloc(f.outputs, sizeof *before), *after = calloc(f.outputs, sizeof *after);
    static const char *const layers[] = { "c", "s", "s", "b" };
    static const size_t weights[] = { 0, 0, 1, 0 };
    for (int i = 0; i < 4; i++) {
        strata_layer *layer = strata_model_get_layer(f.model, layers[i], &err);
        const size_t count = strata_layer_weight_info(layer, weights[i]).count;
        float *w = random_floats(count);
        play(&f);
        play(&f);
        memcpy(before, f.y, f.outputs * sizeof *before);
        cr_assert(strata_layer_set_weight(layer, weights[i], w, count, &err), "%s", err.message);
        play(&f);
        memcpy(after, f.y, f.outputs * sizeof *after);
        infer(&f, NULL, NULL, 0);
        cr_assert(memcmp(after, before, f.outputs * sizeof *after) != 0, "%s", layers[i]);
        for (size_t k = 0; k < f.outputs; k++) cr_assert_float_eq(after[k], f.y[k], 1e-6, "%s: %zu", layers[i], k);
        free(w);
    }
    free(before);
    free(after);
    close_all(&f);
}

static void run_part(struct fixture *f, enum plan_part part, const strata_layer *const *extract, const float *x, size_t inputs, float *y,
                     size_t outputs)
{
    strata_error err = { 0 };
    const struct plan_config config = { .n = f->n, .part = part, .input = STRATA_FLOAT32, .input_scale = 1, .extract = extract,
                                        .extract_count = extract != NULL };
    struct plan *plan = strata_plan_create(f->model, &config, &err);
    cr_assert_not_null(plan, "%s", err.message);
    cr_assert(strata_buffer_write(f->device, QUEUE_COMPUTE, strata_plan_input(plan), 0, inputs * sizeof *x, x, &err));
    cr_assert(strata_run_play(strata_plan_run(plan), &err), "%s", err.message);
    const struct view view = strata_plan_output(plan);
    cr_assert_eq(strata_view_count(&view), outputs);
    cr_assert(strata_buffer_read(f->device, QUEUE_COMPUTE, view.buffer, view.offset * sizeof *y, outputs * sizeof *y, y, &err));
    strata_plan_free(plan);
}

Test(plan, reads_through_a_layer_that_puts_zeros_around_unless_that_is_wanted_or_ends_a_part)
{
    strata_error err = { 0 };
    struct fixture f = open_model("[{\"Input\": {\"shape\": [5, 4, 3]}}, {\"Conv2D\": {\"filters\": 4, \"kernel_size\": 2, \"name\": \"frozen\"}},"
                                  "{\"ZeroPadding2D\": {\"padding\": [[0, 1], [2, 1]], \"name\": \"rim\"}},"
                                  "{\"DepthwiseConv2D\": {\"kernel_size\": 3, \"strides\": 2, \"name\": \"d\"}}]", 3);
    strata_model_set_trainable_by_name(f.model, "frozen", false);
    strata_model_snapshot_trainable(f.model);
    f.params = strata_params_bind(f.model, f.device, false, 0, &err);
    cr_assert_not_null(f.params, "%s", err.message);
    const size_t between = f.n * 5 * 6 * 4;
    float *middle = calloc(between, sizeof *middle), *apart = calloc(f.outputs, sizeof *apart);
    const strata_layer *rim = strata_model_get_layer(f.model, "rim", &err);

    run_part(&f, PLAN_WHOLE, &rim, f.x, f.inputs, f.y, f.outputs);
    run_part(&f, PLAN_WHOLE, NULL, f.x, f.inputs, apart, f.outputs);
    for (size_t i = 0; i < f.outputs; i++) cr_assert_float_eq(apart[i], f.y[i], 1e-6, "%zu", i);
    run_part(&f, PLAN_PREFIX, NULL, f.x, f.inputs, middle, between);
    run_part(&f, PLAN_REST, NULL, middle, between, apart, f.outputs);
    for (size_t i = 0; i < f.outputs; i++) cr_assert_float_eq(apart[i], f.y[i], 1e-6, "%zu", i);
    free(middle);
    free(apart);
    close_all(&f);
}
