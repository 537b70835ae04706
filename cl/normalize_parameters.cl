/* Gradients of gamma and beta where they are shared by groups: over the tensor's elements of parameter p, the sums of
 * dy and of dy * h, where h = (x - mean) / sqrt(variance + epsilon). Here the groups of axes.h are the parameters.
 *
 *   -D PARAMETER=1     element e of a parameter is of normalization group e (layer normalization)
 *                2     .. of group e / (elements of a sample, -D SAMPLE) * PARTS (-D) + p / CHANNELS (-D) (group normalization)
 *
 * part[s, 0, p] and part[s, 1, p]: of slice s. Dimension 0 parameters, dimension 1 slices. */
#include "axes.h"
#if !defined(PARAMETER)
#error "normalize_parameters.cl needs -D PARAMETER"
#endif

#if PARAMETER == 1
#define GROUP_OF(p, e) (e)
#else
#define GROUP_OF(p, e) ((e) / SAMPLE * PARTS + (p) / CHANNELS)
#endif

kernel void parameter_sums(global const float *x, ulong x0, global const float *dy, ulong dy0, global const float *mean,
                           ulong mean0, global const float *variance, ulong variance0, global float *part, ulong part0,
                           float epsilon, uint size, uint slice, uint parameters)
{
    const uint p = get_global_id(0), s = get_global_id(1);
    const uint first = s * slice, last = min(size, first + slice);
    if (p >= parameters || first >= last) return;
    x += x0 + kept_offset(p);
    dy += dy0 + kept_offset(p);
    float plain = 0, along = 0;
    for (uint e = first; e < last; e++) {
        const uint g = GROUP_OF(p, e);
        const float d = dy[over_offset(e)];
        plain += d;
        along += d * (x[over_offset(e)] - mean[mean0 + g]) / sqrt(variance[variance0 + g] + epsilon);
    }
    part += part0 + (ulong)s * 2 * parameters + p;
    part[0] = plain;
    part[parameters] = along;
}

/* to[i] = sum over the slices of part[s, row, i]. One work-item a parameter. */
kernel void join_parameters(global const float *part, ulong part0, global float *to, ulong to0, uint row, uint slices,
                            uint parameters)
{
    const uint i = get_global_id(0);
    if (i >= parameters) return;
    float sum = 0;
    for (uint s = 0; s < slices; s++)
        sum += part[part0 + ((ulong)s * 2 + row) * parameters + i];
    to[to0 + i] = sum;
}
