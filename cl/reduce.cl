/* Sums in a fixed order: first the sums of slices, then their sum. -D VW, see vector.h; -D CHUNKS, see chunks.h;
 * -D KEPT, see kept.h, of the x that rows are summed of. */
#include "alone.h"
#include "grains.h"
#include "vector.h"
#include "chunks.h"
#include "slices.h"
#include "kept.h"

/* y[j] = sum of x[., j], in which `each` rows are a grain (grains.h), the last one maybe fewer; at most 2^GRAIN_LEVELS grains.
 * One work-item: VW columns. */
ALONE kernel void sum_grains(global const kept *x, ulong x0, global float *y, ulong y0, ulong rows, ulong columns, ulong each)
{
    const size_t j = get_global_id(0) * VW;
    if (j >= columns) return;
    floatv stack[GRAIN_LEVELS];
    int top = 0;
    uint g = 0;
    x += x0 + j;
    for (size_t first = 0; first < rows; first += each, ++g) {
        const size_t last = min((size_t)rows, first + (size_t)each);
        floatv sum = 0.0f;
        for (size_t i = first; i < last; i++) sum += LOADK(x + i * columns);
        for (int merges = grain_merges(g); merges > 0; --merges) sum = stack[--top] + sum;
        stack[top++] = sum;
    }
    floatv sum = top > 0 ? stack[--top] : 0.0f;
    while (top > 0) sum = stack[--top] + sum;
    STOREV(sum, y + y0 + j);
}

/* The sums of slices of `slice` rows that begin anew with each grain of `each` rows; part (grains * slices, columns).
 * One work-item: VW * CHUNKS columns of one slice. */
ALONE kernel void sum_slices(global const kept *x, ulong x0, global float *part, ulong part0, ulong rows, ulong columns,
                       ulong each, ulong slice, ulong slices)
{
    const size_t j = get_global_id(0) * VW * CHUNKS, s = get_global_id(1);
    size_t first, last;
    if (!slice_rows(s, rows, each, slice, slices, &first, &last) || j >= columns) return;
    floatv sum[CHUNKS];
    CLEAR_CHUNKS(sum);
    for (size_t i = first; i < last; i++)
        for (int c = 0; c < CHUNKS; c++) sum[c] += LOADK(x + x0 + i * columns + j + c * VW);
    STORE_CHUNKS(sum, part + part0 + s * columns + j);
}

/* part[i] = sum of one * v + absolute * |v| + square * v * v over every items-th element v of x from i on.
 * One work-item: one i of `items`. */
ALONE kernel void sum_terms(global const float *x, ulong x0, global float *part, ulong part0, float one, float absolute,
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
ALONE kernel void total(global const float *x, ulong x0, global float *y, ulong y0, int accumulate, ulong n)
{
    if (get_global_id(0) > 0) return;
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[x0 + i];
    y[y0] = accumulate ? y[y0] + sum : sum;
}
