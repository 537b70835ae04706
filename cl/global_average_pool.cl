/* The mean over all positions of (n, positions, channels). One work-item: VW neighbouring channels (-D VW, see
 * vector.h; -D KEPT, see kept.h) of one sample: dimension 0 channels, 1 samples. */
#include "alone.h"
#include "vector.h"
#include "kept.h"

ALONE kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, int n, int positions,
                            int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    x += x0 + (ulong)s * positions * channels + c;
    floatv sum = 0.0f;
    for (int i = 0; i < positions; i++)
        sum += LOADK(x + (ulong)i * channels);
    STOREK(sum / (float)positions, y + y0 + (ulong)s * channels + c);
}

ALONE kernel void gradient(global const kept *dy, ulong dy0, global kept *dx, ulong dx0, int n, int positions,
                             int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    dx += dx0 + (ulong)s * positions * channels + c;
    const floatv share = LOADK(dy + dy0 + (ulong)s * channels + c) / (float)positions;
    for (int i = 0; i < positions; i++)
        STOREK(share, dx + (ulong)i * channels);
}
