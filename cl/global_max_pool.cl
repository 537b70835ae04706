/* The maximum over all positions of (n, positions, channels). One work-item: VW neighbouring channels (-D VW, see
 * vector.h) of one sample: dimension 0 channels, 1 samples. */
#include "vector.h"

/* A NaN wins. */
kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, int n, int positions, int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    x += x0 + (ulong)s * positions * channels + c;
    floatv best = LOADV(x);
    for (int i = 1; i < positions; i++) {
        const floatv v = LOADV(x + (ulong)i * channels);
        best = ((v <= best) | (best != best)) ? best : v;
    }
    STOREV(best, y + y0 + (ulong)s * channels + c);
}

/* All cells that equal the maximum share its gradient evenly, as TensorFlow's reduce_max does. */
kernel void gradient(global const float *x, ulong x0, global const float *y, ulong y0, global const float *dy,
                         ulong dy0, global float *dx, ulong dx0, int n, int positions, int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    x += x0 + (ulong)s * positions * channels + c;
    dx += dx0 + (ulong)s * positions * channels + c;
    const floatv best = LOADV(y + y0 + (ulong)s * channels + c);
    floatv ties = 0.0f;
    for (int i = 0; i < positions; i++)
        ties += LOADV(x + (ulong)i * channels) == best ? (floatv)(1.0f) : 0.0f;
    const floatv share = LOADV(dy + dy0 + (ulong)s * channels + c) / ties;
    for (int i = 0; i < positions; i++)
        STOREV(LOADV(x + (ulong)i * channels) == best ? share : 0.0f, dx + (ulong)i * channels);
}
