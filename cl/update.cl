/* What happens to gradients and weights around an optimizer's update, elementwise over a span. One work-item per
 * element; items past n do nothing. */
#include "past.h"

kernel void scale(global float *g, ulong g0, float factor, ulong n)
{
    const size_t i = get_global_id(0);
    if (i < n) g[g0 + i] *= factor;
}

kernel void clip(global float *g, ulong g0, float most, ulong n)
{
    const size_t i = get_global_id(0);
    if (i < n) g[g0 + i] = clamp(g[g0 + i], -most, most);
}

/* sum += g */
kernel void accumulate(global const float *g, ulong g0, global float *sum, ulong sum0, ulong n)
{
    const size_t i = get_global_id(0);
    if (i < n) sum[sum0 + i] += g[g0 + i];
}

/* g = (g + sum) / steps; sum = 0 */
kernel void mean(global float *g, ulong g0, global float *sum, ulong sum0, float steps, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    g[g0 + i] = (g[g0 + i] + sum[sum0 + i]) / steps;
    sum[sum0 + i] = 0;
}

/* w -= w * rate */
kernel void decay(global float *w, ulong w0, float rate, ulong n)
{
    const size_t i = get_global_id(0);
    if (i < n) w[w0 + i] -= w[w0 + i] * rate;
}

/* average = momentum * average + (1 - momentum) * w */
kernel void average(global const float *w, ulong w0, global float *average, ulong a0, float momentum, ulong n)
{
    const size_t i = get_global_id(0);
    if (i < n) average[a0 + i] = momentum * average[a0 + i] + (1 - momentum) * w[w0 + i];
}

/* Item i sums the squares of elements [1024 i, 1024 (i + 1)) of the `count`: n sums, in a fixed order. */
kernel void squares(global const float *g, ulong g0, global float *sums, ulong sums0, ulong count, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const size_t first = i * 1024, end = min((ulong)(first + 1024), count);
    float sum = 0;
    for (size_t k = first; k < end; ++k) sum += g[g0 + k] * g[g0 + k];
    sums[sums0 + i] = sum;
}

/* Item i counts what is not finite among elements [1024 i, 1024 (i + 1)) of the `count`: n counts. */
kernel void odd(global const float *g, ulong g0, global float *counts, ulong counts0, ulong count, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const size_t first = i * 1024, end = min((ulong)(first + 1024), count);
    float sum = 0;
    for (size_t k = first; k < end; ++k) sum += isfinite(g[g0 + k]) ? 0 : 1;
    counts[counts0 + i] = sum;
}
