/* The gradient of w for the convolution of conv_tiled.h, the matrix of rows (p, q, c) by filters transposed(patches of in) * dout. One
 * work-item computes SPAN_TILES * MR rows by PANEL_RUN panels for a chunk of the pixels, a block at a time: it copies the patches and the
 * filters of the block to private memory, which its tiles then read; or only what the block sees, where that is little. Each chunk has
 * a sum of its own. Chunks begin anew with each grain of images, if there are any.
 *   -D PIXELS                  as in conv_block.h
 *   -D SPAN_TILES, PANEL_RUN
 *   -D NEAR                    1: what a block sees is little, and there are no groups */
#include "conv_tiled.h"
#include "conv_block.h"

#if !defined(SPAN_TILES) || !defined(PANEL_RUN) || !defined(NEAR)
#error "-D SPAN_TILES, PANEL_RUN and NEAR are needed"
#endif

#define ROWS (KH * KW * IN_G)
#define SPAN (SPAN_TILES * MR)

static inline void pack_dout(line right[PANEL_RUN][PIXELS], global const float *dout, const struct block *b, int columns)
{
    const int whole = min(columns / NR, PANEL_RUN);
    for (int i = 0; i < b->height; ++i) {
        global const float *from = dout + (((ulong)b->image * OUT_H + b->i + i) * OUT_W + b->j) * OUT_C;
        for (int j = 0; j < b->width; ++j, from += OUT_C) {
            const int pixel = i * b->width + j;
            for (int p = 0; p < whole; ++p) line_load(right[p][pixel].v, from + p * NR);
            if (whole < PANEL_RUN && whole * NR < columns) line_load_some(right[whole][pixel].v, from + whole * NR, columns - whole * NR);
        }
    }
}

/* Rows row .. row + count of one pixel, as far as they lie in the span; from 0: zeros. */
static inline void put(float to[SPAN], int row, int count, global const float *from)
{
    const int first = ROWS <= SPAN ? 0 : max(0, -row), last = ROWS <= SPAN ? count : min(count, SPAN - row);
    for (int c = first; c < last; ++c) to[row + c] = from ? from[c] : 0;
}

#if GROUPS == 1 && DILATION_W == 1
#define ROW_RUNS 1
#else
#define ROW_RUNS 0
#endif

/* The pixels of `in` that the taps of one pixel of the block see. */
static inline void pack_pixel(float to[SPAN], global const float *in, int y, int x, int first)
{
    const bool inside_w = x >= 0 && x + (KW - 1) * DILATION_W < IN_W;
    for (int p = 0; p < KH; ++p) {
        const int h = y + p * DILATION_H;
        const bool inside_h = h >= 0 && h < IN_H;
        global const float *from = in + ((long)h * IN_W + x) * IN_C;
        const int row = p * KW * IN_G - first;
        if (ROW_RUNS && inside_h && inside_w) {
            put(to, row, KW * IN_G, from);
            continue;
        }
        for (int q = 0; q < KW; ++q) {
            const int w = x + q * DILATION_W;
            const bool in_range = inside_h && w >= 0 && w < IN_W;
            put(to, row + q * IN_G, IN_G, in_range ? from + q * DILATION_W * IN_C : 0);
        }
    }
}

static inline void pack_in(float left[PIXELS][SPAN], global const float *in, const struct block *b, int first)
{
    in += (ulong)b->image * IN_H * IN_W * IN_C;
    for (int i = 0; i < b->height; ++i)
        for (int j = 0; j < b->width; ++j)
            pack_pixel(left[i * b->width + j], in, (b->i + i) * STRIDE_H + START_H, (b->j + j) * STRIDE_W + START_W,
                       first);
}

static inline void gradient_tile(global float *dw, const float left[PIXELS][SPAN], const line *right, int pixels, int row,
                                 int rows, int columns, bool add)
{
    floatv acc[MR][NV];
    ulong at[MR];
    tile_clear(acc);
    for (int l = 0; l < pixels; ++l) {
        const line b = right[l];
#pragma unroll
        for (int r = 0; r < MR; ++r) tile_row_add(acc[r], left[l][row + r], b.v);
    }
#pragma unroll
    for (int r = 0; r < MR; ++r) at[r] = (ulong)r * OUT_C;
    tile_store(acc, dw + (ulong)row * OUT_C, at, rows - row, columns, add, false, 0, 0);
}

/* Where filters fill the tiles, they are read where they are. */
#define NEAR_GRADIENT (NEAR && OUT_C % NR == 0)

/* The rows of a tile are cells that lie together. */
#define TOGETHER (DILATION_W == 1 && KW * IN_C % MR == 0)

#if NEAR_GRADIENT
/* Pixels of a whole block, and floats of dout that a pixel's turn asks for, so that the tiles of a block ask for the next one. */
#define BLOCK_PIXELS (BLOCK_H * BLOCK_W)
#define PACE ((NR + SPAN_TILES - 1) / SPAN_TILES)

/* `ahead`, of the block that follows, is asked for: from afar it takes longer than a few pixels' sums. */
static inline void near_tile(global float *dw, const float *near, global const float *dout, const struct block *b, int row, bool add,
                             global const float *ahead)
{
    floatv acc[MR][NV];
    ulong at[MR];
    int of[MR];
    tile_clear(acc);
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        const int k = min(row + r, ROWS - 1);
        of[r] = k / (KW * IN_C) * DILATION_H * LINE + k / IN_C % KW * DILATION_W * IN_C + k % IN_C;
        at[r] = (ulong)r * OUT_C;
    }
    for (int i = 0; i < b->height; ++i) {
        const float *from = near + i * STRIDE_H * LINE;
        for (int j = 0; j < b->width; ++j, from += STRIDE_W * IN_C, dout += OUT_C, ahead += PACE) {
            for (int f = 0; f < PACE; f += CACHE_LINE) PREFETCH(ahead + f);
#if NV > MR
            /* the rows in registers, for all vectors would be too many */
            floatv v[MR];
#pragma unroll
            for (int r = 0; r < MR; ++r) v[r] = from[TOGETHER ? of[0] + r : of[r]];
#pragma unroll
            for (int side = 0; side < NV; ++side) {
                const floatv b = LOADV(dout + side * VW);
#pragma unroll
                for (int r = 0; r < MR; ++r) acc[r][side] += v[r] * b;
            }
#else
            floatv b[NV];
            line_load(b, dout);
#pragma unroll
            for (int r = 0; r < MR; ++r) tile_row_add(acc[r], from[TOGETHER ? of[0] + r : of[r]], b);
#endif
        }
    }
    tile_store(acc, dw + (ulong)row * OUT_C, at, ROWS - row, NR, add, false, 0, 0);
}
#endif

/* What a work-item of `gradient` computes. */
ONCE void sum_products(global const float *in, global const float *dout, global float *parts, int n, int blocks, int grain, int chunks, int run,
                       int span, int chunk)
{
#if NEAR_GRADIENT
    float near[LINE * LINES];
#else
    line right[PANEL_RUN][PIXELS];
    float left[PIXELS][SPAN];
#endif
    const int runs = (PANELS + PANEL_RUN - 1) / PANEL_RUN;
    const int g = run / runs, channel = run % runs * PANEL_RUN * NR;
    const int columns = min(OUT_G - channel, PANEL_RUN * NR);
    const int first_row = span * SPAN, rows = min(SPAN, ROWS - first_row);
    const int of_grain = chunk / chunks, of_chunk = chunk % chunks;
    const int begin = of_grain * grain * BLOCKS_X * BLOCKS_Y, end = min(n, (of_grain + 1) * grain) * BLOCKS_X * BLOCKS_Y;
    const int first = begin + of_chunk * blocks, last = min(first + blocks, end);

    dout += g * OUT_G + channel;
    parts += ((ulong)chunk * ROWS + first_row) * OUT_C + g * OUT_G + channel;
    for (int index = first; index < last; ++index) {
        const struct block b = block_of(index);
#if NEAR_GRADIENT
        global const float *from = dout + (((ulong)b.image * OUT_H + b.i) * OUT_W + b.j) * OUT_C;
        copy_near(near, in, &b);
        for (int j = 0; j < columns; j += NR)
            for (int row = 0; row < rows; row += MR)
                near_tile(parts - (ulong)first_row * OUT_C + j, near, from + j, &b, first_row + row, index > first,
                          from + BLOCK_PIXELS * (OUT_C + (j / NR * SPAN_TILES + row / MR) * PACE));
#else
        pack_dout(right, dout, &b, columns);
        pack_in(left, in + g * IN_G, &b, first_row);
        for (int j = 0; j < columns; j += NR)
            for (int row = 0; row < rows; row += MR)
                gradient_tile(parts + j, left, right[j / NR], b.height * b.width, row, rows, COLUMNS(columns - j),
                              index > first);
#endif
    }
}

/* Items lie along (panels of all groups, rows, chunks of `blocks` blocks, `chunks` of each grain of `grain` images); parts is
 * (chunks of all grains, rows, OUT_C). */
ALONE kernel void gradient(global const float *in, ulong in0, global const float *dout, ulong dout0, global float *parts,
                     ulong parts0, int n, int blocks, int grain, int chunks)
{
    sum_products(in + in0, dout + dout0, parts + parts0, n, blocks, grain, chunks, get_global_id(0), get_global_id(1), get_global_id(2));
}
