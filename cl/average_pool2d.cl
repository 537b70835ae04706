/* The mean over windows of (n, height, width, channels) and its gradient. One work-item: VW neighbouring channels
 * (-D VW, see vector.h; -D KEPT, see kept.h) of one output cell (forward) or one input cell (gradient): dimension 0 channels, 1 columns, 2
 * samples and rows. -D of the window: see pool_window.h. */
#include "vector.h"
#include "kept.h"
#include "pool_window.h"

/* Cells of a window that begins at `start` and lies inside 0..extent-1. */
static inline int inside(int start, int window, int extent)
{
    return min(start + window, extent) - max(start, 0);
}

/* The mean over the cells of the window that lie inside the input. */
kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, int n, int height, int width,
                            int out_height, int out_width, int channels)
{
    const int c = get_global_id(0) * VW, j = get_global_id(1);
    const int s = get_global_id(2) / out_height, i = get_global_id(2) % out_height;
    if (c >= channels || j >= out_width || s >= n) return;
    const int top = i * SH - PT, left = j * SW - PL;
    floatv sum = 0.0f;
    x += x0 + (ulong)s * height * width * channels + c;
    for (int p = max(0, -top); p < PH && top + p < height; p++)
        for (int q = max(0, -left); q < PW && left + q < width; q++)
            sum += LOADK(x + ((ulong)(top + p) * width + left + q) * channels);
    const float cells = inside(top, PH, height) * inside(left, PW, width);
    STOREK(sum / cells, y + y0 + ((ulong)get_global_id(2) * out_width + j) * channels + c);
}

kernel void gradient(global const kept *dy, ulong dy0, global kept *dx, ulong dx0, int n, int height,
                             int width, int out_height, int out_width, int channels)
{
    const int c = get_global_id(0) * VW, w = get_global_id(1);
    const int s = get_global_id(2) / height, h = get_global_id(2) % height;
    if (c >= channels || w >= width || s >= n) return;
    const int i1 = min((h + PT) / SH, out_height - 1), j1 = min((w + PL) / SW, out_width - 1);
    floatv sum = 0.0f;
    for (int i = first_window(h + PT, PH, SH); i <= i1; i++) {
        for (int j = first_window(w + PL, PW, SW); j <= j1; j++) {
            const float cells = inside(i * SH - PT, PH, height) * inside(j * SW - PL, PW, width);
            sum += LOADK(dy + dy0 + (((ulong)s * out_height + i) * out_width + j) * channels + c) / cells;
        }
    }
    STOREK(sum, dx + dx0 + ((ulong)get_global_id(2) * width + w) * channels + c);
}
