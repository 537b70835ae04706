/* The mean over all positions of (n, positions, channels). One work-item: VW neighbouring channels (-D VW, see
 * vector.h) of one sample: dimension 0 channels, 1 samples. */
#include "vector.h"

kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, int n, int positions,
                            int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    x += x0 + (ulong)s * positions * channels + c;
    floatv sum = 0.0f;
    for (int i = 0; i < positions; i++)
        sum += LOADV(x + (ulong)i * channels);
    STOREV(sum / (float)positions, y + y0 + (ulong)s * channels + c);
}

kernel void gradient(global const float *dy, ulong dy0, global float *dx, ulong dx0, int n, int positions,
                             int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    dx += dx0 + (ulong)s * positions * channels + c;
    const floatv share = LOADV(dy + dy0 + (ulong)s * channels + c) / (float)positions;
    for (int i = 0; i < positions; i++)
        STOREV(share, dx + (ulong)i * channels);
}
