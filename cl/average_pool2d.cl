/* The mean over windows of (n, height, width, channels) and its gradient. One work-item: VW * CHUNKS neighbouring channels
 * (-D VW, see vector.h; -D CHUNKS, see chunks.h; -D KEPT, see kept.h) of one output cell (forward) or one input cell (gradient):
 * dimension 0 channels, 1 columns, 2 samples and rows. -D of the window: see pool_window.h. */
#include "alone.h"
#include "vector.h"
#include "chunks.h"
#include "kept.h"
#include "pool_window.h"

/* The mean over the cells of the window that lie inside the input. */
ALONE kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, int n, int height, int width,
                            int out_height, int out_width, int channels)
{
    const int first = get_global_id(0) * VW * CHUNKS, j = get_global_id(1);
    const int s = get_global_id(2) / out_height, i = get_global_id(2) % out_height;
    if (first >= channels || j >= out_width || s >= n) return;
    const int top = i * SH - PT, left = j * SW - PL;
    const int p0 = FIRST(top), q0 = FIRST(left), p1 = LAST(top, PH, height), q1 = LAST(left, PW, width);
    const float cells = (p1 - p0) * (q1 - q0);
    x += x0 + (((long)s * height + top) * width + left) * channels;
    for (int c = first; c < first + CHUNKS * VW; c += VW) {
        floatv sum = 0.0f;
        for (int p = p0; p < p1; p++)
            for (int q = q0; q < q1; q++)
                sum += LOADK(x + ((long)p * width + q) * channels + c);
        STOREK(sum / cells, y + y0 + ((ulong)get_global_id(2) * out_width + j) * channels + c);
    }
}

ALONE kernel void gradient(global const kept *dy, ulong dy0, global kept *dx, ulong dx0, int n, int height,
                             int width, int out_height, int out_width, int channels)
{
    const int first = get_global_id(0) * VW * CHUNKS, w = get_global_id(1);
    const int s = get_global_id(2) / height, h = get_global_id(2) % height;
    if (first >= channels || w >= width || s >= n) return;
    const int i0 = first_window(h + PT, PH, SH), i1 = min((h + PT) / SH, out_height - 1);
    const int j0 = first_window(w + PL, PW, SW), j1 = min((w + PL) / SW, out_width - 1);
    for (int c = first; c < first + CHUNKS * VW; c += VW) {
        floatv sum = 0.0f;
        for (int i = i0; i <= i1; i++) {
            for (int j = j0; j <= j1; j++) {
                const int top = i * SH - PT, left = j * SW - PL;
                const float cells = (LAST(top, PH, height) - FIRST(top)) * (LAST(left, PW, width) - FIRST(left));
                sum += LOADK(dy + dy0 + (((ulong)s * out_height + i) * out_width + j) * channels + c) / cells;
            }
        }
        STOREK(sum, dx + dx0 + ((ulong)get_global_id(2) * width + w) * channels + c);
    }
}
