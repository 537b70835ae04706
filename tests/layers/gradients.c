/* The gradients of every class of layer against finite differences. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/harness.h"

struct gradient_case {
    char class_name[40], config[220];
    int inputs;
    struct shape in[3];
    bool inference; /* as a frozen layer runs */
};

#define ONE(...) 1, { __VA_ARGS__ }, false

static struct gradient_case cases[] = {
    { "Dense", "{\"units\": 3}", ONE({ 1, { 4 } }) },
    { "Resizing", "{\"height\": 3, \"width\": 7}", ONE({ 3, { 5, 4, 2 } }) },
    { "CenterCrop", "{\"height\": 2, \"width\": 3}", ONE({ 3, { 5, 4, 2 } }) },
    { "RandomFlip", "{}", ONE({ 3, { 3, 4, 2 } }) },
    { "RandomTranslation", "{\"height_factor\": 0.6, \"width_factor\": 0.6}", ONE({ 3, { 3, 4, 2 } }) },
    { "RandomTranslation", "{\"height_factor\": 0.6, \"width_factor\": 0.6, \"fill_mode\": \"wrap\"}",
      ONE({ 3, { 3, 4, 2 } }) },
    { "RandomRotation", "{\"factor\": 0.3, \"fill_mode\": \"constant\"}", ONE({ 3, { 3, 4, 2 } }) },
    { "RandomZoom", "{\"height_factor\": 0.5, \"width_factor\": 0.7}", ONE({ 3, { 4, 3, 2 } }) },
    { "RandomCrop", "{\"height\": 2, \"width\": 3}", ONE({ 3, { 4, 5, 2 } }) },
    { "RandomBrightness", "{\"factor\": 0.5, \"value_range\": [-9, 9]}", ONE({ 3, { 3, 4, 2 } }) },
    { "RandomContrast", "{\"factor\": 0.5, \"value_range\": [-9, 9]}", ONE({ 3, { 3, 4, 2 } }) },
    { "Dense", "{\"units\": 3, \"activation\": \"gelu\"}", ONE({ 2, { 2, 5 } }) },
    { "Conv1D", "{\"filters\": 4, \"kernel_size\": 3, \"padding\": \"causal\", \"groups\": 2}",
      ONE({ 2, { 6, 2 } }) },
    { "Conv2D", "{\"filters\": 3, \"kernel_size\": [3, 2], \"strides\": 2, \"padding\": \"same\"}",
      ONE({ 3, { 5, 4, 2 } }) },
    { "Conv2D",
      "{\"filters\": 4, \"kernel_size\": 2, \"dilation_rate\": 2, \"groups\": 2, \"activation\": \"tanh\"}",
      ONE({ 3, { 5, 4, 2 } }) },
    { "Conv1DTranspose", "{\"filters\": 3, \"kernel_size\": 3, \"strides\": 2}", ONE({ 2, { 4, 2 } }) },
    { "Conv2DTranspose", "{\"filters\": 2, \"kernel_size\": 3, \"strides\": 2, \"padding\": \"same\"}",
      ONE({ 3, { 3, 2, 2 } }) },
    { "Conv2DTranspose", "{\"filters\": 2, \"kernel_size\": 2, \"dilation_rate\": 2}",
      ONE({ 3, { 3, 2, 3 } }) },
    { "DepthwiseConv1D", "{\"kernel_size\": 3, \"depth_multiplier\": 2}", ONE({ 2, { 5, 3 } }) },
    { "DepthwiseConv2D", "{\"kernel_size\": 3, \"strides\": 2, \"dilation_rate\": 2, \"padding\": \"same\"}",
      ONE({ 3, { 5, 4, 3 } }) },
    { "SeparableConv1D", "{\"filters\": 4, \"kernel_size\": 3, \"padding\": \"causal\"}",
      ONE({ 2, { 5, 3 } }) },
    { "SeparableConv2D",
      "{\"filters\": 4, \"kernel_size\": 2, \"depth_multiplier\": 2, \"activation\": \"sigmoid\"}",
      ONE({ 3, { 4, 3, 2 } }) },
    { "MaxPooling1D", "{\"pool_size\": 3, \"strides\": 2}", ONE({ 2, { 7, 2 } }) },
    { "MaxPooling2D", "{\"pool_size\": [2, 3], \"strides\": [1, 2], \"padding\": \"same\"}",
      ONE({ 3, { 4, 5, 8 } }) },
    { "AveragePooling1D", "{\"pool_size\": 3, \"padding\": \"same\"}", ONE({ 2, { 7, 2 } }) },
    { "AveragePooling2D", "{\"pool_size\": [2, 3], \"strides\": [1, 2], \"padding\": \"same\"}",
      ONE({ 3, { 4, 5, 4 } }) },
    { "GlobalMaxPooling1D", "{}", ONE({ 2, { 5, 3 } }) },
    { "GlobalMaxPooling2D", "{\"keepdims\": true}", ONE({ 3, { 3, 2, 8 } }) },
    { "GlobalAveragePooling1D", "{}", ONE({ 2, { 5, 3 } }) },
    { "GlobalAveragePooling2D", "{}", ONE({ 3, { 3, 2, 2 } }) },
    { "BatchNormalization", "{}", ONE({ 3, { 3, 4, 8 } }) },
    { "BatchNormalization", "{\"axis\": 1, \"scale\": false}", ONE({ 3, { 3, 4, 2 } }) },
    { "BatchNormalization", "{}", 1, { { 2, { 4, 3 } } }, true },
    { "LayerNormalization", "{\"axis\": [1, 3]}", ONE({ 3, { 3, 4, 2 } }) },
    { "LayerNormalization", "{\"axis\": -2, \"center\": false}", ONE({ 3, { 3, 4, 2 } }) },
    { "GroupNormalization", "{\"groups\": 2, \"axis\": 1}", ONE({ 3, { 4, 3, 2 } }) },
    { "GroupNormalization", "{\"groups\": 3}", ONE({ 2, { 4, 6 } }) },
    { "RMSNormalization", "{\"axis\": [2, 3]}", ONE({ 3, { 3, 4, 2 } }) },
    { "UnitNormalization", "{\"axis\": [1, 3]}", ONE({ 3, { 3, 4, 2 } }) },
    { "Normalization", "{\"axis\": [1, 2], \"mean\": [1, 2, 3, 4], \"variance\": [1, 2, 0.5, 4]}",
      ONE({ 3, { 2, 2, 3 } }) },
    { "Normalization", "{\"invert\": true}", ONE({ 2, { 2, 3 } }) },
    { "Activation", "{\"activation\": \"squareplus\"}", ONE({ 2, { 2, 3 } }) },
    { "Activation", "{\"activation\": \"log_sigmoid\"}", ONE({ 2, { 2, 3 } }) },
    { "Activation", "{\"activation\": \"mish\"}", ONE({ 2, { 2, 3 } }) },
    { "ReLU", "{\"max_value\": 0.9, \"negative_slope\": 0.1, \"threshold\": 0.2}", ONE({ 1, { 20 } }) },
    { "LeakyReLU", "{}", ONE({ 1, { 7 } }) },
    { "ELU", "{\"alpha\": 0.7}", ONE({ 1, { 7 } }) },
    { "PReLU", "{\"shared_axes\": [1, 3]}", ONE({ 3, { 3, 4, 2 } }) },
    { "Softmax", "{\"axis\": [1, 2]}", ONE({ 3, { 2, 3, 2 } }) },
    { "Dropout", "{\"rate\": 0.4}", ONE({ 2, { 5, 3 } }) },
    { "SpatialDropout1D", "{\"rate\": 0.5}", ONE({ 2, { 5, 3 } }) },
    { "SpatialDropout2D", "{\"rate\": 0.5}", ONE({ 3, { 3, 2, 3 } }) },
    { "AlphaDropout", "{\"rate\": 0.3}", ONE({ 1, { 9 } }) },
    { "GaussianDropout", "{\"rate\": 0.3}", ONE({ 1, { 9 } }) },
    { "GaussianNoise", "{\"stddev\": 0.3}", ONE({ 1, { 9 } }) },
    { "Flatten", "{}", ONE({ 2, { 2, 3 } }) },
    { "Reshape", "{\"target_shape\": [3, -1]}", ONE({ 2, { 2, 3 } }) },
    { "Permute", "{\"dims\": [3, 1, 2]}", ONE({ 3, { 2, 3, 4 } }) },
    { "RepeatVector", "{\"n\": 3}", ONE({ 1, { 4 } }) },
    { "ZeroPadding1D", "{\"padding\": [1, 2]}", ONE({ 2, { 3, 2 } }) },
    { "ZeroPadding2D", "{\"padding\": [[1, 0], [2, 1]]}", ONE({ 3, { 3, 2, 2 } }) },
    { "Cropping1D", "{\"cropping\": [1, 2]}", ONE({ 2, { 5, 2 } }) },
    { "Cropping2D", "{\"cropping\": [[1, 0], [2, 1]]}", ONE({ 3, { 3, 5, 2 } }) },
    { "UpSampling1D", "{\"size\": 3}", ONE({ 2, { 3, 2 } }) },
    { "UpSampling2D", "{\"size\": [2, 3]}", ONE({ 3, { 3, 2, 2 } }) },
    { "UpSampling2D", "{\"size\": [2, 3], \"interpolation\": \"bilinear\"}", ONE({ 3, { 3, 4, 2 } }) },
    { "UpSampling2D", "{\"size\": [3, 2], \"interpolation\": \"bicubic\"}", ONE({ 3, { 5, 3, 1 } }) },
    { "UpSampling2D", "{\"interpolation\": \"lanczos3\"}", ONE({ 3, { 5, 3, 1 } }) },
    { "Rescaling", "{\"scale\": 0.5, \"offset\": 2}", ONE({ 1, { 5 } }) },
    { "Rescaling", "{\"scale\": [0.5, -2, 3], \"offset\": 1}", ONE({ 2, { 2, 3 } }) },
    { "Embedding", "{\"input_dim\": 5, \"output_dim\": 3}", ONE({ 1, { 4 } }) },
    { "ActivityRegularization", "{\"l1\": 0.1}", ONE({ 1, { 4 } }) },
    { "Identity", "{}", ONE({ 2, { 3, 4 } }) },
    { "Add", "{}", 3, { { 2, { 2, 3 } }, { 2, { 1, 3 } }, { 1, { 3 } } }, false },
    { "Subtract", "{}", 2, { { 2, { 2, 3 } }, { 2, { 2, 3 } } }, false },
    { "Multiply", "{}", 3, { { 3, { 2, 2, 3 } }, { 3, { 1, 1, 3 } }, { 3, { 2, 2, 3 } } }, false },
    { "Average", "{}", 3, { { 1, { 5 } }, { 1, { 5 } }, { 1, { 5 } } }, false },
    { "Maximum", "{}", 3, { { 2, { 2, 3 } }, { 2, { 2, 1 } }, { 2, { 2, 3 } } }, false },
    { "Minimum", "{}", 2, { { 1, { 6 } }, { 1, { 6 } } }, false },
    { "AddOperation", "{}", 2, { { 2, { 2, 3 } }, { 1, { 3 } } }, false },
    { "AddOperation", "{\"constant\": 3}", ONE({ 1, { 5 } }) },
    { "SubtractOperation", "{}", 2, { { 1, { 5 } }, { 1, { 5 } } }, false },
    { "SubtractOperation", "{\"constant\": 2, \"constant_first\": true}", ONE({ 1, { 5 } }) },
    { "MultiplyOperation", "{}", 2, { { 2, { 2, 3 } }, { 2, { 1, 3 } } }, false },
    { "MultiplyOperation", "{\"constant\": 0.5}", ONE({ 1, { 5 } }) },
    { "DivideOperation", "{\"constant\": 4}", ONE({ 1, { 5 } }) },
    { "CustomScaleLayer", "{\"scale\": 0.3}", 2, { { 2, { 2, 3 } }, { 2, { 2, 3 } } }, false },
    { "LayerScale", "{\"projection_dim\": 3, \"init_values\": 0.5}", ONE({ 3, { 2, 2, 3 } }) },
    { "StochasticDepth", "{\"drop_path_rate\": 0.4}", ONE({ 2, { 5, 3 } }) },
    { "Concatenate", "{\"axis\": 1}", 3, { { 2, { 2, 3 } }, { 2, { 1, 3 } }, { 2, { 2, 3 } } }, false },
};

enum { SAMPLES = 3, CASES = sizeof cases / sizeof *cases };
static const float STEP = 0.005f;

/* Distinct numbers in a random order, none of them near 0 or near each other or those of two other streams, so that no step
 * crosses a knot. */
static void scatter(float *out, size_t count, uint32_t stream)
{
    const struct random_key key = { .seed = 11, .purpose = RANDOM_DATA, .stream = stream };
    for (size_t i = 0; i < count; i++)
        out[i] = 0.051f * ((float)strata_random_permute(&key, i, count) - (float)(count / 2) + 0.5f)
                 + 0.017f * (float)(stream % 3);
}

static void fill_tensor(struct harness *h, const struct view *view, uint32_t stream, bool integer,
                        bool positive)
{
    strata_error err = { 0 };
    const size_t count = strata_view_count(view);
    float *values = calloc(count + 1, sizeof *values);
    scatter(values, count, stream);
    for (size_t i = 0; i < count; i++) {
        const int index = (int)(i * 7 % 5);
        if (integer) memcpy(&values[i], &index, sizeof index);
        if (positive) values[i] = fabsf(values[i]) + 0.5f;
    }
    cr_assert(harness_write(h, view, values, &err), "%s", err.message);
    free(values);
}

static double objective(struct harness *h, bool training, const float *dy)
{
    strata_error err = { 0 };
    const size_t count = strata_view_count(&h->y);
    float *y = calloc(count + 1, sizeof *y);
    double sum = 0;
    cr_assert(harness_forward(h, training, &err) && harness_read(h, &h->y, y, &err), "%s", err.message);
    for (size_t i = 0; i < count; i++) sum += (double)y[i] * dy[i];
    free(y);
    return sum;
}

/* Compares some elements of the gradient of `of` with differences of the objective. */
static void compare(struct harness *h, const char *what, const struct view *of, const struct view *gradient,
                    bool training, const float *dy)
{
    strata_error err = { 0 };
    const size_t count = strata_view_count(of), stride = count > 24 ? count / 12 : 1;
    float *values = calloc(count + 1, sizeof *values), *got = calloc(count + 1, sizeof *got), largest = 0.1f;
    cr_assert(harness_read(h, of, values, &err) && harness_read(h, gradient, got, &err), "%s", err.message);
    for (size_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(got[i]));
    for (size_t i = 0; i < count; i += stride) {
        const float value = values[i];
        double at[2];
        for (int side = 0; side < 2; side++) {
            values[i] = value + (side ? STEP : -STEP);
            cr_assert(harness_write(h, of, values, &err), "%s", err.message);
            at[side] = objective(h, training, dy);
        }
        values[i] = value;
        const double expected = (at[1] - at[0]) / (2 * (double)STEP);
        cr_expect(fabs(expected - (double)got[i]) <= 0.01 * (double)largest,
                  "%s: %s[%zu] is %g, by differences %g", h->class->class.name, what, i, (double)got[i],
                  expected);
    }
    cr_assert(harness_write(h, of, values, &err), "%s", err.message);
    free(values);
    free(got);
}

static void check_all(struct harness *h, bool training)
{
    strata_error err = { 0 };
    float *dy = calloc(strata_view_count(&h->dy) + 1, sizeof *dy);
    scatter(dy, strata_view_count(&h->dy), 99);
    objective(h, training, dy);
    cr_assert(harness_write(h, &h->dy, dy, &err) && harness_backward(h, training, &err), "%s", err.message);
    for (int k = 0; k < h->inputs && !h->class->integer_input; k++)
        compare(h, "dx", &h->x[k], &h->dx[k], training, dy);
    for (int i = 0; i < h->ask.count; i++)
        if (!h->ask.spec[i].statistic) compare(h, h->ask.spec[i].name, &h->w[i], &h->dw[i], training, dy);
    free(dy);
}

static void run_case(const struct gradient_case *c, struct device *device)
{
    strata_error err = { 0 };
    const struct layer_class *class;
    void *config;
    char text[320];
    struct harness h;
    const uint32_t rows[SAMPLES] = { 5, 17, 3 };
    snprintf(text, sizeof text, "{\"class_name\": \"%s\", \"config\": %s}", c->class_name, c->config);
    json_t *json = strata_json_parse(text, strlen(text), "case", &err);
    cr_assert(json && harness_parse(json, STRATA_KERAS3, &class, &config, &err), "%s", err.message);
    json_decref(json);
    cr_assert(harness_open(&h, device, class, config, SAMPLES, c->in, c->inputs, &err), "%s: %s",
              c->class_name, err.message);
    cr_assert(harness_words(&h, 42, 1, rows, &err), "%s", err.message);
    for (int k = 0; k < h.inputs; k++) fill_tensor(&h, &h.x[k], (uint32_t)k, class->integer_input, false);
    for (int i = 0; i < h.ask.count; i++)
        fill_tensor(&h, &h.w[i], 20 + (uint32_t)i, false, strstr(h.ask.spec[i].name, "variance") != NULL);
    check_all(&h, !c->inference);
    harness_close(&h);
    harness_config_free(class, config);
}

ParameterizedTestParameters(gradients, agree_with_finite_differences)
{
    return cr_make_param_array(struct gradient_case, cases, CASES);
}

ParameterizedTest(struct gradient_case *c, gradients, agree_with_finite_differences)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct device *device = strata_device_open(&request, &err);
    cr_assert(device, "%s", err.message);
    run_case(c, device);
    strata_device_close(device);
}

Test(gradients, are_checked_for_every_class_of_the_registry)
{
    for (const struct class *const *class = strata_layers.classes; *class; class ++) {
        bool found = strata_layer_class(*class)->host_only;
        for (size_t i = 0; i < CASES; i++) found = found || strcmp(cases[i].class_name, (*class)->name) == 0;
        cr_expect(found, "no gradient case for %s", (*class)->name);
    }
}
