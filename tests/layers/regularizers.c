/* Regularizers and constraints against what Keras 3 computes for one small matrix. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "layers/layer.h"
#include "layers/regularizer.h"

enum { COUNT = 6 };
static const float matrix[COUNT] = { 0.5f, -1.25f, 2.0f, -0.75f, 0.25f, 1.5f }; /* (2, 3) */

struct bench {
    struct device *device;
    struct run *run;
    struct view w, dw, penalty;
};

static struct bench open_bench(void)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct bench b = { .device = strata_device_open(&request, &err) };
    cr_assert(b.device, "%s", err.message);
    b.run = strata_run_immediate(b.device, QUEUE_COMPUTE, &err);
    b.w = (struct view){ .buffer = strata_buffer_create(b.device, sizeof matrix, &err), .offset = 0, .shape = { 2, { 2, 3 } } };
    b.dw = (struct view){ .buffer = strata_buffer_create(b.device, sizeof matrix, &err), .offset = 0, .shape = { 2, { 2, 3 } } };
    b.penalty = (struct view){ .buffer = strata_buffer_create(b.device, sizeof(float), &err), .offset = 0, .shape = { 1, { 1 } } };
    cr_assert(b.run
                  && strata_buffer_write(b.device, QUEUE_COMPUTE, b.w.buffer, 0, sizeof matrix, matrix, &err),
              "%s", err.message);
    return b;
}

static void close_bench(struct bench *b)
{
    strata_buffer_free(b->w.buffer);
    strata_buffer_free(b->dw.buffer);
    strata_buffer_free(b->penalty.buffer);
    strata_run_free(b->run);
    strata_device_close(b->device);
}

static void read_view(struct bench *b, const struct view *view, float *out)
{
    strata_error err = { 0 };
    cr_assert(strata_buffer_read(b->device, QUEUE_COMPUTE, view->buffer, 0,
                                 strata_view_count(view) * sizeof *out, out, &err),
              "%s", err.message);
}

static struct object parse(const struct registry *registry, const char *text)
{
    strata_error err = { 0 };
    struct object object = { 0 };
    json_t *json = strata_json_parse(text, strlen(text), "object", &err);
    cr_assert(json && strata_object_parse(registry, json, STRATA_KERAS3, &object, &err), "%s: %s", text,
              err.message);
    json_decref(json);
    return object;
}

/* Twice with half the scale, to see that both penalty and gradient are added to. */
static void expect_penalty(const char *text, float penalty, const float gradient[COUNT])
{
    strata_error err = { 0 };
    struct bench b = open_bench();
    struct object object = parse(&strata_regularizers, text);
    const struct regularizer_class *class = (const void *)object.class;
    for (int i = 0; i < 2; i++)
        cr_assert(class->apply(object.config, b.run, &b.w, 0.5, &b.penalty, &b.dw, &err), "%s", err.message);
    float got[COUNT], sum;
    read_view(&b, &b.dw, got);
    read_view(&b, &b.penalty, &sum);
    cr_expect_float_eq(sum, penalty, 1e-5, "%s: penalty %g, in Keras %g", text, (double)sum, (double)penalty);
    for (int i = 0; i < COUNT; i++)
        cr_expect_float_eq(got[i], gradient[i], 1e-5, "%s: gradient[%d] is %g, in Keras %g", text, i,
                           (double)got[i], (double)gradient[i]);
    strata_object_release(&object);
    close_bench(&b);
}

Test(regularizers, have_the_penalties_and_gradients_of_Keras)
{
    expect_penalty("{\"L1\": {\"l1\": 0.3}}", 1.875f,
                   (const float[]){ 0.3f, -0.3f, 0.3f, -0.3f, 0.3f, 0.3f });
    expect_penalty("{\"L2\": {\"l2\": 0.2}}", 1.7375f,
                   (const float[]){ 0.2f, -0.5f, 0.8f, -0.3f, 0.1f, 0.6f });
    expect_penalty("{\"class_name\": \"L1L2\", \"config\": {\"l1\": 0.3, \"l2\": 0.2}}", 3.6125f,
                   (const float[]){ 0.5f, -0.8f, 1.1f, -0.6f, 0.4f, 0.9f });
    expect_penalty("{\"OrthogonalRegularizer\": {\"factor\": 0.5}}", 0.282846838f,
                   (const float[]){ -0.116065025f, 0.0914053172f, 0.0861445814f, 0.134942204f, -0.177485555f,
                                    0.0970520377f });
    expect_penalty("{\"OrthogonalRegularizer\": {\"factor\": 0.5, \"mode\": \"columns\"}}", 0.238228604f,
                   (const float[]){ -0.0448236279f, -0.000977799296f, -0.0101287663f, -0.0298824161f,
                                    -0.00488903932f, 0.0135050155f });
}

static void expect_projection(const char *text, const float expected[COUNT])
{
    strata_error err = { 0 };
    struct bench b = open_bench();
    struct object object = parse(&strata_constraints, text);
    const struct constraint_class *class = (const void *)object.class;
    float got[COUNT];
    cr_assert(class->apply(object.config, b.run, &b.w, &err), "%s", err.message);
    read_view(&b, &b.w, got);
    for (int i = 0; i < COUNT; i++)
        cr_expect_float_eq(got[i], expected[i], 1e-5, "%s: w[%d] is %g, in Keras %g", text, i, (double)got[i],
                           (double)expected[i]);
    strata_object_release(&object);
    close_bench(&b);
}

Test(constraints, project_as_Keras_does)
{
    expect_projection(
        "{\"MaxNorm\": {\"max_value\": 1.2}}",
        (const float[]){ 0.49999994f, -1.17669678f, 0.96f, -0.749999881f, 0.235339344f, 0.72f });
    expect_projection("{\"MaxNorm\": {\"max_value\": 1.2, \"axis\": 1}}",
                      (const float[]){ 0.248868406f, -0.622171044f, 0.995473623f, -0.530791044f, 0.176930338f,
                                       1.06158209f });
    expect_projection("{\"MaxNorm\": {\"max_value\": 1.2, \"axis\": [0, 1]}}",
                      (const float[]){ 0.203565344f, -0.508913338f, 0.814261377f, -0.305348009f, 0.101782672f,
                                       0.610696018f });
    expect_projection(
        "{\"MinMaxNorm\": {\"min_value\": 1.0, \"max_value\": 1.6, \"rate\": 0.5, \"axis\": 1}}",
        (const float[]){ 0.415912271f, -1.03978062f, 1.66364908f, -0.728860676f, 0.242953554f, 1.45772135f });
    expect_projection("\"unit_norm\"",
                      (const float[]){ 0.554700136f, -0.980580568f, 0.8f, -0.832050204f, 0.19611612f, 0.6f });
    expect_projection("\"NonNeg\"", (const float[]){ 0.5f, 0, 2, 0, 0.25f, 1.5f });
}
