#include "device/peak.h"

#include <stdio.h>

#include "base/clock.h"
#include "device/device_priv.h"
#include "device/launch.h"

/* What the two measurements have in common. */
struct meter {
    struct device *device;
    struct run *run;
    struct buffer *x, *y;
    int width; /* of a vector */
    char options[16];
    size_t items; /* enough to fill the device */
    size_t floats; /* of x and y each */
};

enum { CHAINS = 12, TIMES = 4, COPY_BYTES = 128 << 20 }; /* as cl/peak.cl; the best of so many counts */

/* Seconds of one launch, alone on the device. */
static bool time_launch(struct meter *m, const struct launch *launch, double *seconds, strata_error *err)
{
    if (!strata_device_finish(m->device, err)) return false;
    const double start = strata_clock();
    if (!strata_launch(m->run, launch, err) || !strata_device_finish(m->device, err)) return false;
    *seconds = strata_clock() - start;
    return true;
}

static bool multiply(struct meter *m, int rounds, double *seconds, strata_error *err)
{
    const struct arg args[] = { arg_place(m->y, 0), arg_float(0.5), arg_float(0.25), arg_int(rounds), { 0 } };
    const struct launch launch = { .kernel = "peak:multiply_add", .options = m->options, .args = args, .dims = 1,
                                   .global = { m->items }, .local = { m->items > 4096 ? 64 : 1 } };
    return time_launch(m, &launch, seconds, err);
}

/* Rounds are doubled until they take a while, so that the launch itself does not count. */
static bool measure_flops(struct meter *m, double *rate, strata_error *err)
{
    enum { FIRST = 1 << 10, MOST = 1 << 26 };
    const double enough = 0.04;
    double seconds = 0, best = 0;
    int rounds = FIRST;
    if (!multiply(m, rounds, &seconds, err)) return false; /* compiles it */
    do {
        rounds *= 2;
        if (!multiply(m, rounds, &seconds, err)) return false;
    } while (seconds < enough && rounds < MOST);
    for (int i = 0; i < TIMES; i++) {
        if (!multiply(m, rounds, &seconds, err)) return false;
        const double flops = 2.0 * CHAINS * m->width * (double)m->items * rounds;
        if (seconds > 0 && flops / seconds > best) best = flops / seconds;
    }
    *rate = best;
    return true;
}

static bool measure_bytes(struct meter *m, double *rate, strata_error *err)
{
    const size_t vectors = m->floats / (size_t)m->width, lines = m->width > 1 ? 256 : 4;
    const struct arg args[] = { arg_place(m->x, 0), arg_place(m->y, 0), arg_ulong(lines), arg_ulong(vectors), { 0 } };
    const struct launch launch = { .kernel = "peak:copy", .options = m->options, .args = args, .dims = 1,
                                   .global = { (vectors + lines - 1) / lines } };
    double seconds = 0, best = 0;
    for (int i = 0; i <= TIMES; i++) {
        if (!time_launch(m, &launch, &seconds, err)) return false;
        const double bytes = 2.0 * (double)(vectors * (size_t)m->width) * sizeof(float);
        if (i > 0 && seconds > 0 && bytes / seconds > best) best = bytes / seconds;
    }
    *rate = best;
    return true;
}

static bool prepare(struct meter *m, strata_error *err)
{
    const strata_device_info *info = strata_device_info_of(m->device);
    const bool cpu = strata_device_class_of(m->device) == STRATA_CPU_CLASS;
    const size_t most = info->max_allocation / 4, bytes = most && most < COPY_BYTES ? most : COPY_BYTES;
    const int native = info->native_vector_width;
    m->width = !cpu ? 1 : native >= 16 ? 16 : native >= 8 ? 8 : 4;
    m->items = (size_t)strata_device_compute_units(m->device) * (cpu ? 4 : 2048);
    m->floats = bytes / sizeof(float) < m->items ? m->items : bytes / sizeof(float);
    snprintf(m->options, sizeof m->options, "-DVW=%d", m->width);
    return (m->run = strata_run_immediate(m->device, QUEUE_COMPUTE, err))
           && (m->x = strata_buffer_create(m->device, m->floats * sizeof(float), err))
           && (m->y = strata_buffer_create(m->device, m->floats * sizeof(float), err));
}

bool strata_device_peak(struct device *device, strata_peak *peak, strata_error *err)
{
    struct meter meter = { .device = device };
    struct profile *profile = device->profile;
    device->profile = NULL; /* of what the device does for others */
    const bool ok = prepare(&meter, err) && measure_flops(&meter, &peak->flops, err)
                    && measure_bytes(&meter, &peak->bytes, err);
    device->profile = profile;
    strata_run_free(meter.run);
    strata_buffer_free(meter.x);
    strata_buffer_free(meter.y);
    return ok;
}
