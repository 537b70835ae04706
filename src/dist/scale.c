#include <strata/scale.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "base/svg.h"
#include "dist/comm_priv.h"
#include "dist/context.h"
#include "dist/reducer.h"

/* ---- the model ------------------------------------------------------------------------------------------------- */

/* Of two buckets' worth of bytes and of the latency of a bucket, one half. */
static double half(const strata_scale *s, double ranks, double bytes, double far_bytes)
{
    const double near = fmin((double)s->per_host, ranks), hosts = ceil(ranks / near);
    return s->near.latency / 2 * log2(near) + s->far.latency / 2 * log2(hosts) + s->overhead * (hosts - 1)
           + bytes * (near - 1) / near / s->near.bandwidth + far_bytes * (hosts - 1) / hosts / s->far.bandwidth;
}

strata_scale_step strata_scale_model(const strata_scale *s, size_t ranks)
{
    const double near = fmin((double)s->per_host, (double)ranks), bytes = s->weights / (double)s->buckets;
    const double compute = s->compute * (s->shares_cores ? near : 1);
    const double exchange = half(s, (double)ranks, bytes, s->compression * bytes), gather = half(s, (double)ranks, bytes, bytes);
    double exchanged = 0, gathered = 0;
    for (size_t b = 1; b <= s->buckets; b++) {
        const double ready = compute * (s->forward + (1 - s->forward) * (double)b / (double)s->buckets);
        exchanged = fmax(exchanged, ready) + exchange;
        gathered = fmax(gathered, exchanged) + gather;
    }
    return (strata_scale_step){ .compute = compute, .exposed = gathered - compute,
                                .communication = (double)s->buckets * (exchange + gather) };
}

/* ---- measuring the link ------------------------------------------------------------------------------------------ */

enum { SMALL = 64, LARGE = 1 << 22, TIMES = 9, WARM_UP = 2 };

static bool no_update(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    (void)context;
    (void)run;
    (void)span;
    (void)slot;
    (void)err;
    return true;
}

/* The median time of steps of one bucket, when all begin together. */
static bool time_steps(struct comm *comm, struct reducer *reducer, double *seconds, strata_error *err)
{
    const struct reducer_update update = { .update = no_update };
    double times[TIMES];
    for (int i = -WARM_UP; i < TIMES; i++) {
        double nothing = 0;
        if (!strata_comm_sum(comm, &nothing, 1, err)) return false;
        const double start = strata_clock();
        if (!strata_reducer_start(reducer, NULL, NULL, &update, err) || !strata_reducer_wait(reducer, err)) return false;
        if (i >= 0) times[i] = strata_clock() - start;
    }
    *seconds = strata_median(times, TIMES);
    return true;
}

static bool time_bucket(strata_context *context, size_t floats, double *seconds, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    struct device *device = strata_context_device_of(context);
    struct buffer *weights = strata_buffer_create(device, floats * sizeof(float), err);
    struct buffer *gradients = weights ? strata_buffer_create(device, floats * sizeof(float), err) : NULL;
    const struct span bucket = { 0, floats };
    const struct reducer_config config = { .weights = weights, .gradients = gradients, .count = floats, .buckets = &bucket,
                                           .bucket_count = 1 };
    struct reducer *reducer = NULL;
    bool ok = strata_comm_agree(comm, gradients != NULL, err)
              && (reducer = strata_reducer_create(comm, device, &config, err)) && time_steps(comm, reducer, seconds, err);
    strata_reducer_free(reducer);
    strata_buffer_free(weights);
    strata_buffer_free(gradients);
    return ok && strata_comm_max(comm, seconds, 1, err);
}

strata_scale strata_scale_of(const strata_context *context)
{
    return (strata_scale){ .buckets = 1, .forward = 1.0 / 3, .compression = 1,
                           .per_host = (size_t)strata_comm_local_size(strata_context_comm(context)),
                           .shares_cores = strata_device_info_of(strata_context_device_of(context))->is_cpu,
                           .near = { 50e-6, 10e9 }, .far = { 50e-6, 12.5e9 }, .overhead = 0.5e-6 };
}

bool strata_scale_measure(strata_scale *scale, strata_context *context, strata_error *err)
{
    const double ranks = strata_context_size(context), bytes = 2 * (ranks - 1) / ranks * LARGE * sizeof(float);
    strata_link *link = strata_comm_local_size(strata_context_comm(context)) == (int)ranks ? &scale->near : &scale->far;
    double small, large;
    if (ranks == 1) return true;
    if (!time_bucket(context, SMALL, &small, err) || !time_bucket(context, LARGE, &large, err)) return false;
    link->latency = small / log2(ranks);
    link->bandwidth = bytes / fmax(large - small, 1e-9);
    return true;
}

/* ---- the picture -------------------------------------------------------------------------------------------------- */

static const double width = 640, height = 400, left = 70, right = 620, top = 50, bottom = 350;

/* Both axes are logarithmic: `part` is how far a number is from the least to the most. */
static double along(double value, double least, double most, double from, double to)
{
    return from + log(value / least) / log(most / least) * (to - from);
}

static void draw(struct text *out, const strata_scale *scale, double samples, bool ideal, const char *style)
{
    const double one = samples / scale->compute, most = one * STRATA_SCALE_MOST;
    strata_text_add(out, "<path fill=\"none\" %s d=\"", style);
    for (size_t ranks = 1; ranks <= STRATA_SCALE_MOST; ranks *= 2) {
        const strata_scale_step step = strata_scale_model(scale, ranks);
        const double seconds = step.compute + (ideal ? 0 : step.exposed), rate = samples * (double)ranks / seconds;
        strata_text_add(out, "%c%.1f %.1f", ranks == 1 ? 'M' : 'L', along((double)ranks, 1, STRATA_SCALE_MOST, left, right),
                        along(fmax(rate, one / 2), one / 2, most, bottom, top));
    }
    strata_text_add(out, "\"/>\n");
}

static void draw_axes(struct text *out, double one)
{
    char label[32];
    for (size_t ranks = 1; ranks <= STRATA_SCALE_MOST; ranks *= 4) {
        const double x = along((double)ranks, 1, STRATA_SCALE_MOST, left, right);
        const double y = along(one * (double)ranks, one / 2, one * STRATA_SCALE_MOST, bottom, top);
        snprintf(label, sizeof label, "%zu", ranks);
        strata_svg_line(out, x, bottom, x, bottom + 4, "stroke=\"#888\"");
        strata_svg_text(out, x, bottom + 18, SVG_MIDDLE, "fill=\"#555\" font-size=\"11\"", label);
        snprintf(label, sizeof label, "%.3g", one * (double)ranks);
        strata_svg_line(out, left, y, right, y, "stroke=\"#e4e4e4\"");
        strata_svg_text(out, left - 8, y + 4, SVG_END, "fill=\"#555\" font-size=\"11\"", label);
    }
    strata_svg_line(out, left, bottom, right, bottom, "stroke=\"#888\"");
    strata_svg_text(out, right, bottom + 36, SVG_END, "fill=\"#555\" font-size=\"11\"", "ranks");
    strata_svg_text(out, left, top - 12, SVG_START, "fill=\"#555\" font-size=\"11\"",
                    "samples a second: as modelled, and (grey) if nothing were waited for");
}

char *strata_scale_svg(const char *title, const strata_scale *scale, double samples, strata_error *err)
{
    struct text out = { 0 };
    strata_svg_begin(&out, width, height);
    strata_svg_text(&out, width / 2, 22, SVG_MIDDLE, "font-size=\"15\" fill=\"#222\"", title);
    draw_axes(&out, samples / scale->compute);
    draw(&out, scale, samples, true, "stroke=\"#999\" stroke-dasharray=\"4 3\"");
    draw(&out, scale, samples, false, "stroke=\"#2171b5\" stroke-width=\"2\"");
    strata_text_add(&out, "</svg>\n");
    return strata_text_take(&out, err);
}
