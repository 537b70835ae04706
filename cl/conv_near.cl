/* The gather of conv_tiled.h without phases and groups, where outputs are sums of few terms and what a block of pixels sees is little. One
 * work-item computes all channels of a block, and first copies what it sees. Its loop over the terms of an output is unrolled, which
 * compilers take minutes for where they are many.
 *   -D PIXELS    as in conv_block.h
 *   -D MOMENTS   1: gives those of `out` too, of a block each */
#include "conv_tiled.h"
#include "conv_block.h"
#include "moments.h"

#ifndef MOMENTS
#error "-D MOMENTS is needed"
#endif

/* Taps of a line whose channels lie together. */
#define RUN (DILATION_W == 1 ? KW : 1)

#define ROW_TILES ((BLOCK_W + MR - 1) / MR)
/* Whether each tile lies in a row, where what its pixels see is a constant apart, which is faster to find. The last one of a row begins
 * MR before its end; at most one in 16 pixels is computed twice for it. */
#define IN_ROWS (OUT_W % BLOCK_W == 0 && BLOCK_W >= MR && 16 * ROW_TILES * MR <= 17 * BLOCK_W)

/* The first pixel of a tile. */
static inline int first_of(int tile)
{
    return IN_ROWS ? tile / ROW_TILES * BLOCK_W + min(tile % ROW_TILES * MR, BLOCK_W - MR) : tile * MR;
}

static inline void multiply_near(floatv acc[MR][NV], const float *near, const int of[MR], global const float *w)
{
    const float *row[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r) row[r] = IN_ROWS ? near + of[0] + r * STRIDE_W * IN_C : near + of[r];
    for (int p = 0; p < KH; ++p) {
        for (int q = 0; q < KW; q += RUN)
#pragma unroll
            for (int l = 0; l < RUN * IN_C; ++l, w += NR) {
                floatv b[NV];
                line_load(b, w);
#pragma unroll
                for (int r = 0; r < MR; ++r) tile_row_add(acc[r], row[r][q * DILATION_W * IN_C + l], b);
            }
#pragma unroll
        for (int r = 0; r < MR; ++r) row[r] += DILATION_H * LINE;
    }
}

/* The place of a tile is asked for so many tiles before: its panels are stored in turns, which no processor foresees. */
#define STORES_AHEAD 4

/* Vectors whose moments are summed side by side, for each sum waits for itself. */
#define SIDE_BY_SIDE 4

/* Those of the block, which is in the nearest caches still, as one of `blocks` slices. */
static inline void store_moments(global const float *out, const struct block *b, global float *part, int blocks, int slice)
{
    const int count = b->height * b->width;
    moments_count(part, OUT_C, blocks, slice, count);
    for (int c = 0; c < OUT_C; c += SIDE_BY_SIDE * VW) {
        struct moments moments[SIDE_BY_SIDE];
#pragma unroll
        for (int v = 0; v < SIDE_BY_SIDE; ++v) moments_begin(&moments[v], load_some(out + c + v * VW, OUT_C - c - v * VW));
        for (int i = 0; i < b->height; ++i)
            for (int j = 0; j < WIDTH(*b); ++j) {
                global const float *from = out + ((ulong)i * OUT_W + j) * OUT_C + c;
#pragma unroll
                for (int v = 0; v < SIDE_BY_SIDE; ++v) moments_add(&moments[v], load_some(from + v * VW, OUT_C - c - v * VW));
            }
#pragma unroll
        for (int v = 0; v < SIDE_BY_SIDE; ++v)
            if (c + v * VW < OUT_C)
                moments_store(&moments[v], part + c + v * VW, OUT_C, slice, count, OUT_C - c - v * VW);
    }
}

/* What a work-item computes. */
ONCE void compute_block(global const float *in, global const float *packed, global float *out, global const float *bias, int factor,
                        global float *part, int blocks, int index)
{
    float near[LINE * LINES];
    const struct block b = block_of(index);
    const int count = b.height * b.width, tiles = IN_ROWS ? b.height * ROW_TILES : (count + MR - 1) / MR;
    global const float *w = packed + ZEROS;

    copy_near(near, in, &b);
    out += (((ulong)b.image * OUT_H + b.i) * OUT_W + b.j) * OUT_C;
    for (int tile = 0; tile < tiles; ++tile) {
        const int pixel = first_of(tile);
        ulong at[MR];
        int of[MR];
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const int some = IN_ROWS ? pixel : min(pixel + r, count - 1), i = some / WIDTH(b), j = some % WIDTH(b) + (IN_ROWS ? r : 0);
            of[r] = i * STRIDE_H * LINE + j * STRIDE_W * IN_C;
            at[r] = ((ulong)i * OUT_W + j) * OUT_C;
        }
        for (int panel = 0; panel < PANELS; ++panel) {
            floatv acc[MR][NV];
#if PANELS > 1
#pragma unroll
            for (int r = 0; r < MR; ++r)
                for (int side = 0; side < NR; side += CACHE_LINE) PREFETCH_STORE(out + at[r] + STORES_AHEAD * MR * OUT_C + panel * NR + side);
#endif
            tile_clear(acc);
            multiply_near(acc, near, of, w + (ulong)panel * KH * KW * IN_C * NR);
            tile_store(acc, out + panel * NR, at, count - pixel, COLUMNS(OUT_G - panel * NR), false, true, bias + panel * NR, factor);
        }
    }
    if (MOMENTS) store_moments(out, &b, part, blocks, index);
}

/* One work-item: a block; items past the last do nothing. */
ALONE kernel void gather(global const float *in, ulong in0, global const float *packed, ulong packed0, global float *out,
                        ulong out0, global const float *bias, ulong bias0, int factor, global float *part, ulong part0, int n)
{
    if (get_global_id(0) < n * BLOCKS_X * BLOCKS_Y)
        compute_block(in + in0, packed + packed0, out + out0, bias + bias0, factor, part + part0, n * BLOCKS_X * BLOCKS_Y,
                      get_global_id(0));
}
