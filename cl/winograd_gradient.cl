/* The kernel gradient of a convolution of 3 x 3 with stride 1 by Winograd's transforms, channels last. Made for CPUs.
 *
 *   dw[:, :, c, f] = Gt [sum over tiles of (Bt d B)[c] . (A dy At)[f]] G,
 * at each point a matrix product of channels x tiles by tiles x filters.
 *
 * `gradient`: one work-item computes all points for a block of CHANNELS channels by PANEL_RUN panels of filters, over a chunk
 * of the tiles, at most TILES at a time, whose transforms should stay near the second cache; items lie along (blocks, chunks).
 * Its sums lie together in `parts`, as they are computed: (point, panel, ROWS channels, NR filters). `finish` adds those of
 * all chunks in order and transforms them back.
 *   -D VW, MR                                  as in tile.h;   -D M   as in winograd.h
 *   -D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C   extents of x and dy
 *   -D START_H, START_W                        where tap 0 of output 0 lies
 *   -D TILES, CHANNELS, PANEL_RUN              CHANNELS is a multiple of VW or all of them
 *   -D POOL_H, POOL_W                          as in winograd_pool.h, of dy */
#include "alone.h"
#include "winograd.h"
#include "winograd_pool.h"

#if !defined(IN_H) || !defined(IN_W) || !defined(IN_C) || !defined(OUT_H) || !defined(OUT_W) || !defined(OUT_C) \
    || !defined(START_H) || !defined(START_W) || !defined(TILES) || !defined(CHANNELS) || !defined(PANEL_RUN)
#error "-D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C, START_H, START_W, TILES, CHANNELS and PANEL_RUN are needed"
#endif

/* Channels of a block in whole register tiles, and room for them in whole vectors too. */
#define ROWS ((CHANNELS + MR - 1) / MR * MR)
#define WIDTH ((ROWS + VW - 1) / VW * VW)

/* Points lie STRIDE apart, not a multiple of a page, which would put all of them in the same sets of the cache. */
#define STRIDE (TILES * WIDTH + 16)

#define SEEN_H IN_H
#define SEEN_W IN_W

static inline floatv load_in(global const float *in, global const uchar *index, int y, int x, int channels)
{
    (void)index;
    in += ((ulong)y * IN_W + x) * IN_C;
    return IN_C % VW == 0 && CHANNELS % VW == 0 ? LOADV(in) : load_some(in, channels);
}

#include "winograd_tiles.h"

#define OUT_IMAGE ((ulong)STORED_H(OUT_H) * STORED_W(OUT_W) * OUT_C)

#define RUNS ((PANELS + PANEL_RUN - 1) / PANEL_RUN)
#define BLOCKS ((IN_C + CHANNELS - 1) / CHANNELS * RUNS)

/* Floats of a work-item's sums, and where those of a row of a panel at a point lie among them. */
#define SUMS ((ulong)POINTS * PANEL_RUN * ROWS * NR)
#define SUM_AT(point, panel, row) ((((point) * PANEL_RUN + (panel)) * ROWS + (row)) * NR)

/* The M x M gradients from (y, x) on, transformed, to line t of each panel; zeros outside the image. */
static inline void transform_out(line right[POINTS][PANEL_RUN * TILES], int t, global const float *dout, global const uchar *index,
                                 int y, int x, int filters)
{
    floatv half_way[SIDE][M][PANEL_RUN * 2];
    const bool inside = y + M <= COVERED_H(OUT_H) && x + M <= COVERED_W(OUT_W);
    for (int j = 0; j < M; ++j)
        for (int f = 0; f < filters; f += VW) {
            floatv d[M], z[SIDE];
#pragma unroll
            for (int i = 0; i < M; ++i) {
                d[i] = 0.0f;
                if (inside || (y + i < COVERED_H(OUT_H) && x + j < COVERED_W(OUT_W)))
                    d[i] = load_gradient(dout + f, index + f, y + i, x + j, OUT_W, OUT_C, filters - f);
            }
            of_gradient(d, z);
#pragma unroll
            for (int i = 0; i < SIDE; ++i) half_way[i][j][f / VW] = z[i];
        }
    for (int i = 0; i < SIDE; ++i)
        for (int f = 0; f < filters; f += VW) {
            floatv d[M], z[SIDE];
#pragma unroll
            for (int j = 0; j < M; ++j) d[j] = half_way[i][j][f / VW];
            of_gradient(d, z);
#pragma unroll
            for (int j = 0; j < SIDE; ++j) right[i * SIDE + j][f / NR * TILES + t].v[f / VW % 2] = z[j];
        }
}

/* Tiles first .. first + tiles. `in`, `dout` and its `index` are at the block's channels and filters. */
static inline void transform_tiles(float left[POINTS][STRIDE], line right[POINTS][PANEL_RUN * TILES], global const float *in,
                                   global const float *dout, global const uchar *index, int first, int tiles, int channels,
                                   int filters)
{
    for (int t = 0; t < tiles; ++t) {
        const struct spot s = spot_of(first + t);
        transform(&left[0][t * WIDTH], in + (ulong)s.image * IN_H * IN_W * IN_C, 0, s.y + START_H, s.x + START_W, channels);
        transform_out(right, t, dout + s.image * OUT_IMAGE, index + s.image * OUT_IMAGE, s.y, s.x, filters);
    }
}

/* sums (+)= those of MR channels by NR filters over the tiles. */
static inline void multiply(global float *sums, const float *left, const line *right, int tiles, bool more)
{
    floatv acc[MR][2];
    tile_clear(acc);
    for (int t = 0; t < tiles; ++t) {
        const floatv b0 = right[t].v[0], b1 = right[t].v[1];
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const floatv v = left[t * WIDTH + r];
            acc[r][0] += v * b0;
            acc[r][1] += v * b1;
        }
    }
#pragma unroll
    for (int r = 0; r < MR; ++r, sums += NR) {
        if (more) {
            acc[r][0] += LOADV(sums);
            acc[r][1] += LOADV(sums + VW);
        }
        STOREV(acc[r][0], sums);
        STOREV(acc[r][1], sums + VW);
    }
}

/* What a work-item of `gradient` computes. */
ONCE void sum_products(global const float *in, global const float *dout, global const uchar *index, global float *parts, int n,
                       int tiles_of_chunk, int block, int chunk)
{
    float left[POINTS][STRIDE];
    line right[POINTS][PANEL_RUN * TILES];
    const int filter = block % RUNS * PANEL_RUN * NR, channel = block / RUNS * CHANNELS;
    const int filters = min(OUT_C - filter, PANEL_RUN * NR), channels = min(IN_C - channel, CHANNELS);
    const int first = chunk * tiles_of_chunk, last = min(first + tiles_of_chunk, n * TILES_H * TILES_W);
    const int times = (last - first + TILES - 1) / TILES, step = (last - first + times - 1) / times;

    in += channel;
    dout += filter;
    index += filter;
    parts += ((ulong)chunk * BLOCKS + block) * SUMS;
    for (int point = 0; point < POINTS; ++point) /* rows of the last register tile may have no channel */
        for (int i = 0; i < STRIDE; ++i) left[point][i] = 0;
    for (int from = first; from < last; from += step) {
        const int tiles = min(last - from, step);
        transform_tiles(left, right, in, dout, index, from, tiles, channels, filters);
        for (int point = 0; point < POINTS; ++point)
            for (int panel = 0; panel * NR < filters; ++panel)
                for (int row = 0; row < channels; row += MR)
                    multiply(parts + SUM_AT(point, panel, row), &left[point][row], right[point] + panel * TILES, tiles,
                             from > first);
    }
}

ALONE kernel void gradient(global const float *in, ulong in0, global const float *dout, ulong dout0, global const uchar *index, ulong index0,
                     global float *parts, ulong parts0, int n, int tiles_of_chunk)
{
    sum_products(in + in0, dout + dout0, index + index0, parts + parts0, n, tiles_of_chunk, get_global_id(0), get_global_id(1));
}

/* VW filters from f on of channel c: dw = Gt (the sum of the parts) G. */
ONCE void finish_some(global const float *parts, global float *dw, int chunks, int f, int c)
{
    const int panel = f / NR;
    floatv u[SIDE][SIDE], half_way[SIDE][3];
    for (int i = 0; i < SIDE; ++i)
        for (int j = 0; j < SIDE; ++j) u[i][j] = 0.0f;
    parts += (c / CHANNELS * RUNS + panel / PANEL_RUN) * SUMS + SUM_AT(0, panel % PANEL_RUN, c % CHANNELS) + f % NR;
    for (int chunk = 0; chunk < chunks; ++chunk, parts += BLOCKS * SUMS)
        for (int i = 0; i < SIDE; ++i)
#pragma unroll
            for (int j = 0; j < SIDE; ++j) u[i][j] += LOADV(parts + SUM_AT(i * SIDE + j, 0, 0));
    for (int i = 0; i < SIDE; ++i) to_weights(u[i], half_way[i]);
    for (int q = 0; q < 3; ++q) {
        floatv column[SIDE], g[3];
        for (int i = 0; i < SIDE; ++i) column[i] = half_way[i][q];
        to_weights(column, g);
        for (int p = 0; p < 3; ++p) store_some(g[p], dw + ((ulong)(p * 3 + q) * IN_C + c) * OUT_C + f, OUT_C - f);
    }
}

/* One work-item: VW filters of one channel. */
ALONE kernel void finish(global const float *parts, ulong parts0, global float *dw, ulong dw0, int chunks)
{
    const int f = get_global_id(0) * VW, c = get_global_id(1);
    if (f < OUT_C && c < IN_C) finish_some(parts + parts0, dw + dw0, chunks, f, c);
}
