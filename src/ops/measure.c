#include "ops/measure_priv.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "ops/implementations.h"

const double strata_least_gain = 0.03;

enum { ROUNDS = 5, BLOCK_FLOATS = 1 << 20, MOST_REPEATS = 256, LONGER = 4 /* times a block is, where one thing is measured alone */ };
static const double block_seconds = 0.01; /* of runs in a row, so that waiting for the last does not count */

/* ---- sizes ------------------------------------------------------------------------------------------------------------ */

/* Floats of the inputs, of the output and of a column's bias; how many products an element of the output is the sum of. */
struct sizes {
    size_t in[2], out, columns, terms;
};

static struct sizes sizes_of(const struct request *r)
{
    const struct gemm *g = &r->gemm;
    const struct conv2d *c = &r->conv;
    if (r->kind == REQUEST_GEMM)
        return (struct sizes){ { g->m * g->k, g->k * g->n }, g->m * g->n, g->n, g->k };
    const size_t taps = (size_t)c->kernel_height * (size_t)c->kernel_width, groups = (size_t)c->groups;
    const size_t x = c->n * c->height * c->width * c->channels, y = c->n * c->out_height * c->out_width * c->filters;
    const size_t kernel = taps * (c->channels / groups) * c->filters;
    if (r->kind == REQUEST_CONV2D) return (struct sizes){ { x, kernel }, y, c->filters, taps * c->channels / groups };
    if (r->kind == REQUEST_CONV2D_INPUT_GRADIENT) return (struct sizes){ { y, kernel }, x, 0, taps * c->filters / groups };
    return (struct sizes){ { x, y }, kernel, 0, c->n * c->out_height * c->out_width };
}

size_t strata_meter_result_size(const struct request *r)
{
    return sizes_of(r).out;
}

/* ---- making ----------------------------------------------------------------------------------------------------------- */

/* Numbers in [-1, 1) by a linear congruential generator (Numerical Recipes), over and over. */
static struct buffer *make_numbers(struct device *device, size_t floats, strata_error *err)
{
    const size_t block = floats < BLOCK_FLOATS ? floats : BLOCK_FLOATS;
    struct buffer *buffer = strata_buffer_create(device, floats * sizeof(float), err);
    float *numbers = buffer ? strata_alloc(block, sizeof *numbers, err) : NULL;
    uint32_t state = 1;
    for (size_t i = 0; numbers && i < block; i++)
        numbers[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1;
    bool ok = numbers && strata_buffer_write(device, QUEUE_COMPUTE, buffer, 0, block * sizeof(float), numbers, err);
    for (size_t at = block; ok && at < floats; at += block) {
        const size_t some = floats - at < block ? floats - at : block;
        ok = strata_buffer_copy(device, QUEUE_COMPUTE, buffer, 0, buffer, at * sizeof(float), some * sizeof(float), err);
    }
    free(numbers);
    if (ok) return buffer;
    strata_buffer_free(buffer);
    return NULL;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

struct meter *strata_meter_create(struct device *device, const struct request *requests, size_t count, strata_error *err)
{
    struct sizes most = { { 1, 1 }, 1, 1, 0 };
    struct meter *m = strata_alloc(1, sizeof *m, err);
    for (size_t i = 0; i < count; i++) {
        const struct sizes s = sizes_of(&requests[i]);
        for (int k = 0; k < 2; k++) most.in[k] = larger(most.in[k], s.in[k]);
        most.out = larger(most.out, s.out);
        most.columns = larger(most.columns, s.columns);
    }
    if (!m) return NULL;
    m->device = device;
    m->room = most.out;
    if ((m->in[0] = make_numbers(device, most.in[0], err)) && (m->in[1] = make_numbers(device, most.in[1], err))
        && (m->bias = make_numbers(device, 2 * most.columns, err))
        && (m->out = strata_buffer_create(device, most.out * sizeof(float), err))
        && (m->expected = strata_alloc(most.out, sizeof *m->expected, err))
        && (m->got = strata_alloc(most.out, sizeof *m->got, err))
        && (m->run = strata_run_immediate(device, QUEUE_COMPUTE, err)))
        return m;
    strata_meter_free(m);
    return NULL;
}

void strata_meter_free(struct meter *m)
{
    if (!m) return;
    strata_run_free(m->run);
    for (int k = 0; k < 2; k++) strata_buffer_free(m->in[k]);
    strata_buffer_free(m->bias);
    strata_buffer_free(m->out);
    free(m->expected);
    free(m->got);
    free(m);
}

/* ---- running ----------------------------------------------------------------------------------------------------------- */

/* A function that is not linear costs as much as ReLU, which makes no error larger. */
static struct tail tail_of(const struct meter *m, const struct tail *asked, size_t columns)
{
    struct tail tail = { .activation = asked->activation == ACTIVATION_LINEAR ? ACTIVATION_LINEAR : ACTIVATION_RELU };
    if (!asked->bias.buffer) return tail;
    tail.bias = (struct view){ .buffer = m->bias };
    tail.factor = asked->factor ? columns : 0;
    return tail;
}

bool strata_meter_run(struct meter *m, const struct request *r, const char *implementation, strata_error *err)
{
    const struct view a = { .buffer = m->in[0] }, b = { .buffer = m->in[1] }, y = { .buffer = m->out };
    if (r->kind == REQUEST_GEMM) {
        struct gemm gemm = r->gemm;
        gemm.a = a;
        gemm.b = b;
        gemm.c = y;
        gemm.tail = tail_of(m, &r->gemm.tail, gemm.n);
        return strata_gemm_named(implementation)->run(m->run, &gemm, err);
    }
    const struct conv2d_implementation *with = strata_conv2d_named(implementation);
    const struct tail tail = tail_of(m, &r->tail, r->conv.filters);
    if (r->kind == REQUEST_CONV2D) return with->forward(m->run, &r->conv, &a, &b, &tail, &y, err);
    if (r->kind == REQUEST_CONV2D_INPUT_GRADIENT) return with->input_gradient(m->run, &r->conv, &a, &b, &y, err);
    return with->kernel_gradient(m->run, &r->conv, &a, &b, &y, err);
}

static bool run_for_result(struct meter *m, const struct request *r, const char *implementation, float *result,
                           strata_error *err)
{
    const size_t bytes = sizes_of(r).out * sizeof(float);
    return strata_buffer_zero(m->device, QUEUE_COMPUTE, m->out, 0, bytes, err) && strata_meter_run(m, r, implementation, err)
           && strata_buffer_read(m->device, QUEUE_COMPUTE, m->out, 0, bytes, result, err);
}

/* Each of two sums of K products of numbers in [-1, 1), whose sizes are K / 4 together on average, is with near certainty within
 * lambda sqrt(K) u K / 4 of the exact one, lambda 4, u 2^-24 (Higham and Mary, A New Approach to Probabilistic Rounding Error Analysis,
 * 2019). Winograd's transforms round too: they are allowed five times the 3.2e-6 of the largest result that were measured. */
bool strata_meter_agree(const struct request *r, const float *expected, const float *got, size_t count)
{
    const double terms = (double)sizes_of(r).terms, sums = 2 * 4 * sqrt(terms) * 0x1p-24 * terms / 4;
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)expected[i]));
    const double most = fmax(sums, 1.6e-5 * largest);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)expected[i]) <= most)) return false; /* nor NaN */
    return true;
}

static bool agrees_with_expected(struct meter *m, const struct request *r, const char *implementation, bool *agrees,
                                 strata_error *err)
{
    const size_t size = sizes_of(r).out;
    if (!run_for_result(m, r, implementation, m->got, err)) return false;
    *agrees = strata_meter_agree(r, m->expected, m->got, size);
    return true;
}

bool strata_meter_time(struct meter *m, const struct request *r, const char *implementation, size_t repeat, double *seconds,
                       strata_error *err)
{
    bool ok = true;
    const double start = strata_clock();
    for (size_t i = 0; ok && i < repeat; i++) ok = strata_meter_run(m, r, implementation, err);
    ok = ok && strata_device_finish(m->device, err);
    *seconds = (strata_clock() - start) / (double)repeat;
    return ok;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------ */

static void add(struct measurement *list, size_t *count, const char *name, const char *first)
{
    if (*count < STRATA_MOST_IMPLEMENTATIONS && strcmp(name, first) != 0)
        list[(*count)++] = (struct measurement){ .implementation = name, .as = MEASURED_NOT };
}

static void list_gemm(struct device *device, const struct gemm *g, struct measurement *list, size_t *count)
{
    list[0].implementation = strata_gemm_default(device, g)->name;
    for (int i = 0; strata_gemm_implementations[i]; i++)
        if (strata_gemm_implementations[i]->can(device, g))
            add(list, count, strata_gemm_implementations[i]->name, list[0].implementation);
}

static void list_conv(struct device *device, const struct request *r, struct measurement *list, size_t *count)
{
    list[0].implementation = strata_conv2d_default(device, &r->conv, r->strict, strata_request_is_gradient(r))->name;
    for (int i = 0; strata_conv2d_implementations[i]; i++) {
        const struct conv2d_implementation *one = strata_conv2d_implementations[i];
        if (one->can(device, &r->conv) && !(r->strict && one->rounds_more)) add(list, count, one->name, list[0].implementation);
    }
}

static void list_all(struct device *device, const struct request *r, struct measurement *list, size_t *count)
{
    if (r->kind == REQUEST_GEMM)
        list_gemm(device, &r->gemm, list, count);
    else
        list_conv(device, r, list, count);
}

static size_t repeats(double seconds, double block)
{
    const double wanted = ceil(block / fmax(seconds, 1e-9));
    return wanted < 1 ? 1 : wanted > MOST_REPEATS ? MOST_REPEATS : (size_t)wanted;
}

/* Builds it, looks at its result, and finds how often it runs in a block. */
static bool try_one(struct meter *m, const struct request *r, struct measurement *one, size_t *repeat, strata_error *err)
{
    bool agrees = false;
    if (!agrees_with_expected(m, r, one->implementation, &agrees, err)) return false;
    one->as = agrees ? MEASURED : MEASURED_WRONG;
    if (!agrees) return true;
    if (!strata_meter_time(m, r, one->implementation, 1, &one->seconds, err)) return false;
    *repeat = repeats(one->seconds, block_seconds);
    return true;
}

static struct past *past_of(struct meter *m, const struct request *r, const char *implementation)
{
    struct past *past = m->past[r->kind];
    size_t i = 0;
    while (past[i].implementation && strcmp(past[i].implementation, implementation) != 0) i++;
    assert(i < STRATA_MOST_IMPLEMENTATIONS);
    past[i].implementation = implementation;
    return &past[i];
}

static void note_past(struct meter *m, const struct request *r, const struct measurement *one, double by_default)
{
    struct past *past = past_of(m, r, one->implementation);
    const double times = one->seconds / by_default;
    past->least = past->shapes > 0 ? fmin(past->least, times) : times;
    past->shapes++;
}

/* Whether the time is better spent on others: it took HOPELESS times as long as the default for all shapes before, SHAPES at least, and would
 * take more than a PART of what is left. */
static bool is_hopeless(struct meter *m, const struct request *r, const char *implementation, double by_default, double until)
{
    enum { HOPELESS = 10, SHAPES = 2, PART = 50, RUNS = 2 };
    const struct past *past = past_of(m, r, implementation);
    return past->shapes >= SHAPES && past->least >= HOPELESS
        && RUNS * past->least * by_default > (until - strata_clock()) / PART;
}

/* In turns, so that what disturbs one disturbs all. One that took three times as long as the default is not asked again. */
static bool time_all(struct meter *m, const struct request *r, double until, struct measurement *list, size_t count,
                     const size_t *repeat, strata_error *err)
{
    double times[STRATA_MOST_IMPLEMENTATIONS][ROUNDS];
    const double most = 3 * list[0].seconds;
    size_t rounds = 0;
    for (; rounds < ROUNDS && (rounds == 0 || strata_clock() < until); rounds++)
        for (size_t i = 0; i < count; i++) {
            strata_error failure = { 0 };
            if (list[i].as != MEASURED || list[i].seconds > most
                || strata_meter_time(m, r, list[i].implementation, repeat[i], &times[i][rounds], &failure))
                continue;
            list[i].as = MEASURED_FAILED;
            if (i > 0) continue;
            *err = failure;
            return false;
        }
    for (size_t i = 0; i < count; i++)
        if (list[i].as == MEASURED && list[i].seconds <= most) list[i].seconds = strata_median(times[i], rounds);
    return true;
}

bool strata_meter_compare(struct meter *m, const struct request *r, double until,
                          struct measurement list[STRATA_MOST_IMPLEMENTATIONS], size_t *count, strata_error *err)
{
    size_t repeat[STRATA_MOST_IMPLEMENTATIONS] = { 0 };
    *count = 1;
    list[0] = (struct measurement){ .as = MEASURED_NOT };
    list_all(m->device, r, list, count);
    if (strata_clock() >= until) return true;
    if (!run_for_result(m, r, list[0].implementation, m->expected, err) || !try_one(m, r, &list[0], &repeat[0], err)) return false;
    for (size_t i = 1; i < *count && strata_clock() < until; i++) {
        strata_error failure = { 0 };
        if (is_hopeless(m, r, list[i].implementation, list[0].seconds, until)) continue;
        if (!try_one(m, r, &list[i], &repeat[i], &failure)) list[i].as = MEASURED_FAILED;
        if (list[i].as == MEASURED) note_past(m, r, &list[i], list[0].seconds);
    }
    return time_all(m, r, until, list, *count, repeat, err);
}

bool strata_meter_default(struct meter *m, const struct request *r, double *seconds, strata_error *err)
{
    struct measurement list[STRATA_MOST_IMPLEMENTATIONS] = { 0 };
    size_t count = 1;
    list_all(m->device, r, list, &count);
    return strata_meter_time(m, r, list[0].implementation, 1, seconds, err)
        && strata_meter_time(m, r, list[0].implementation, repeats(*seconds, LONGER * block_seconds), seconds, err);
}

size_t strata_meter_best(const struct measurement *list, size_t count)
{
    size_t best = 0;
    if (list[0].as != MEASURED) return 0;
    for (size_t i = 1; i < count; i++)
        if (list[i].as == MEASURED && list[i].seconds < (best ? list[best].seconds : (1 - strata_least_gain) * list[0].seconds))
            best = i;
    return best;
}
