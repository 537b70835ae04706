/* The maximum over all positions of (n, positions, channels). One work-item: VW neighbouring channels (-D VW, see
 * vector.h; -D KEPT, see kept.h) of one sample: dimension 0 channels, 1 samples. */
#include "alone.h"
#include "vector.h"
#include "kept.h"

/* A NaN wins. */
ALONE kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, int n, int positions, int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    x += x0 + (ulong)s * positions * channels + c;
    floatv best = LOADK(x);
    for (int i = 1; i < positions; i++) {
        const floatv v = LOADK(x + (ulong)i * channels);
        best = ((v <= best) | (best != best)) ? best : v;
    }
    STOREK(best, y + y0 + (ulong)s * channels + c);
}

/* All cells that equal the maximum share its gradient evenly, as TensorFlow's reduce_max does. */
ALONE kernel void gradient(global const kept *x, ulong x0, global const kept *y, ulong y0, global const kept *dy,
                         ulong dy0, global kept *dx, ulong dx0, int n, int positions, int channels)
{
    const int c = get_global_id(0) * VW, s = get_global_id(1);
    if (c >= channels || s >= n) return;
    x += x0 + (ulong)s * positions * channels + c;
    dx += dx0 + (ulong)s * positions * channels + c;
    const floatv best = LOADK(y + y0 + (ulong)s * channels + c);
    floatv ties = 0.0f;
    for (int i = 0; i < positions; i++)
        ties += LOADK(x + (ulong)i * channels) == best ? (floatv)(1.0f) : 0.0f;
    const floatv share = LOADK(dy + dy0 + (ulong)s * channels + c) / ties;
    for (int i = 0; i < positions; i++)
        STOREK(LOADK(x + (ulong)i * channels) == best ? share : 0.0f, dx + (ulong)i * channels);
}
