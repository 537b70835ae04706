#include "device/peak.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/device_priv.h"
#include "device/launch.h"

struct peak_meter {
    struct device *device;
    struct run *run;
    struct buffer *x, *y;
    int width; /* of a vector */
    char options[16];
    size_t items;  /* enough to fill the device */
    size_t floats; /* of x and y each */
    int rounds;    /* of a block of multiplications and additions; 0: not known yet */
};

enum { CHAINS = 12, TIMES = 4, COPY_BYTES = 128 << 20 }; /* as cl/peak.cl; the best of so many counts */

/* Seconds of one launch, alone on the device. */
static bool time_launch(struct peak_meter *m, const struct launch *launch, double *seconds, strata_error *err)
{
    if (!strata_device_finish(m->device, err)) return false;
    const double start = strata_clock();
    if (!strata_launch(m->run, launch, err) || !strata_device_finish(m->device, err)) return false;
    *seconds = strata_clock() - start;
    return true;
}

static bool multiply(struct peak_meter *m, int rounds, double *seconds, strata_error *err)
{
    const struct arg args[] = { arg_place(m->y, 0), arg_float(0.5), arg_float(0.25), arg_int(rounds), { 0 } };
    const struct launch launch = { .kernel = "peak:multiply_add", .options = m->options, .args = args, .dims = 1,
                                   .global = { m->items }, .local = { m->items > 4096 ? 64 : 1 } };
    return time_launch(m, &launch, seconds, err);
}

/* Rounds are doubled until they take a while, so that the launch itself does not count. */
static bool find_rounds(struct peak_meter *m, strata_error *err)
{
    enum { FIRST = 1 << 10, MOST = 1 << 26 };
    const double enough = 0.04;
    double seconds = 0;
    int rounds = FIRST;
    if (!multiply(m, rounds, &seconds, err)) return false; /* compiles it */
    do {
        rounds *= 2;
        if (!multiply(m, rounds, &seconds, err)) return false;
    } while (seconds < enough && rounds < MOST);
    m->rounds = rounds;
    return true;
}

bool strata_peak_meter_flops(struct peak_meter *m, double *rate, strata_error *err)
{
    double seconds = 0;
    if ((m->rounds == 0 && !find_rounds(m, err)) || !multiply(m, m->rounds, &seconds, err)) return false;
    const double flops = 2.0 * CHAINS * m->width * (double)m->items * m->rounds;
    *rate = seconds > 0 ? flops / seconds : 0;
    return true;
}

static bool measure_flops(struct peak_meter *m, double *best, strata_error *err)
{
    bool ok = true;
    *best = 0;
    for (int i = 0; ok && i < TIMES; i++) {
        double rate = 0;
        ok = strata_peak_meter_flops(m, &rate, err);
        if (rate > *best) *best = rate;
    }
    return ok;
}

static bool measure_bytes(struct peak_meter *m, double *rate, strata_error *err)
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

static bool make_buffers(struct peak_meter *m, size_t floats, strata_error *err)
{
    m->floats = floats < m->items ? m->items : floats;
    return (m->x = strata_buffer_create(m->device, m->floats * sizeof(float), err))
           && (m->y = strata_buffer_create(m->device, m->floats * sizeof(float), err));
}

static bool prepare(struct peak_meter *m, struct device *device, strata_error *err)
{
    const bool cpu = strata_device_class_of(device) == STRATA_CPU_CLASS;
    const int native = strata_device_info_of(device)->native_vector_width;
    m->device = device;
    m->width = !cpu ? 1 : native >= 16 ? 16 : native >= 8 ? 8 : 4;
    m->items = (size_t)strata_device_compute_units(device) * (cpu ? 4 : 2048);
    snprintf(m->options, sizeof m->options, "-DVW=%d", m->width);
    return (m->run = strata_run_immediate(device, QUEUE_COMPUTE, err)) != NULL;
}

static void release(struct peak_meter *m)
{
    strata_run_free(m->run);
    strata_buffer_free(m->x);
    strata_buffer_free(m->y);
}

struct peak_meter *strata_peak_meter_create(struct device *device, strata_error *err)
{
    struct peak_meter *m = strata_alloc(1, sizeof *m, err);
    if (!m || (prepare(m, device, err) && make_buffers(m, 0, err))) return m;
    strata_peak_meter_free(m);
    return NULL;
}

void strata_peak_meter_free(struct peak_meter *m)
{
    if (!m) return;
    release(m);
    free(m);
}

bool strata_device_peak(struct device *device, strata_peak *peak, strata_error *err)
{
    struct peak_meter meter = { 0 };
    struct profile *profile = device->profile;
    const size_t most = strata_device_info_of(device)->max_allocation / 4, bytes = most && most < COPY_BYTES ? most : COPY_BYTES;
    device->profile = NULL; /* of what the device does for others */
    const bool ok = prepare(&meter, device, err) && make_buffers(&meter, bytes / sizeof(float), err)
                    && measure_flops(&meter, &peak->flops, err) && measure_bytes(&meter, &peak->bytes, err);
    device->profile = profile;
    release(&meter);
    return ok;
}
