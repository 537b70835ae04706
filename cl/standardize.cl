/* y = (x - mean) / deviation, or with -D INVERT=1 y = x * deviation + mean, where deviation = max(sqrt(variance), 1e-7). The
 * groups of axes.h have a mean and a variance each. Dimension 0 groups, dimension 1 slices of a group's elements. */
#include "axes.h"
#ifndef INVERT
#error "standardize.cl needs -D INVERT=0 or 1"
#endif

kernel void forward(global const float *x, ulong x0, global const float *mean, ulong mean0,
                    global const float *variance, ulong variance0, global float *y, ulong y0, int gradient, uint size,
                    uint slice, uint groups)
{
    const uint g = get_global_id(0), first = get_global_id(1) * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    const float deviation = fmax(sqrt(variance[variance0 + g]), 1e-7f), m = gradient ? 0 : mean[mean0 + g];
    for (uint e = first; e < last; e++) {
        const ulong at = kept_offset(g) + over_offset(e);
        y[y0 + at] = INVERT ? x[x0 + at] * deviation + m : (x[x0 + at] - m) / deviation;
    }
}
