/* Keras's sparsemax of rows: y = max(x - t, 0). The support are the k elements above the threshold that makes them sum to
 * 1 (Martins and Astudillo 2016); found as Michelot 1986 does it, without a sort: elements below the mean excess leave
 * until none does. Where the paper's t is (sum of the support - 1) / k, Keras's is (sum of its running sums, the largest first,
 * - 1) / k: the element of rank i from 0 counts k - i times. For k = 1 they agree.
 * One work-item a row of `columns` neighbouring elements; items past n do nothing. A tensor is a buffer and an offset in
 * elements. Source: sparsemax of keras/src/backend/tensorflow/nn.py in 3.15. */
#include "alone.h"

/* Which threshold makes the elements above t alone sum to 1, and how many they are. */
static float threshold_of(global const float *x, uint columns, float t, uint *count)
{
    float sum = 0;
    *count = 0;
    for (uint i = 0; i < columns; i++) {
        sum += x[i] > t ? x[i] : 0.0f;
        *count += x[i] > t;
    }
    return (sum - 1.0f) / *count;
}

static float support_of(global const float *x, uint columns, uint *count)
{
    uint before;
    float t = threshold_of(x, columns, -INFINITY, count);
    do {
        before = *count;
        t = threshold_of(x, columns, t, count);
    } while (*count < before);
    return t;
}

/* How often element i of the support counts. */
static float times(global const float *x, uint columns, float t, uint count, uint i)
{
    uint rank = 0;
    for (uint j = 0; j < columns; j++) rank += x[j] > t && (x[j] > x[i] || (x[j] == x[i] && j < i));
    return count - rank;
}

static float keras_threshold(global const float *x, uint columns, float t, uint count)
{
    float sum = 0;
    for (uint i = 0; i < columns; i++) sum += x[i] > t ? x[i] * times(x, columns, t, count, i) : 0.0f;
    return (sum - 1.0f) / count;
}

ALONE kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, uint columns, ulong n)
{
    const size_t row = get_global_id(0);
    uint count;
    if (row >= n) return;
    x += x0 + row * columns;
    y += y0 + row * columns;
    const float support = support_of(x, columns, &count), t = keras_threshold(x, columns, support, count);
    for (uint i = 0; i < columns; i++) y[i] = x[i] < t ? 0.0f : x[i] - t;
}

/* dx_i = dy_i where y_i > 0, less, in the support, times_i / k of the sum of those dy. dx may be dy. */
ALONE kernel void gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                     uint columns, ulong n)
{
    const size_t row = get_global_id(0);
    uint count;
    float sum = 0;
    if (row >= n) return;
    x += x0 + row * columns;
    dy += dy0 + row * columns;
    dx += dx0 + row * columns;
    const float support = support_of(x, columns, &count), t = keras_threshold(x, columns, support, count);
    for (uint i = 0; i < columns; i++) sum += x[i] > t ? dy[i] : 0.0f;
    for (uint i = 0; i < columns; i++)
        dx[i] = (x[i] > t ? dy[i] : 0.0f)
              - (x[i] > support ? sum * times(x, columns, support, count, i) / count : 0.0f);
}
