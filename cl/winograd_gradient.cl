/* The kernel gradient of a convolution of 3 x 3 with stride 1 by Winograd's transforms, channels last. Made for CPUs.
 *
 *   dw[:, :, c, f] = Gt [sum over tiles of (Bt d B)[c] . (A dy At)[f]] G,
 * at each point a matrix product of channels x tiles by tiles x filters.
 *
 * `gradient`: one work-item computes all points for CHANNELS channels by PANEL_RUN panels of filters, over a chunk of the
 * tiles, TILES at a time; items lie along (channels and panels, chunks). Its sums, and the transforms of TILES tiles, should
 * stay in the second cache. Each chunk has sums of its own, parts (chunk, point, c, f); `finish` adds them in order and
 * transforms them back.
 *   -D VW, MR                                  as in tile.h;   -D M   as in winograd.h
 *   -D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C   extents of x and dy
 *   -D START_H, START_W                        where tap 0 of output 0 lies
 *   -D TILES, CHANNELS, PANEL_RUN              CHANNELS is a multiple of MR or all of them */
#include "winograd.h"

#if !defined(IN_H) || !defined(IN_W) || !defined(IN_C) || !defined(OUT_H) || !defined(OUT_W) || !defined(OUT_C) \
    || !defined(START_H) || !defined(START_W) || !defined(TILES) || !defined(CHANNELS) || !defined(PANEL_RUN)
#error "-D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C, START_H, START_W, TILES, CHANNELS and PANEL_RUN are needed"
#endif

/* Channels of a work-item and room for them: whole vectors, and whole rows of a register tile. */
#define DEPTH ((CHANNELS + VW - 1) / VW * VW)
#define WIDTH (DEPTH + MR)

/* Points lie STRIDE apart, not a multiple of a page, which would put all of them in the same sets of the cache. */
#define STRIDE (TILES * WIDTH + 16)

#define LOAD_IN(from, channels) (IN_C % VW == 0 && CHANNELS % VW == 0 ? LOADV(from) : load_some(from, channels))
#include "winograd_tiles.h"

#define LOAD_OUT(from, filters) (OUT_C % VW == 0 ? LOADV(from) : load_some(from, filters))

static inline void transform_out(line right[POINTS][PANEL_RUN * TILES], int at, int side, global const float *dout, int y,
                                 int x, int filters)
{
    floatv half_way[SIDE][M];
    const bool inside = y + M <= OUT_H && x + M <= OUT_W;
#pragma unroll
    for (int j = 0; j < M; ++j) {
        floatv d[M], z[SIDE];
#pragma unroll
        for (int i = 0; i < M; ++i) {
            const bool in_range = inside || (y + i < OUT_H && x + j < OUT_W);
            global const float *from = dout + ((long)(y + i) * OUT_W + x + j) * OUT_C;
            d[i] = 0.0f;
            if (in_range) d[i] = LOAD_OUT(from, filters);
        }
        of_gradient(d, z);
#pragma unroll
        for (int i = 0; i < SIDE; ++i) half_way[i][j] = z[i];
    }
#pragma unroll
    for (int i = 0; i < SIDE; ++i) {
        floatv z[SIDE];
        of_gradient(half_way[i], z);
#pragma unroll
        for (int j = 0; j < SIDE; ++j) right[i * SIDE + j][at].v[side] = z[j];
    }
}

/* Tiles first .. first + tiles. `in` and `dout` are at the work-item's channels and filters. */
static inline void transform_tiles(float left[POINTS][STRIDE], line right[POINTS][PANEL_RUN * TILES], global const float *in,
                                   global const float *dout, int first, int tiles, int channels, int filters)
{
    for (int t = 0; t < tiles; ++t) {
        const struct spot s = spot_of(first + t);
        global const float *of_image = in + (ulong)s.image * IN_H * IN_W * IN_C;
        global const float *gradients = dout + (ulong)s.image * OUT_H * OUT_W * OUT_C;
        for (int c = 0; c < channels; c += VW)
            transform(&left[0][t * WIDTH + c], of_image + c, s.y + START_H, s.x + START_W, channels - c);
        for (int f = 0; f < filters; f += VW)
            transform_out(right, f / NR * TILES + t, f / VW % 2, gradients + f, s.y, s.x, filters - f);
    }
}

/* parts[c, f] (+)= the sum over tiles of MR channels by NR filters. */
static inline void multiply(global float *to, const float *left, const line *right, int tiles, int rows, int columns,
                            bool more)
{
    floatv acc[MR][2];
    ulong at[MR];
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
    for (int r = 0; r < MR; ++r) at[r] = (ulong)r * OUT_C;
    tile_store(acc, to, at, rows, columns, more, false, 0, 0);
}

kernel void gradient(global const float *in, ulong in0, global const float *dout, ulong dout0, global float *parts,
                     ulong parts0, int n, int tiles_of_chunk)
{
    float left[POINTS][STRIDE];
    line right[POINTS][PANEL_RUN * TILES];
    const int runs = (PANELS + PANEL_RUN - 1) / PANEL_RUN;
    const int filter = get_global_id(0) % runs * PANEL_RUN * NR, channel = get_global_id(0) / runs * CHANNELS;
    const int filters = min(OUT_C - filter, PANEL_RUN * NR), channels = min(IN_C - channel, CHANNELS);
    const int first = get_global_id(1) * tiles_of_chunk, last = min(first + tiles_of_chunk, n * TILES_H * TILES_W);

    in += in0 + channel;
    dout += dout0 + filter;
    parts += parts0 + (get_global_id(1) * POINTS * IN_C + channel) * OUT_C + filter;
    for (int from = first; from < last; from += TILES) {
        const int tiles = min(last - from, TILES);
        transform_tiles(left, right, in, dout, from, tiles, channels, filters);
        for (int point = 0; point < POINTS; ++point)
            for (int f = 0; f < filters; f += NR)
                for (int c = 0; c < channels; c += MR)
                    multiply(parts + ((ulong)point * IN_C + c) * OUT_C + f, &left[point][c], right[point] + f / NR * TILES,
                             tiles, channels - c, filters - f, from > first);
    }
}

/* dw = Gt (the sum of the parts) G. One work-item: VW filters of one channel. */
kernel void finish(global const float *parts, ulong parts0, global float *dw, ulong dw0, int chunks)
{
    const int f = get_global_id(0) * VW, c = get_global_id(1);
    if (f >= OUT_C || c >= IN_C) return;
    floatv half_way[3][SIDE];
    parts += parts0 + (ulong)c * OUT_C + f;
    for (int j = 0; j < SIDE; ++j) {
        floatv u[SIDE], g[3];
        for (int i = 0; i < SIDE; ++i) {
            u[i] = 0.0f;
            for (int chunk = 0; chunk < chunks; ++chunk)
                u[i] += load_some(parts + ((ulong)chunk * POINTS + i * SIDE + j) * IN_C * OUT_C, OUT_C - f);
        }
        to_weights(u, g);
        for (int p = 0; p < 3; ++p) half_way[p][j] = g[p];
    }
    for (int p = 0; p < 3; ++p) {
        floatv g[3];
        to_weights(half_way[p], g);
        for (int q = 0; q < 3; ++q) {
            line some;
            some.v[0] = g[q];
            for (int i = 0; i < min(VW, OUT_C - f); ++i) dw[dw0 + ((ulong)(p * 3 + q) * IN_C + c) * OUT_C + f + i] = some.f[i];
        }
    }
}
