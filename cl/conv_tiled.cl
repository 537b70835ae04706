/* Convolution and its input gradient as one gather, channels last. Made for CPUs.
 *
 * Both are   out[n,i,j,:] = sum over taps (p, q) of in[n, y, x, :] * w[p, q, :, :],   in being zero outside, where
 *   y = i * STRIDE_H + START_H + p * DILATION_H,   x alike,
 * for the convolution itself and, with taps reversed and w transposed, for the input gradient of one of stride 1.
 * The input gradient of a larger stride S visits the pixels i = phase + S * k of one phase at a time: of y / S only whole
 * numbers count, so the taps of a phase are a gather with step 1. PHASES_H, PHASES_W are that S, else 1.
 *
 * `pack` brings w to panels of NR output channels: line (g, panel, p, q, c) holds w[p, q, c, panel * NR ...], zeros
 * after the last channel. A run of zeros lies before the panels; it stands for pixels outside.
 *
 * `gather`: one work-item computes `tiles` * MR pixels, consecutive over the batch, by NR channels, in blocks of
 * BLOCK_TAPS taps; items lie along (panels of all groups, pixels, phases).
 *   -D VW, MR, BIAS, ACTIVATION                  as in tile.h
 *   -D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C     extents of `in` and `out`; channels of all groups
 *   -D KH, KW, GROUPS, STRIDE_H, STRIDE_W, START_H, START_W, DILATION_H, DILATION_W, PHASES_H, PHASES_W
 *   -D BLOCK_TAPS                                taps of a block; its part of a panel should stay in the first cache
 *   -D REVERSED                                  1: pack reverses taps and transposes (input gradient) */
#include "tile.h"

#if !defined(IN_H) || !defined(IN_W) || !defined(IN_C) || !defined(OUT_H) || !defined(OUT_W) || !defined(OUT_C)
#error "-D IN_H, IN_W, IN_C, OUT_H, OUT_W and OUT_C are needed"
#endif
#if !defined(KH) || !defined(KW) || !defined(GROUPS) || !defined(STRIDE_H) || !defined(STRIDE_W) || !defined(START_H) \
    || !defined(START_W) || !defined(DILATION_H) || !defined(DILATION_W) || !defined(PHASES_H) || !defined(PHASES_W)
#error "-D KH, KW, GROUPS, STRIDE_H, STRIDE_W, START_H, START_W, DILATION_H, DILATION_W, PHASES_H, PHASES_W are needed"
#endif
#if !defined(BLOCK_TAPS) || !defined(REVERSED) || !defined(PIXELS)
#error "-D BLOCK_TAPS, REVERSED and PIXELS are needed"
#endif

/* Channels of one group, and panels of one group. */
#define IN_G (IN_C / GROUPS)
#define OUT_G (OUT_C / GROUPS)
#define PANELS ((OUT_G + NR - 1) / NR)
#define ZEROS ((IN_G + NR - 1) / NR * NR)

/* Whether some tap of some pixel lies outside `in`. */
#define BORDER                                                                                                        \
    (PHASES_H > 1 || PHASES_W > 1 || START_H < 0 || START_W < 0                                                       \
     || (OUT_H - 1) * STRIDE_H + START_H + (KH - 1) * DILATION_H >= IN_H                                              \
     || (OUT_W - 1) * STRIDE_W + START_W + (KW - 1) * DILATION_W >= IN_W)

/* A row of taps is one stretch of memory. */
#define WHOLE_ROWS (GROUPS == 1 && DILATION_W == 1 && BLOCK_TAPS % KW == 0)

/* One work-item: NR of the zeros, or one line of the panels; items past the last do nothing. */
kernel void pack(global const float *w, ulong w0, global float *packed, ulong packed0, int items)
{
    const int item = get_global_id(0);
    if (item >= items) return;
    const int line_of_all = item - ZEROS / NR;
    const int c = line_of_all % IN_G, tap = line_of_all / IN_G % (KH * KW);
    const int panel = line_of_all / IN_G / (KH * KW);
    const int g = panel / PANELS, first = panel % PANELS * NR;

    for (int j = 0; j < NR; ++j) {
        float v = 0;
        if (line_of_all >= 0 && first + j < OUT_G)
#if REVERSED
            v = w[w0 + ((ulong)(KH * KW - 1 - tap) * OUT_G + first + j) * IN_C + g * IN_G + c];
#else
            v = w[w0 + ((ulong)tap * IN_G + c) * OUT_C + g * OUT_G + first + j];
#endif
        packed[packed0 + (ulong)item * NR + j] = v;
    }
}

/* The pixels of a tile: where tap (0, 0) of each lies in `in`, not looking at phases, and where each goes. */
struct pixels {
    int y[MR], x[MR];
    long from[MR];
    ulong to[MR];
};

/* Pixels past the last are the last again, and are not stored. */
static inline void locate(struct pixels *at, int first, int n, int phase_y, int phase_x)
{
    const int height = (OUT_H - phase_y + PHASES_H - 1) / PHASES_H, width = (OUT_W - phase_x + PHASES_W - 1) / PHASES_W;
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        const int pixel = min(first + r, n * height * width - 1);
        const int j = pixel % width, i = pixel / width % height, image = pixel / width / height;
        at->y[r] = i * STRIDE_H + (PHASES_H > 1 ? 0 : START_H);
        at->x[r] = j * STRIDE_W + (PHASES_W > 1 ? 0 : START_W);
        at->from[r] = (((long)image * IN_H + at->y[r]) * IN_W + at->x[r]) * IN_C;
        at->to[r] = (((ulong)image * OUT_H + i * PHASES_H + phase_y) * OUT_W + j * PHASES_W + phase_x) * OUT_C;
    }
}

/* acc += the `length` floats at each row times the lines of w. */
static inline void multiply(floatv acc[MR][2], global const float *row[MR], global const float *w, int length)
{
    for (int l = 0; l < length; ++l) {
        const floatv b0 = LOADV(w + l * NR), b1 = LOADV(w + l * NR + VW);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const floatv v = row[r][l];
            acc[r][0] += v * b0;
            acc[r][1] += v * b1;
        }
    }
}

/* A tile whose taps all lie inside: rows differ by one offset only. */
static inline void inside(floatv acc[MR][2], const struct pixels *at, global const float *in, global const float *w,
                          int first, int last)
{
    for (int tap = first; tap < last; tap += WHOLE_ROWS ? KW : 1) {
        const long shift = ((long)(tap / KW) * DILATION_H * IN_W + tap % KW * DILATION_W) * IN_C;
        global const float *row[MR];
#pragma unroll
        for (int r = 0; r < MR; ++r) row[r] = in + at->from[r] + shift;
        multiply(acc, row, w + (ulong)tap * IN_G * NR, (WHOLE_ROWS ? KW : 1) * IN_G);
    }
}

/* A tile at a border, or of a phase. Pixels outside read zeros; a tap that is outside for all rows is skipped. */
static inline void border(floatv acc[MR][2], const struct pixels *at, global const float *in,
                          global const float *zeros, global const float *w, int first, int last, int phase_y,
                          int phase_x)
{
    for (int tap = first; tap < last; ++tap) {
        int dy = tap / KW * DILATION_H, dx = tap % KW * DILATION_W;
#if PHASES_H > 1 || PHASES_W > 1
        dy += PHASES_H > 1 ? phase_y + START_H : 0;
        dx += PHASES_W > 1 ? phase_x + START_W : 0;
        if (dy % PHASES_H != 0 || dx % PHASES_W != 0) continue;
        dy /= PHASES_H;
        dx /= PHASES_W;
#endif
        const long shift = ((long)dy * IN_W + dx) * IN_C;
        global const float *row[MR];
        bool any = false;
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const bool in_range = (uint)(at->y[r] + dy) < IN_H && (uint)(at->x[r] + dx) < IN_W;
            row[r] = in_range ? in + at->from[r] + shift : zeros;
            any |= in_range;
        }
        if (any) multiply(acc, row, w + (ulong)tap * IN_G * NR, IN_G);
    }
}

static inline bool is_inside(const struct pixels *at)
{
    bool all = true;
#pragma unroll
    for (int r = 0; r < MR; ++r)
        all &= at->y[r] >= 0 && at->y[r] + (KH - 1) * DILATION_H < IN_H && at->x[r] >= 0
               && at->x[r] + (KW - 1) * DILATION_W < IN_W;
    return all;
}

kernel void gather(global const float *in, ulong in0, global const float *packed, ulong packed0, global float *out,
                   ulong out0, global const float *bias, ulong bias0, int n, int tiles, int panels)
{
    const int runs = (PANELS + panels - 1) / panels;
    const int g = get_global_id(0) / runs;
    const int first_panel = get_global_id(0) % runs * panels, last_panel = min(first_panel + panels, PANELS);
    const int phase_y = get_global_id(2) / PHASES_W, phase_x = get_global_id(2) % PHASES_W;
    const int count = n * ((OUT_H - phase_y + PHASES_H - 1) / PHASES_H) * ((OUT_W - phase_x + PHASES_W - 1) / PHASES_W);
    const int first = get_global_id(1) * tiles * MR, last = min(count, first + tiles * MR);
    global const float *zeros = packed + packed0;
    global const float *w = zeros + ZEROS + (ulong)g * PANELS * KH * KW * IN_G * NR;

    in += in0 + g * IN_G;
    for (int tap = 0; tap < KH * KW; tap += BLOCK_TAPS) {
        const int end = min(tap + BLOCK_TAPS, KH * KW);
        for (int pixel = first; pixel < last; pixel += MR) {
            struct pixels at;
            locate(&at, pixel, n, phase_y, phase_x);
            const bool all_inside = !BORDER || (PHASES_H * PHASES_W == 1 && is_inside(&at));
            for (int panel = first_panel; panel < last_panel; ++panel) {
                global const float *lines = w + (ulong)panel * KH * KW * IN_G * NR;
                const int channel = g * OUT_G + panel * NR;
                floatv acc[MR][2];
                tile_clear(acc);
                if (all_inside)
                    inside(acc, &at, in, lines, tap, end);
                else
                    border(acc, &at, in, zeros, lines, tap, end, phase_y, phase_x);
                tile_store(acc, out + out0 + channel, at.to, last - pixel, OUT_G - panel * NR, tap > 0,
                           end == KH * KW, bias + bias0 + channel);
            }
        }
    }
}

#if !REVERSED
/* ---- the gradient of w, a matrix of (p, q, c) by filters: the sum over pixels of in * dout ------------------------ */

#define ROWS (KH * KW * IN_G)

/* A block is BLOCK_H rows of pixels by BLOCK_W of one image, at most PIXELS. */
#define BLOCK_W (OUT_W < PIXELS ? OUT_W : PIXELS)
#define BLOCK_H (PIXELS / BLOCK_W < OUT_H ? PIXELS / BLOCK_W : OUT_H)
#define BLOCKS_X ((OUT_W + BLOCK_W - 1) / BLOCK_W)
#define BLOCKS_Y ((OUT_H + BLOCK_H - 1) / BLOCK_H)

struct block {
    int image, i, j, height, width;
};

static inline struct block block_of(int index)
{
    struct block b;
    b.j = index % BLOCKS_X * BLOCK_W;
    b.i = index / BLOCKS_X % BLOCKS_Y * BLOCK_H;
    b.image = index / BLOCKS_X / BLOCKS_Y;
    b.height = min(BLOCK_H, OUT_H - b.i);
    b.width = min(BLOCK_W, OUT_W - b.j);
    return b;
}

static inline void pack_dout(line right[PIXELS], const struct block *b, global const float *dout, int columns)
{
    for (int i = 0; i < b->height; ++i) {
        global const float *from = dout + (((ulong)b->image * OUT_H + b->i + i) * OUT_W + b->j) * OUT_C;
        line *to = right + i * b->width;
        for (int j = 0; j < b->width; ++j, from += OUT_C)
            if (columns >= NR) {
                to[j].v[0] = LOADV(from);
                to[j].v[1] = LOADV(from + VW);
            } else {
                for (int f = 0; f < NR; ++f) to[j].f[f] = f < columns ? from[f] : 0;
            }
    }
}

/* The rows of a tile: the tap of each, as a shift in pixels, and in floats with its channel. Pixels j of
 * first <= j < last lie inside for all rows, those of any_first <= j < any_last for at least one. */
struct taps {
    int y[MR], x[MR];
    long shift[MR];
    int first, last, any_first, any_last;
};

/* Rows past the last are the last again, and are not stored. */
static inline void find_taps(struct taps *at, int row)
{
    at->first = at->any_last = 0;
    at->last = at->any_first = OUT_W;
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        const int k = min(row + r, ROWS - 1);
        at->y[r] = START_H + k / IN_G / KW * DILATION_H;
        at->x[r] = START_W + k / IN_G % KW * DILATION_W;
        at->shift[r] = ((long)at->y[r] * IN_W + at->x[r]) * IN_C + k % IN_G;
        const int first = at->x[r] < 0 ? (STRIDE_W - 1 - at->x[r]) / STRIDE_W : 0;
        const int last = at->x[r] < IN_W ? min(OUT_W, (IN_W - 1 - at->x[r]) / STRIDE_W + 1) : 0;
        at->first = max(at->first, first);
        at->last = min(at->last, last);
        at->any_first = min(at->any_first, first);
        at->any_last = max(at->any_last, last);
    }
}

/* acc += in times lines of dout, over `count` pixels of a row, all inside. */
static inline void accumulate(floatv acc[MR][2], global const float *in, const long shift[MR], const line *right,
                              int count)
{
    global const float *row[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r) row[r] = in + shift[r];

    for (int j = 0; j < count; ++j) {
        const floatv b0 = right[j].v[0], b1 = right[j].v[1];
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const floatv v = row[r][j * STRIDE_W * IN_C];
            acc[r][0] += v * b0;
            acc[r][1] += v * b1;
        }
    }
}

/* The same for pixels first <= j < last of row i, some rows of the tile being outside there. */
static inline void accumulate_border(floatv acc[MR][2], global const float *in, const struct taps *at,
                                     const line *right, int i, int first, int last)
{
    for (int j = first; j < last; ++j, ++right)
#pragma unroll
        for (int r = 0; r < MR; ++r)
            if ((uint)(i * STRIDE_H + at->y[r]) < IN_H && (uint)(j * STRIDE_W + at->x[r]) < IN_W) {
                const floatv v = in[at->shift[r] + (j - first) * STRIDE_W * IN_C];
                acc[r][0] += v * right->v[0];
                acc[r][1] += v * right->v[1];
            }
}

/* One row of pixels of a block; `in` is its image. */
static inline void accumulate_row(floatv acc[MR][2], global const float *in, const struct taps *at, const line *right,
                                  int i, int j0, int j1)
{
    bool all = true, any = false;
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        const bool in_range = (uint)(i * STRIDE_H + at->y[r]) < IN_H;
        all &= in_range;
        any |= in_range;
    }
    if (!any) return;

    const int any_first = max(j0, at->any_first), any_last = min(j1, at->any_last);
    const int first = all ? min(max(j0, at->first), any_last) : any_last;
    const int last = max(first, min(j1, at->last));
    in += (long)i * STRIDE_H * IN_W * IN_C;
    accumulate_border(acc, in + (long)any_first * STRIDE_W * IN_C, at, right + any_first - j0, i, any_first, first);
    accumulate(acc, in + (long)first * STRIDE_W * IN_C, at->shift, right + first - j0, last - first);
    accumulate_border(acc, in + (long)last * STRIDE_W * IN_C, at, right + last - j0, i, last, any_last);
}

static inline void gradient_tile(global float *dw, global const float *in, const line *right, const struct block *b,
                                 int row, int columns, bool add)
{
    struct taps at;
    floatv acc[MR][2];
    ulong to[MR];
    find_taps(&at, row);
    tile_clear(acc);
    for (int i = 0; i < b->height; ++i)
        accumulate_row(acc, in, &at, right + i * b->width, b->i + i, b->j, b->j + b->width);
#pragma unroll
    for (int r = 0; r < MR; ++r) to[r] = (ulong)r * OUT_C;
    tile_store(acc, dw + (ulong)row * OUT_C, to, ROWS - row, columns, add, false, 0);
}

/* One work-item: `tiles` tiles of one panel of filters, over `blocks` blocks of pixels. Items lie along (panels of all
 * groups, tiles, chunks of blocks); each chunk has a sum of its own in parts (chunk, rows, OUT_C). */
kernel void gradient(global const float *in, ulong in0, global const float *dout, ulong dout0, global float *parts,
                     ulong parts0, int n, int blocks, int tiles)
{
    line right[PIXELS];
    const int panel = get_global_id(0) % PANELS, g = get_global_id(0) / PANELS;
    const int channel = g * OUT_G + panel * NR, columns = OUT_G - panel * NR;
    const int first = get_global_id(2) * blocks, last = min(first + blocks, n * BLOCKS_X * BLOCKS_Y);
    const int first_row = get_global_id(1) * tiles * MR, last_row = min(first_row + tiles * MR, ROWS);

    parts += parts0 + get_global_id(2) * ROWS * OUT_C + channel;
    for (int index = first; index < last; ++index) {
        const struct block b = block_of(index);
        pack_dout(right, &b, dout + dout0 + channel, columns);
        global const float *image = in + in0 + (ulong)b.image * IN_H * IN_W * IN_C + g * IN_G;
        for (int row = first_row; row < last_row; row += MR)
            gradient_tile(parts, image, right, &b, row, columns, index > first);
    }
}

/* dw = the sum of its parts, first to last. One work-item an element; items past the last do nothing. */
kernel void sum_parts(global const float *parts, ulong parts0, global float *dw, ulong dw0, int chunks)
{
    const size_t i = get_global_id(0), count = (size_t)ROWS * OUT_C;
    if (i >= count) return;
    float sum = 0;
    for (int chunk = 0; chunk < chunks; ++chunk) sum += parts[parts0 + chunk * count + i];
    dw[dw0 + i] = sum;
}
#endif
