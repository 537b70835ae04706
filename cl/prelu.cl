/* y = max(x, 0) + alpha * min(x, 0), and its gradients, which are 0 at 0. The groups of axes.h are the elements of alpha,
 * which the axes gone over share. Dimension 0 are groups, dimension 1 slices of a group's elements. */
#include "axes.h"

kernel void forward(global const float *x, ulong x0, global const float *alpha, ulong alpha0, global float *y, ulong y0,
                    uint size, uint slice, uint groups)
{
    const uint g = get_global_id(0), first = get_global_id(1) * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    const float slope = alpha[alpha0 + g];
    for (uint e = first; e < last; e++) {
        const ulong at = kept_offset(g) + over_offset(e);
        const float v = x[x0 + at];
        y[y0 + at] = v < 0 ? slope * v : v;
    }
}

kernel void input_gradient(global const float *x, ulong x0, global const float *alpha, ulong alpha0,
                           global const float *dy, ulong dy0, global float *dx, ulong dx0, uint size, uint slice,
                           uint groups)
{
    const uint g = get_global_id(0), first = get_global_id(1) * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    const float slope = alpha[alpha0 + g];
    for (uint e = first; e < last; e++) {
        const ulong at = kept_offset(g) + over_offset(e);
        const float v = x[x0 + at];
        dx[dx0 + at] = v > 0 ? dy[dy0 + at] : v < 0 ? slope * dy[dy0 + at] : 0;
    }
}

/* part[slice, g] = sum of dy * min(x, 0) over the slice. */
kernel void alpha_gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *part,
                           ulong part0, uint size, uint slice, uint groups)
{
    const uint g = get_global_id(0), first = get_global_id(1) * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    float sum = 0;
    for (uint e = first; e < last; e++) {
        const ulong at = kept_offset(g) + over_offset(e);
        sum += x[x0 + at] < 0 ? dy[dy0 + at] * x[x0 + at] : 0;
    }
    part[part0 + (ulong)get_global_id(1) * groups + g] = sum;
}
