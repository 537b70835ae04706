/* What the tests of the ops room share. */
#ifndef TESTS_OPS_SUPPORT_H
#define TESTS_OPS_SUPPORT_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "device/device.h"
#include "ops/view.h"

/* Whatever device there is, as a member of `class`. */
static inline struct device *open_as(strata_device_class class)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = (int)class };
    struct device *device = strata_device_open(&request, &err);
    cr_assert_not_null(device, "%s", err.message);
    return device;
}

static inline struct run *immediate(struct device *device)
{
    strata_error err = { 0 };
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    cr_assert_not_null(run, "%s", err.message);
    return run;
}

/* n numbers in [-0.5, 0.5), the same on every run; free() them. */
static inline float *numbers(size_t n, unsigned seed)
{
    float *values = malloc((n ? n : 1) * sizeof *values);
    cr_assert_not_null(values);
    unsigned state = seed * 2654435761u + 12345u;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    return values;
}

/* A tensor in the middle of a buffer: FRAME floats of SENTINEL lie before and after. An odd offset on purpose. */
enum { FRAME = 37 };
#define SENTINEL 12345.0f

struct tensor {
    struct view view;
    size_t count;
};

/* values NULL: filled with NaN, for outputs. */
static inline struct tensor tensor_of(struct device *device, const float *values, size_t count)
{
    strata_error err = { 0 };
    const size_t all = count + 2 * FRAME;
    float *host = malloc(all * sizeof *host);
    cr_assert_not_null(host);
    for (size_t i = 0; i < all; i++) {
        const bool framed = i < FRAME || i >= FRAME + count;
        host[i] = framed ? SENTINEL : values ? values[i - FRAME] : NAN;
    }
    struct tensor t = { .view = { .offset = FRAME }, .count = count };
    t.view.shape = (struct shape){ 1, { count } };
    t.view.buffer = strata_buffer_create(device, all * sizeof *host, &err);
    cr_assert_not_null(t.view.buffer, "%s", err.message);
    cr_assert(strata_buffer_write(device, QUEUE_COMPUTE, t.view.buffer, 0, all * sizeof *host, host, &err), "%s",
              err.message);
    free(host);
    return t;
}

/* The elements, free() them; the frame is checked. */
static inline float *read_tensor(struct device *device, const struct tensor *t)
{
    strata_error err = { 0 };
    const size_t all = t->count + 2 * FRAME;
    float *host = malloc(all * sizeof *host);
    cr_assert_not_null(host);
    cr_assert(strata_buffer_read(device, QUEUE_COMPUTE, t->view.buffer, 0, all * sizeof *host, host, &err), "%s",
              err.message);
    for (size_t i = 0; i < FRAME; i++)
        cr_assert(host[i] == SENTINEL && host[FRAME + t->count + i] == SENTINEL, "wrote outside the tensor");
    for (size_t i = 0; i < t->count; i++) host[i] = host[i + FRAME];
    return host;
}

static inline void free_tensor(struct tensor *t)
{
    strata_buffer_free(t->view.buffer);
    t->view.buffer = NULL;
}

static inline void expect_near(const float *found, const double *wanted, size_t count, double tolerance,
                               const char *what)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs((double)found[i] - wanted[i]) <= tolerance, "%s: element %zu is %g, not %g (tolerance %g)", what,
                  i, (double)found[i], wanted[i], tolerance);
}

/* Later calls of `op` are served by the implementation of that name. */
static inline void force(const char *op, const char *name)
{
    char text[100];
    snprintf(text, sizeof text, "%s=%s", op, name);
    setenv("STRATA_IMPL", text, 1);
}

#endif
