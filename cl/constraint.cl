/* Weight constraints, in place. */
#include "axes.h"
#include "past.h"

/* Each group of w (see axes.h) gets the norm (1 - rate) * norm + rate * clamp(norm, low, high), but that Keras divides
 * by norm + 1e-7. One work-item a group. */
kernel void clamp_norm(global float *w, ulong w0, float low, float high, float rate, uint size, ulong n)
{
    const uint g = get_global_id(0);
    if (g >= n) return;
    global float *group = w + w0 + kept_offset(g);
    float sum = 0;
    for (uint e = 0; e < size; e++)
        sum += group[over_offset(e)] * group[over_offset(e)];
    const float norm = sqrt(sum);
    const float factor = (rate * clamp(norm, low, high) + (1 - rate) * norm) / (1e-7f + norm);
    for (uint e = 0; e < size; e++)
        group[over_offset(e)] *= factor;
}

/* Each group is divided by its norm + 1e-7. One work-item a group. */
kernel void unit_norm(global float *w, ulong w0, uint size, ulong n)
{
    const uint g = get_global_id(0);
    if (g >= n) return;
    global float *group = w + w0 + kept_offset(g);
    float sum = 0;
    for (uint e = 0; e < size; e++)
        sum += group[over_offset(e)] * group[over_offset(e)];
    for (uint e = 0; e < size; e++)
        group[over_offset(e)] /= 1e-7f + sqrt(sum);
}

/* w = max(w, 0). One work-item an element. */
kernel void non_negative(global float *w, ulong w0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    w[w0 + i] = w[w0 + i] < 0 ? 0 : w[w0 + i];
}
