/* The maximum over windows of (n, height, width, channels) and its gradient; -D INDEX=1: forward writes where it was.
 * One work-item: VW neighbouring channels
 * (-D VW, see vector.h; -D KEPT, see kept.h) of one output cell (forward) or one input cell (gradient): dimension 0 channels, 1 columns, 2
 * samples and rows. -D of the window: see pool_window.h. */
#include "vector.h"
#include "kept.h"
#include "pool_window.h"

#ifndef INDEX
#error "max_pool2d.cl needs -D INDEX=0 or 1"
#endif

/* index: where in its window (p * PW + q) the maximum was, the first one on ties. A NaN wins. */
kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, global int *index, ulong index0,
                        int n, int height, int width, int out_height, int out_width, int channels)
{
    const int c = get_global_id(0) * VW, j = get_global_id(1);
    const int s = get_global_id(2) / out_height, i = get_global_id(2) % out_height;
    if (c >= channels || j >= out_width || s >= n) return;
    const int top = i * SH - PT, left = j * SW - PL;
    const int p0 = max(0, -top), q0 = max(0, -left);
    x += x0 + (ulong)s * height * width * channels + c;
    floatv best = LOADK(x + ((ulong)(top + p0) * width + left + q0) * channels);
    intv where = p0 * PW + q0;
    for (int p = p0; p < PH && top + p < height; p++) {
        for (int q = q0; q < PW && left + q < width; q++) {
            const floatv v = LOADK(x + ((ulong)(top + p) * width + left + q) * channels);
            const intv stays = (v <= best) | (best != best);
            best = stays ? best : v;
            where = stays ? where : (intv)(p * PW + q);
        }
    }
    const ulong at = ((ulong)get_global_id(2) * out_width + j) * channels + c;
    STOREK(best, y + y0 + at);
#if INDEX
    STOREV(where, index + index0 + at);
#endif
}

kernel void gradient(global const kept *dy, ulong dy0, global const int *index, ulong index0, global kept *dx,
                         ulong dx0, int n, int height, int width, int out_height, int out_width, int channels)
{
    const int c = get_global_id(0) * VW, w = get_global_id(1);
    const int s = get_global_id(2) / height, h = get_global_id(2) % height;
    if (c >= channels || w >= width || s >= n) return;
    const int i1 = min((h + PT) / SH, out_height - 1), j1 = min((w + PL) / SW, out_width - 1);
    floatv sum = 0.0f;
    for (int i = first_window(h + PT, PH, SH); i <= i1; i++) {
        for (int j = first_window(w + PL, PW, SW); j <= j1; j++) {
            const int here = (h + PT - i * SH) * PW + w + PL - j * SW;
            const ulong at = (((ulong)s * out_height + i) * out_width + j) * channels + c;
            const intv where = LOADV(index + index0 + at);
            sum += where == here ? LOADK(dy + dy0 + at) : 0.0f;
        }
    }
    STOREK(sum, dx + dx0 + ((ulong)get_global_id(2) * width + w) * channels + c);
}
