/* Convolution of each channel by itself: filter f sees channel f / M alone. Channels last; the kernel is (KH, KW, filters).
 *
 *   -D VW               see vector.h; above 1 only with M=1
 *   -D KH KW SH SW DH DW PT PL    window, stride, dilation, and the padding above and left
 *   -D M                filters a channel
 *   -D ACTIVATION BIAS COLUMNS ROWS   for the forward kernels: see activation.h and epilogue.cl; how many neighbouring cells of a
 *                       row a work-item of `forward` takes, or rows of cells of `forward_rows`, which is compiled where it is above
 *                       0 and wants steps of 1. Without them the gradients are compiled */
#include "alone.h"
#include "vector.h"
#if !defined(KH) || !defined(KW) || !defined(SH) || !defined(SW) || !defined(DH) || !defined(DW) || !defined(PT) || !defined(PL) || !defined(M)
#error "depthwise.cl needs -D KH, KW, SH, SW, DH, DW, PT, PL and M"
#endif

#ifdef ACTIVATION
#include "activation.h"
#include "prefetch.h"

#if !defined(COLUMNS) || !defined(ROWS)
#error "depthwise.cl needs -D COLUMNS and ROWS"
#endif

/* Weights of a small window are held in registers. */
#define HELD (KH * KW <= 9)

#if HELD
#define WEIGHT(p, q) held[(p) * KW + (q)]
#else
#define WEIGHT(p, q) LOADV(w + ((p) * KW + (q)) * filters)
#endif

static inline void store(floatv sum, global float *y, global const float *bias, int factor)
{
#if BIAS > 1
    sum *= LOADV(bias + factor);
#endif
#if BIAS
    sum += LOADV(bias);
#endif
    STOREV(ACTIVATE(sum), y);
}

#if ROWS
/* Columns of the input that are asked for before they are read. */
#define AHEAD 6

/* One work-item: VW filters of ROWS rows of output cells. It goes over the columns of the input, reads each cell once and adds it to
 * all the sums that see it, those of KW columns at a time. Dimension 0 filters, 1 samples and rows. */
ALONE kernel void forward_rows(global const float *x, ulong x0, global const float *w, ulong w0, global const float *bias,
                         ulong bias0, global float *y, ulong y0, int factor, int n, int height, int width, int out_height,
                         int out_width, int filters)
{
    const int f = get_global_id(0) * VW, runs = (out_height + ROWS - 1) / ROWS;
    const int s = get_global_id(1) / runs, i = get_global_id(1) % runs * ROWS, top = i - PT;
    if (f >= filters || s >= n) return;
    x += x0 + (ulong)s * height * width * filters + f;
    w += w0 + f;
    y += y0 + ((ulong)s * out_height + i) * out_width * filters + f;
    floatv held[KH * KW], sum[ROWS][KW];
#pragma unroll
    for (int tap = 0; tap < KH * KW; tap++) held[tap] = LOADV(w + tap * filters);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int k = 0; k < KW; k++) sum[r][k] = 0.0f;
    for (int j = 1 - KW; j < out_width; j++) { /* sum[r][k] is that of column j + k, whose tap sees this input at KW - 1 - k */
        const int c = j + KW - 1 - PL;
        if (c >= 0 && c < width)
#pragma unroll
            for (int a = 0; a < ROWS + KH - 1; a++) {
                if (top + a < 0 || top + a >= height) continue;
                global const float *from = x + ((long)(top + a) * width + c) * filters;
                const floatv v = LOADV(from);
                if (c + AHEAD < width) PREFETCH(from + AHEAD * filters);
#pragma unroll
                for (int r = 0; r < ROWS; r++)
#pragma unroll
                    for (int k = 0; k < KW; k++)
                        if (a - r >= 0 && a - r < KH) sum[r][k] += v * held[(a - r) * KW + KW - 1 - k];
            }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (j >= 0 && i + r < out_height) store(sum[r][0], y + ((ulong)r * out_width + j) * filters, bias + bias0 + f, factor);
#pragma unroll
            for (int k = 0; k + 1 < KW; k++) sum[r][k] = sum[r][k + 1];
            sum[r][KW - 1] = 0.0f;
        }
    }
}
#else

/* One work-item: VW filters of COLUMNS output cells of a row. Dimension 0 filters, 1 columns, 2 samples and rows. */
ALONE kernel void forward(global const float *x, ulong x0, global const float *w, ulong w0, global const float *bias,
                    ulong bias0, global float *y, ulong y0, int factor, int n, int height, int width, int out_height, int out_width,
                    int filters)
{
    const int f = get_global_id(0) * VW, first = get_global_id(1) * COLUMNS, channels = filters / M;
    const int s = get_global_id(2) / out_height, top = get_global_id(2) % out_height * SH - PT;
    if (f >= filters || first >= out_width || s >= n) return;
    x += x0 + (ulong)s * height * width * channels + f / M;
    w += w0 + f;
    y += y0 + (ulong)get_global_id(2) * out_width * filters + f;
#if HELD
    floatv held[KH * KW];
#pragma unroll
    for (int tap = 0; tap < KH * KW; tap++) held[tap] = LOADV(w + tap * filters);
#endif
    const bool inside_h = top >= 0 && top + (KH - 1) * DH < height;
    for (int j = first; j < min(first + COLUMNS, out_width); j++) {
        const int left = j * SW - PL;
        floatv sum = 0.0f;
        if (inside_h && left >= 0 && left + (KW - 1) * DW < width) {
            global const float *from = x + ((ulong)top * width + left) * channels;
#pragma unroll
            for (int p = 0; p < KH; p++)
#pragma unroll
                for (int q = 0; q < KW; q++) sum += LOADV(from + (p * DH * width + q * DW) * channels) * WEIGHT(p, q);
        } else
#pragma unroll
            for (int p = 0; p < KH; p++)
#pragma unroll
                for (int q = 0; q < KW; q++) {
                    const int h = top + p * DH, c = left + q * DW;
                    if (h >= 0 && h < height && c >= 0 && c < width)
                        sum += LOADV(x + ((ulong)h * width + c) * channels) * WEIGHT(p, q);
                }
        store(sum, y + j * filters, bias + bias0 + f, factor);
    }
}
#endif

#else

/* The output cell whose window has its tap at `distance` from the first one, or -1. */
static inline int cell_of(int distance, int stride, int cells)
{
    return distance < 0 || distance % stride || distance / stride >= cells ? -1 : distance / stride;
}

/* dx. One work-item: VW channels of one input cell. Dimension 0 channels, 1 columns, 2 samples and rows. */
ALONE kernel void input_gradient(global const float *dy, ulong dy0, global const float *w, ulong w0, global float *dx,
                           ulong dx0, int n, int height, int width, int out_height, int out_width, int filters)
{
    const int c = get_global_id(0) * VW, column = get_global_id(1), channels = filters / M;
    const int s = get_global_id(2) / height, row = get_global_id(2) % height;
    if (c >= channels || column >= width || s >= n) return;
    dy += dy0 + (ulong)s * out_height * out_width * filters + c * M;
    w += w0 + c * M;
    floatv sum = 0.0f;
    for (int p = 0; p < KH; p++) {
        const int i = cell_of(row + PT - p * DH, SH, out_height);
        for (int q = 0; q < KW && i >= 0; q++) {
            const int j = cell_of(column + PL - q * DW, SW, out_width);
            for (int m = 0; m < M && j >= 0; m++)
                sum += LOADV(dy + ((ulong)i * out_width + j) * filters + m) * LOADV(w + (p * KW + q) * filters + m);
        }
    }
    STOREV(sum, dx + dx0 + ((ulong)get_global_id(2) * width + column) * channels + c);
}

/* part[slice, p, q, f]: the kernel's gradient over a run of output rows of all samples. One work-item: VW filters of one
 * tap. Dimension 0 filters, 1 taps, 2 slices. */
ALONE kernel void kernel_gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *part,
                            ulong part0, int n, int height, int width, int out_height, int out_width, int filters,
                            int slice)
{
    const int f = get_global_id(0) * VW, tap = get_global_id(1), channels = filters / M, rows = n * out_height;
    const int p = tap / KW, q = tap % KW, first = get_global_id(2) * slice, last = min(rows, first + slice);
    if (f >= filters || tap >= KH * KW || first >= rows) return;
    x += x0 + f / M;
    dy += dy0 + f;
    floatv sum = 0.0f;
    for (int r = first; r < last; r++) {
        const int h = r % out_height * SH + p * DH - PT;
        if (h < 0 || h >= height) continue;
        const ulong line = ((ulong)(r / out_height) * height + h) * width;
        for (int j = 0; j < out_width; j++) {
            const int c = j * SW + q * DW - PL;
            if (c >= 0 && c < width)
                sum += LOADV(x + (line + c) * channels) * LOADV(dy + ((ulong)r * out_width + j) * filters);
        }
    }
    STOREV(sum, part + part0 + ((ulong)get_global_id(2) * KH * KW + tap) * filters + f);
}
#endif
