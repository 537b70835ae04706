/* y = x / |x| within each group of elements (axes.h), and its gradient (dy - y * sum(dy * y)) / |x|, where |x| is at least 1e-12.
 * One work-item a group; items past n do nothing. */
#include "alone.h"
#include "axes.h"

static float inverse_norm(global const float *group, uint size)
{
    float sum = 0;
    for (uint e = 0; e < size; e++)
        sum += group[over_offset(e)] * group[over_offset(e)];
    return fmin(rsqrt(sum), 1e12f);
}

ALONE kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, uint size, ulong n)
{
    const uint g = get_global_id(0);
    if (g >= n) return;
    x += x0 + kept_offset(g);
    y += y0 + kept_offset(g);
    const float r = inverse_norm(x, size);
    for (uint e = 0; e < size; e++)
        y[over_offset(e)] = x[over_offset(e)] * r;
}

ALONE kernel void gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                     uint size, ulong n)
{
    const uint g = get_global_id(0);
    if (g >= n) return;
    x += x0 + kept_offset(g);
    dy += dy0 + kept_offset(g);
    dx += dx0 + kept_offset(g);
    const float r = inverse_norm(x, size);
    float along = 0;
    for (uint e = 0; e < size; e++)
        along += dy[over_offset(e)] * x[over_offset(e)] * r;
    for (uint e = 0; e < size; e++)
        dx[over_offset(e)] = r * (dy[over_offset(e)] - x[over_offset(e)] * r * along);
}
