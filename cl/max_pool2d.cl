/* The maximum over windows of (n, height, width, channels) and its gradient; -D INDEX: how many bytes forward writes
 * of where it was; 0: none.
 * One work-item: VW * CHUNKS neighbouring channels (-D VW, see vector.h; -D CHUNKS, see chunks.h; -D KEPT, see kept.h) of one output cell
 * (forward, scatter) or one input cell (gather): dimension 0 channels, 1 columns, 2 samples and rows. -D of the window: see
 * pool_window.h. */
#include "alone.h"
#include "vector.h"
#include "chunks.h"
#include "kept.h"
#include "places.h"
#include "pool_window.h"

#ifndef INDEX
#error "max_pool2d.cl needs -D INDEX=0, 1 or 4"
#endif

/* A place in a window, in bytes where they can hold all of its cells. */
#if INDEX == 4
typedef int place;
#define LOADP(p) LOADV(p)
#define STOREP(v, p) STOREV(v, p)
#else
typedef uchar place;
#define LOADP(p) LOADB(p)
#define STOREP(v, p) STOREB(v, p)
#endif

/* index: where in its window (p * PW + q) the maximum was, the first one on ties. A NaN wins. */
ALONE kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, global place *index, ulong index0,
                    int n, int height, int width, int out_height, int out_width, int channels)
{
    const int first = get_global_id(0) * VW * CHUNKS, j = get_global_id(1);
    const int s = get_global_id(2) / out_height, i = get_global_id(2) % out_height;
    if (first >= channels || j >= out_width || s >= n) return;
    const int top = i * SH - PT, left = j * SW - PL;
    const int p0 = FIRST(top), q0 = FIRST(left), p1 = LAST(top, PH, height), q1 = LAST(left, PW, width);
    x += x0 + (((long)s * height + top) * width + left) * channels + first;
    const ulong at = ((ulong)get_global_id(2) * out_width + j) * channels + first;
    for (int c = 0; c < CHUNKS * VW; c += VW) {
        floatv best = LOADK(x + ((long)p0 * width + q0) * channels + c);
        intv where = p0 * PW + q0;
        for (int p = p0; p < p1; p++) {
            for (int q = q0; q < q1; q++) {
                const floatv v = LOADK(x + ((long)p * width + q) * channels + c);
                take_cell(&best, &where, v, p * PW + q);
            }
        }
        STOREK(best, y + y0 + at + c);
#if INDEX
        STOREP(where, index + index0 + at + c);
#endif
    }
}

/* The gradient where windows do not overlap: of the cells from where this window begins to where the next ones do. */
ALONE kernel void scatter(global const kept *dy, ulong dy0, global const place *index, ulong index0, global kept *dx, ulong dx0,
                    int n, int height, int width, int out_height, int out_width, int channels)
{
    const int first = get_global_id(0) * VW * CHUNKS, j = get_global_id(1);
    const int s = get_global_id(2) / out_height, i = get_global_id(2) % out_height;
    if (first >= channels || j >= out_width || s >= n) return;
    const int top = i * SH - PT, left = j * SW - PL;
    const int p0 = FIRST(top), q0 = FIRST(left);
    const int p1 = i == out_height - 1 ? height - top : SH, q1 = j == out_width - 1 ? width - left : SW;
    const ulong at = ((ulong)get_global_id(2) * out_width + j) * channels + first;
    dx += dx0 + (((long)s * height + top) * width + left) * channels + first;
    floatv d[CHUNKS];
    intv where[CHUNKS];
    for (int c = 0; c < CHUNKS; c++) {
        d[c] = LOADK(dy + dy0 + at + c * VW);
        where[c] = LOADP(index + index0 + at + c * VW);
    }
    for (int p = p0; p < p1; p++) {
        for (int q = q0; q < q1; q++) {
            const int here = p < PH && q < PW ? p * PW + q : -1;
            for (int c = 0; c < CHUNKS; c++) {
                const floatv v = where[c] == here ? d[c] : 0.0f;
                STOREK(v, dx + ((long)p * width + q) * channels + c * VW);
            }
        }
    }
}

/* The gradient where they do. */
ALONE kernel void gather(global const kept *dy, ulong dy0, global const place *index, ulong index0, global kept *dx, ulong dx0,
                   int n, int height, int width, int out_height, int out_width, int channels)
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
                const int here = (h + PT - i * SH) * PW + w + PL - j * SW;
                const ulong at = (((ulong)s * out_height + i) * out_width + j) * channels + c;
                const intv where = LOADP(index + index0 + at);
                sum += where == here ? LOADK(dy + dy0 + at) : 0.0f;
            }
        }
        STOREK(sum, dx + dx0 + ((ulong)get_global_id(2) * width + w) * channels + c);
    }
}
