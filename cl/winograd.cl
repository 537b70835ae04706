/* Convolution by kernels of 3 x 3 with stride 1, and its input gradient, by Winograd's transforms, channels last. Made for
 * CPUs.
 *
 * Both are out[n,i,j,:] = sum over p, q of in[n, i + START_H + p, j + START_W + q, :] * w[p, q, :, :], in being zero outside;
 * for the input gradient taps are reversed and w is transposed.
 *
 * w comes transformed, in the panels of winograd_panels.cl. `convolve`: one work-item computes TILES tiles of M x M outputs, consecutive
 * over the batch, by `panels` panels; items lie along (panels, tiles). It transforms the input of its tiles; then, for each panel, each
 * point is a matrix product of tiles x channels by channels x NR, and the sums are transformed back as they are stored.
 *   -D VW, MR, BIAS, ACTIVATION                as in tile.h;   -D M   as in winograd.h
 *   -D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C   extents of `in` and `out`
 *   -D START_H, START_W                        where tap 0 of output 0 lies
 *   -D TILES                                   of a work-item, a multiple of MR: their transforms should stay in the second cache, and where
 *                                              channels are few their products in the first
 *   -D REVERSED                                1: of the input gradient
 *   -D POOL_H, POOL_W                          as in winograd_pool.h, of `out`, or if REVERSED of `in`
 *   -D INDEX                                   of a pooled `out`: 1: with where the maxima were
 *   -D MOMENTS                                 1: those of `out`, if neither REVERSED nor pooled, a slice a row of work-items */
#include "alone.h"
#include "winograd.h"
#include "winograd_pool.h"
#include "moments.h"

#if !defined(IN_H) || !defined(IN_W) || !defined(IN_C) || !defined(OUT_H) || !defined(OUT_W) || !defined(OUT_C) \
    || !defined(START_H) || !defined(START_W) || !defined(TILES) || !defined(REVERSED) || !defined(INDEX) || !defined(MOMENTS)
#error "-D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C, START_H, START_W, TILES, REVERSED, INDEX and MOMENTS are needed"
#endif

#define DEPTH ((IN_C + VW - 1) / VW * VW)

/* Points lie STRIDE apart, not a multiple of a page, which would put all of them in the same sets of the cache. */
#define STRIDE (TILES * DEPTH + 16)

#if REVERSED
#define SEEN_H COVERED_H(IN_H)
#define SEEN_W COVERED_W(IN_W)
#define IN_IMAGE ((ulong)STORED_H(IN_H) * STORED_W(IN_W) * IN_C)
#else
#define SEEN_H IN_H
#define SEEN_W IN_W
#define IN_IMAGE ((ulong)IN_H * IN_W * IN_C)
#endif

/* Outputs of which one is stored, and what is stored. */
#if POOL_H && !REVERSED
#define WINDOW_H POOL_H
#define WINDOW_W POOL_W
#else
#define WINDOW_H 1
#define WINDOW_W 1
#endif
#define OUT_ROW ((ulong)(OUT_W / WINDOW_W) * OUT_C)
#define OUT_IMAGE (OUT_H / WINDOW_H * OUT_ROW)

static inline floatv load_in(global const float *in, global const uchar *index, int y, int x, int channels)
{
#if REVERSED
    return load_gradient(in, index, y, x, IN_W, IN_C, channels);
#else
    (void)index;
    in += ((ulong)y * IN_W + x) * IN_C;
    return IN_C % VW == 0 ? LOADV(in) : load_some(in, channels);
#endif
}

#include "winograd_tiles.h"

/* Tiles past the last are the last again, and are not stored. */
static inline void transform_tiles(float *to, global const float *in, global const uchar *index, int first, int n)
{
    for (int t = 0; t < TILES; ++t) {
        const struct spot s = spot_of(min(first + t, n * TILES_H * TILES_W - 1));
        transform(to + t * DEPTH, in + s.image * IN_IMAGE, index + s.image * IN_IMAGE, s.y + START_H, s.x + START_W, IN_C);
    }
}

/* MR tiles by NR channels at one point. */
static inline void multiply(line *sums, const float *left, global const float *right)
{
    floatv acc[MR][2];
    tile_clear(acc);
    for (int c = 0; c < IN_C; ++c) {
        const floatv b0 = LOADV(right + c * NR), b1 = LOADV(right + c * NR + VW);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const floatv v = left[r * DEPTH + c];
            acc[r][0] += v * b0;
            acc[r][1] += v * b1;
        }
    }
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        sums[r].v[0] = acc[r][0];
        sums[r].v[1] = acc[r][1];
    }
}

/* Where the first stored output of a tile lies. */
static inline ulong place_of(const struct spot *s)
{
    return s->image * OUT_IMAGE + s->y / WINDOW_H * OUT_ROW + (ulong)(s->x / WINDOW_W) * OUT_C;
}

/* Cache lines of a cell of a panel, those that the tiles are stored to, and how many of them are asked for at each point. */
#define CELL_LINES ((NR + CACHE_LINE - 1) / CACHE_LINE)
#define TILE_LINES ((M / WINDOW_H) * (M / WINDOW_W) * CELL_LINES)
#define POINT_LINES ((TILES * TILE_LINES + POINTS - 1) / POINTS)

/* Many channels drive out of the first cache what was asked for before it is stored to. */
#define ASKS (IN_C <= 128)

/* Asks for those of a point's turn. All are stored to after the products of all points, and would come too late then; all asked for at a
 * time would wait for each other. */
static inline void ask(global float *out, const ulong place[TILES], int point)
{
    const int first = point * POINT_LINES, last = min(first + POINT_LINES, TILES * TILE_LINES);
    for (int i = first; i < last; ++i) {
        const int cell = i % TILE_LINES / CELL_LINES, side = i % CELL_LINES * CACHE_LINE;
        PREFETCH_STORE(out + place[i / TILE_LINES] + cell / (M / WINDOW_W) * OUT_ROW + cell % (M / WINDOW_W) * OUT_C + side);
    }
}

#if POOL_H && !REVERSED
/* Maxima over windows of a row of them, the first ones of a window where there are several, as in max_pool2d.cl. */
static inline void store_row(floatv y[WINDOW_H][M], global float *out, global uchar *index, struct moments *moments, int row, int x,
                             int channels)
{
    (void)moments;
    if (row + POOL_H > OUT_H) return;
#pragma unroll
    for (int j = 0; j < M; j += POOL_W) {
        if (x + j + POOL_W > OUT_W) continue;
        floatv best = y[0][j];
        intv where = 0;
#pragma unroll
        for (int cell = 1; cell < POOL_H * POOL_W; ++cell) {
            const floatv v = y[cell / POOL_W][j + cell % POOL_W];
            take_cell(&best, &where, v, cell);
        }
        store_some(best, out + j / POOL_W * OUT_C, channels);
#if INDEX
        store_places(where, index + j / POOL_W * OUT_C, channels);
#endif
    }
}
#else
static inline void store_row(floatv y[WINDOW_H][M], global float *out, global uchar *index, struct moments *moments, int row, int x,
                             int channels)
{
    (void)index;
    if (row >= OUT_H) return;
#pragma unroll
    for (int j = 0; j < M; ++j) {
        if (x + j >= OUT_W) continue;
        store_some(y[0][j], out + j * OUT_C, channels);
        if (MOMENTS) moments_add(moments, y[0][j]);
    }
}
#endif

/* The tile's M x M outputs, as far as they lie in the image, to its place; with the first tile moments begin. */
static inline void transform_back(global float *out, global uchar *index, struct moments *moments, const line *sums, int side,
                                  const struct spot *s, bool begins, global const float *bias, int factor, int channels)
{
    floatv half_way[M][SIDE];
#pragma unroll
    for (int j = 0; j < SIDE; ++j) {
        floatv m[SIDE], y[M];
#pragma unroll
        for (int i = 0; i < SIDE; ++i) m[i] = sums[(i * SIDE + j) * TILES].v[side];
        to_output(m, y);
#pragma unroll
        for (int i = 0; i < M; ++i) half_way[i][j] = y[i];
    }
#pragma unroll
    for (int i = 0; i < M; i += WINDOW_H, out += OUT_ROW, index += OUT_ROW) {
        floatv y[WINDOW_H][M];
#pragma unroll
        for (int r = 0; r < WINDOW_H; ++r) {
            to_output(half_way[i + r], y[r]);
#pragma unroll
            for (int j = 0; j < M; ++j) y[r][j] = finished(y[r][j], bias, factor, channels);
        }
        if (MOMENTS && i == 0 && begins) moments_begin(moments, y[0][0]);
        store_row(y, out, index, moments, s->y + i, s->x, channels);
    }
}

/* How many outputs the tiles have in their images. */
static inline int outputs_of(int first, int last)
{
    int count = 0;
    for (int tile = first; tile < last; ++tile) {
        const struct spot s = spot_of(tile);
        count += min(M, OUT_H - s.y) * min(M, OUT_W - s.x);
    }
    return count;
}

/* What a work-item of `convolve` computes. */
ONCE void compute(global const float *in, global const float *packed, global float *out, global const float *bias, int factor,
                  global uchar *index, global float *part, int n, int panels, int column, int row)
{
    float left[POINTS * STRIDE];
    line sums[POINTS * TILES];
    ulong place[TILES];
    const int first = row * TILES, last = min(first + TILES, n * TILES_H * TILES_W);
    const int first_panel = column * panels, last_panel = min(first_panel + panels, PANELS);
    const int count = MOMENTS ? outputs_of(first, last) : 0;

    if (MOMENTS && column == 0) moments_count(part, OUT_C, (n * TILES_H * TILES_W + TILES - 1) / TILES, row, count);
    transform_tiles(left, in, index, first, n);
    for (int t = 0; t < TILES; ++t) {
        const struct spot s = spot_of(min(first + t, n * TILES_H * TILES_W - 1));
        place[t] = place_of(&s);
    }
    for (int panel = first_panel; panel < last_panel; ++panel) {
        global const float *lines = packed + (ulong)panel * POINTS * IN_C * NR;
        struct moments moments[2];
        for (int point = 0; point < POINTS; ++point) {
            if (ASKS) ask(out + panel * NR, place, point);
            for (int t = 0; t < last - first; t += MR)
                multiply(sums + point * TILES + t, left + point * STRIDE + t * DEPTH, lines + (ulong)point * IN_C * NR);
        }
        for (int t = 0; t < last - first; ++t) {
            const struct spot s = spot_of(first + t);
            for (int side = 0; side < 2; ++side) {
                const int channel = panel * NR + side * VW;
                if (channel < OUT_C)
                    transform_back(out + place[t] + channel, index + place[t] + channel, &moments[side], sums + t, side, &s, t == 0,
                                   bias + channel, factor, OUT_C - channel);
            }
        }
        for (int side = 0; MOMENTS && side < 2; ++side) {
            const int channel = panel * NR + side * VW;
            if (channel < OUT_C) moments_store(&moments[side], part + channel, OUT_C, row, count, OUT_C - channel);
        }
    }
}

ALONE kernel void convolve(global const float *in, ulong in0, global const float *packed, ulong packed0, global float *out,
                     ulong out0, global const float *bias, ulong bias0, int factor, global uchar *index, ulong index0, global float *part, ulong part0,
                     int n, int panels)
{
    compute(in + in0, packed + packed0, out + out0, bias + bias0, factor, index + index0, part + part0, n, panels, get_global_id(0),
            get_global_id(1));
}
