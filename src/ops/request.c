#include "ops/request.h"

#include <stdio.h>

#include "base/env.h"
#include "device/choices.h"

const char *strata_request_operation(const struct request *r)
{
    static const char *const names[] = { "gemm", "conv2d", "conv2d input gradient", "conv2d kernel gradient" };
    return r->kind == REQUEST_GEMM && r->gemm.accumulate ? "gemm, added" : names[r->kind];
}

static void write_gemm(const struct gemm *g, char text[STRATA_REQUEST_TEXT])
{
    snprintf(text, STRATA_REQUEST_TEXT, "%zux%zux%zu%s%s", g->m, g->n, g->k, g->transpose_a ? " a transposed" : "",
             g->transpose_b ? " b transposed" : "");
}

/* Only what is not as usual is named: strides and dilation of 1, no padding, one group. */
static void write_conv(const struct conv2d *c, char text[STRATA_REQUEST_TEXT])
{
    int at = snprintf(text, STRATA_REQUEST_TEXT, "%zux%zux%zux%zu %dx%d %zux%zux%zux%zu", c->n, c->height, c->width, c->channels,
                      c->kernel_height, c->kernel_width, c->n, c->out_height, c->out_width, c->filters);
    const struct {
        const char *name;
        int a, b;
        int usual;
        const char *between;
    } more[] = { { " strides ", c->stride_h, c->stride_w, 1, "x" }, { " dilation ", c->dilation_h, c->dilation_w, 1, "x" },
                 { " padding ", c->pad_top, c->pad_left, 0, "," } };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (more[i].a != more[i].usual || more[i].b != more[i].usual)
            at += snprintf(text + at, STRATA_REQUEST_TEXT - (size_t)at, "%s%d%s%d", more[i].name, more[i].a, more[i].between, more[i].b);
    if (c->groups != 1) snprintf(text + at, STRATA_REQUEST_TEXT - (size_t)at, " groups %d", c->groups);
}

const char *strata_request_shape(const struct request *r, char text[STRATA_REQUEST_TEXT])
{
    if (r->kind == REQUEST_GEMM)
        write_gemm(&r->gemm, text);
    else
        write_conv(&r->conv, text);
    return text;
}

const char *strata_request_key(const struct request *r, char text[STRATA_REQUEST_TEXT])
{
    char shape[STRATA_REQUEST_TEXT];
    snprintf(text, STRATA_REQUEST_TEXT, "%s %.200s%s", strata_request_operation(r), strata_request_shape(r, shape),
             r->strict ? " strict" : "");
    return text;
}

struct work strata_request_work(const struct request *r, const char *implementation, bool tuned)
{
    const struct gemm *g = &r->gemm;
    const struct conv2d *c = &r->conv;
    struct work work = { .operation = strata_request_operation(r), .implementation = implementation, .tuned = tuned };
    if (r->kind == REQUEST_GEMM) {
        const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
        work.flops = 2 * m * n * k;
        work.bytes = sizeof(float) * (m * k + k * n + m * n);
        return work;
    }
    const double taps = (double)c->kernel_height * (double)c->kernel_width * (double)c->channels / (double)c->groups;
    const double x = (double)c->n * (double)c->height * (double)c->width * (double)c->channels;
    const double y = (double)c->n * (double)c->out_height * (double)c->out_width * (double)c->filters;
    work.flops = 2 * y * taps;
    work.bytes = sizeof(float) * (x + y + taps * (double)c->filters);
    return work;
}

enum wanted strata_request_wanted(const struct request *r, struct device *device, const char *op,
                                  char name[STRATA_IMPLEMENTATION_NAME])
{
    char key[STRATA_REQUEST_TEXT];
    if (strata_env_impl(op, name, STRATA_IMPLEMENTATION_NAME)) return WANTED_FORCED;
    const char *choice = r->untuned ? NULL : strata_device_choice(device, strata_request_key(r, key));
    if (!choice) return WANTED_NONE;
    snprintf(name, STRATA_IMPLEMENTATION_NAME, "%s", choice);
    return WANTED_TUNED;
}
