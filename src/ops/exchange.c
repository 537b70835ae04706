#include "ops/exchange.h"

#include <CL/cl.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/native.h"

/* What a recording keeps of one exchange. */
struct swap {
    const struct exchange *exchange;
    const struct buffer *buffer;
    size_t offset, groups, size;
    bool moments;
};

/* values[0] is the count of elements; sums in double, so that a variance may be had from squares: floats have 24 bits. */
static void pack(const struct swap *s, const float *host, double *values)
{
    values[0] = (double)s->size;
    for (size_t g = 0; g < s->groups; g++) {
        const double first = (double)host[g], second = (double)host[s->groups + g];
        values[1 + g] = s->moments ? values[0] * first : first;
        values[1 + s->groups + g] = s->moments ? values[0] * (second + first * first) : second;
    }
}

static void unpack(const struct swap *s, const double *values, float *host)
{
    const double part = (double)s->size / values[0];
    for (size_t g = 0; g < s->groups; g++) {
        const double first = values[1 + g], second = values[1 + s->groups + g];
        const double mean = first / values[0], variance = second / values[0] - mean * mean;
        host[g] = (float)(s->moments ? mean : first * part);
        host[s->groups + g] = (float)(s->moments ? (variance > 0 ? variance : 0) : second * part);
    }
}

static bool transfer(const struct swap *s, cl_command_queue queue, bool read, float *host, strata_error *err)
{
    const size_t at = s->offset * sizeof(float), bytes = 2 * s->groups * sizeof(float);
    const cl_mem memory = strata_buffer_native(s->buffer);
    const cl_int got = strata_opencl_fault(queue) ? CL_OUT_OF_RESOURCES
                       : read ? clEnqueueReadBuffer(queue, memory, CL_TRUE, at, bytes, host, 0, NULL, NULL)
                              : clEnqueueWriteBuffer(queue, memory, CL_TRUE, at, bytes, host, 0, NULL, NULL);
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "exchanging the statistics of a batch");
}

/* queue NULL: this rank has nothing to give. */
static bool swap(const void *context, void *queue, strata_error *err)
{
    const struct swap *s = context;
    float *host = strata_alloc(2 * s->groups, sizeof *host, err);
    double *values = host ? strata_alloc(1 + 2 * s->groups, sizeof *values, err) : NULL;
    bool ok = values && (!queue || transfer(s, queue, true, host, err));
    if (ok && queue) pack(s, host, values);
    ok = ok && s->exchange->sum(s->exchange->context, values, 1 + 2 * s->groups, err);
    if (ok && queue) {
        unpack(s, values, host);
        ok = transfer(s, queue, false, host, err);
    }
    free(values);
    free(host);
    return ok;
}

static bool add(struct run *run, struct swap s, strata_error *err)
{
    return strata_run_call(run, swap, &s, sizeof s, err);
}

bool strata_op_exchange_moments(struct run *run, const struct exchange *exchange, const struct view *stats,
                                size_t groups, size_t size, strata_error *err)
{
    return add(run, (struct swap){ exchange, stats->buffer, stats->offset, groups, size, true }, err);
}

bool strata_op_exchange_sums(struct run *run, const struct exchange *exchange, const struct view *sums, size_t groups,
                             size_t size, strata_error *err)
{
    return add(run, (struct swap){ exchange, sums->buffer, sums->offset, groups, size, false }, err);
}

bool strata_op_exchange_nothing(struct run *run, strata_error *err)
{
    return strata_run_calls(run, swap, err);
}
