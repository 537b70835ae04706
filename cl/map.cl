/* Elementwise sums. One work-item an element; items past n do nothing. A tensor is a buffer and an offset in
 * elements. */
#include "past.h"

/* y = a + b; y may be a or b. */
kernel void add(global const float *a, ulong a0, global const float *b, ulong b0, global float *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = a[a0 + i] + b[b0 + i];
}

/* y = scale * x + offset; y may be x. */
kernel void affine(global const float *x, ulong x0, global float *y, ulong y0, float scale, float offset, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = scale * x[x0 + i] + offset;
}

/* y = scale * x + offset, where scale and offset repeat every `columns` elements; y may be x. */
kernel void affine_columns(global const float *x, ulong x0, global const float *scale, ulong s0,
                           global const float *offset, ulong o0, global float *y, ulong y0, ulong columns, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = scale[s0 + i % columns] * x[x0 + i] + offset[o0 + i % columns];
}

/* y = x + bias, where bias repeats every `columns` elements; y may be x. */
kernel void add_bias(global const float *x, ulong x0, global const float *bias, ulong b0, global float *y, ulong y0,
                     ulong columns, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = x[x0 + i] + bias[b0 + i % columns];
}

/* moving = momentum * moving + fresh * value. */
kernel void moving_average(global const float *value, ulong value0, global float *moving, ulong moving0, float momentum,
                           float fresh, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    moving[moving0 + i] = momentum * moving[moving0 + i] + fresh * value[value0 + i];
}

/* y[0..7] = the numbers, as far as n goes. */
kernel void store(global float *y, ulong y0, float v0, float v1, float v2, float v3, float v4, float v5, float v6,
                  float v7, ulong n)
{
    const float v[8] = { v0, v1, v2, v3, v4, v5, v6, v7 };
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = v[i];
}
