/* Sums in a fixed order: first the sums of slices, then their sum. -D VW, see vector.h. */
#include "vector.h"

/* part[s, j] = sum over the rows of slice s of x[., j]. One work-item: VW columns of one slice. */
kernel void sum_rows(global const float *x, ulong x0, global float *part, ulong part0, ulong rows, ulong columns,
                     ulong slice)
{
    const size_t j = get_global_id(0) * VW, s = get_global_id(1);
    const size_t first = s * slice, last = min((size_t)rows, first + (size_t)slice);
    if (j >= columns || first >= rows) return;
    floatv sum = 0.0f;
    for (size_t i = first; i < last; i++)
        sum += LOADV(x + x0 + i * columns + j);
    STOREV(sum, part + part0 + s * columns + j);
}

/* part[i] = sum of one * v + absolute * |v| + square * v * v over every items-th element v of x from i on.
 * One work-item: one i of `items`. */
kernel void sum_terms(global const float *x, ulong x0, global float *part, ulong part0, float one, float absolute,
                      float square, ulong n, ulong items)
{
    const size_t i = get_global_id(0);
    if (i >= items) return;
    float sum = 0;
    for (size_t k = i; k < n; k += items) {
        const float v = x[x0 + k];
        sum += one * v + absolute * fabs(v) + square * v * v;
    }
    part[part0 + i] = sum;
}

/* y[0] = (accumulate ? y[0] : 0) + sum of the n elements of x. One work-item. */
kernel void total(global const float *x, ulong x0, global float *y, ulong y0, int accumulate, ulong n)
{
    if (get_global_id(0) > 0) return;
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[x0 + i];
    y[y0] = accumulate ? y[y0] + sum : sum;
}
