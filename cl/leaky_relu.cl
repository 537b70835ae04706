/* y = x where x > 0, slope * x elsewhere, and its gradient, which is the slope at 0. One work-item an element; items past n do
 * nothing. */
#include "past.h"

kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, float slope, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float v = x[x0 + i];
    y[y0 + i] = v > 0 ? v : slope * v;
}

kernel void gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                     float slope, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    dx[dx0 + i] = x[x0 + i] > 0 ? dy[dy0 + i] : slope * dy[dy0 + i];
}
