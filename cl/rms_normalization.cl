/* y = x * r * scale within each group of elements (axes.h), r = 1 / sqrt(mean(x^2) + epsilon), and its gradients. scale
 * has an element for each of a group; inverse keeps r of each group for backward. */
#include "alone.h"
#include "axes.h"

/* One work-item a group; items past n do nothing. inverse may be null. */
ALONE kernel void forward(global const float *x, ulong x0, global const float *scale, ulong s0, global float *y, ulong y0,
                    global float *inverse, ulong i0, float epsilon, uint size, ulong n)
{
    const uint g = get_global_id(0);
    float sum = 0;
    if (g >= n) return;
    x += x0 + kept_offset(g);
    y += y0 + kept_offset(g);
    for (uint e = 0; e < size; e++) sum += x[over_offset(e)] * x[over_offset(e)];
    const float r = rsqrt(sum / size + epsilon);
    for (uint e = 0; e < size; e++) y[over_offset(e)] = x[over_offset(e)] * r * scale[s0 + e];
    if (inverse) inverse[i0 + g] = r;
}

/* dx = r * (dy * scale - x * r^2 * mean(dy * scale * x)). One work-item a group; dx may be dy. */
ALONE kernel void gradient(global const float *x, ulong x0, global const float *scale, ulong s0, global const float *inverse,
                     ulong i0, global const float *dy, ulong dy0, global float *dx, ulong dx0, uint size, ulong n)
{
    const uint g = get_global_id(0);
    float along = 0;
    if (g >= n) return;
    x += x0 + kept_offset(g);
    dy += dy0 + kept_offset(g);
    dx += dx0 + kept_offset(g);
    const float r = inverse[i0 + g];
    for (uint e = 0; e < size; e++) along += dy[over_offset(e)] * scale[s0 + e] * (x[over_offset(e)] * r);
    along /= size;
    for (uint e = 0; e < size; e++)
        dx[over_offset(e)] = r * (dy[over_offset(e)] * scale[s0 + e] - x[over_offset(e)] * r * along);
}

/* dscale = the sum of dy * x * r over the groups, in their order. One work-item an element of scale. */
ALONE kernel void scale_gradient(global const float *x, ulong x0, global const float *inverse, ulong i0,
                           global const float *dy, ulong dy0, global float *dscale, ulong d0, uint groups, ulong n)
{
    const uint e = get_global_id(0);
    float sum = 0;
    if (e >= n) return;
    for (uint g = 0; g < groups; g++) {
        const ulong at = kept_offset(g) + over_offset(e);
        sum += dy[dy0 + at] * x[x0 + at] * inverse[i0 + g];
    }
    dscale[d0 + e] = sum;
}
