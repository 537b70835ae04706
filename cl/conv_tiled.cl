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
 *   -D VW, NV, MR, BIAS, ACTIVATION              as in tile.h
 *   -D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C     extents of `in` and `out`; channels of all groups
 *   -D KH, KW, GROUPS, STRIDE_H, STRIDE_W, START_H, START_W, DILATION_H, DILATION_W, PHASES_H, PHASES_W
 *   -D BLOCK_TAPS                                taps of a block; its part of a panel should stay in the first cache
 *   -D REVERSED                                  1: pack reverses taps and transposes (input gradient)
 *
 * `gather_near` is the same for outputs of at most FEW_TERMS terms and no phases: one work-item computes all channels of a block of at
 * most PIXELS pixels of one image, and first copies what they see, at most MOST_NEAR floats.
 *   -D MOMENTS                                   1: gives those of `out` too, of a block each
 *
 * `gradient`, with the -D of the convolution, is the gradient of w, the matrix of rows (p, q, c) by filters
 * transposed(patches of in) * dout. One work-item computes SPAN_TILES * MR rows by PANEL_RUN panels for a chunk of
 * the pixels, a block of at most PIXELS at a time: it copies the patches and the filters of the block to private
 * memory, which its tiles then read; or only what the block sees, where that is little. Each chunk has a sum of its own;
 * `sum_parts` adds them in order. Chunks begin anew with each grain of images, if there are any.
 *   -D PIXELS, MOST_NEAR, FEW_TERMS, SPAN_TILES, PANEL_RUN */
#include "alone.h"
#include "tile.h"
#include "moments.h"

#if !defined(IN_H) || !defined(IN_W) || !defined(IN_C) || !defined(OUT_H) || !defined(OUT_W) || !defined(OUT_C)
#error "-D IN_H, IN_W, IN_C, OUT_H, OUT_W and OUT_C are needed"
#endif
#if !defined(KH) || !defined(KW) || !defined(GROUPS) || !defined(STRIDE_H) || !defined(STRIDE_W) || !defined(START_H) \
    || !defined(START_W) || !defined(DILATION_H) || !defined(DILATION_W) || !defined(PHASES_H) || !defined(PHASES_W)
#error "-D KH, KW, GROUPS, STRIDE_H, STRIDE_W, START_H, START_W, DILATION_H, DILATION_W, PHASES_H, PHASES_W are needed"
#endif
#if !defined(BLOCK_TAPS) || !defined(REVERSED) || !defined(MOMENTS)
#error "-D BLOCK_TAPS, REVERSED and MOMENTS are needed"
#endif

#if !defined(PIXELS) || !defined(SPAN_TILES) || !defined(PANEL_RUN) || !defined(MOST_NEAR) || !defined(FEW_TERMS)
#error "-D PIXELS, SPAN_TILES, PANEL_RUN, MOST_NEAR and FEW_TERMS are needed"
#endif

/* Channels of one group, and panels of one group. */
#define IN_G (IN_C / GROUPS)
#define OUT_G (OUT_C / GROUPS)
#define PANELS ((OUT_G + NR - 1) / NR)
/* How many columns of a tile there are: all, which leaves the compiler less to do, or so many. */
#define COLUMNS(left) (OUT_G % NR == 0 ? NR : (left))
#define ZEROS ((IN_G + NR - 1) / NR * NR)

/* Whether some tap of some pixel lies outside `in`. */
#define BORDER                                                                                                        \
    (PHASES_H > 1 || PHASES_W > 1 || START_H < 0 || START_W < 0                                                       \
     || (OUT_H - 1) * STRIDE_H + START_H + (KH - 1) * DILATION_H >= IN_H                                              \
     || (OUT_W - 1) * STRIDE_W + START_W + (KW - 1) * DILATION_W >= IN_W)

/* A row of taps is one stretch of memory. */
#define WHOLE_ROWS (GROUPS == 1 && DILATION_W == 1 && BLOCK_TAPS % KW == 0)

/* One work-item: NR of the zeros, or one line of the panels; items past the last do nothing. */
ALONE kernel void pack(global const float *w, ulong w0, global float *packed, ulong packed0, int items)
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

/* Whether the next panel is worth being asked for while this one is in use: shorter ones come fast enough. */
#define LONG_PANELS (KH * KW * IN_G * NR >= 4096)

/* acc += the `length` floats at each row times the lines of w. `next` is asked for, `pace` floats a line, for a burst would wait for
 * itself. */
static inline void multiply(floatv acc[MR][NV], global const float *row[MR], global const float *w, int length, global const float *next,
                            int pace)
{
    for (int l = 0; l < length; ++l) {
        floatv b[NV];
        line_load(b, w + l * NR);
        if (LONG_PANELS) PREFETCH_FAR(next + l * pace);
#pragma unroll
        for (int r = 0; r < MR; ++r) tile_row_add(acc[r], row[r][l], b);
    }
}

/* A tile whose taps all lie inside: rows differ by one offset only. */
static inline void inside(floatv acc[MR][NV], const struct pixels *at, global const float *in, global const float *w,
                          int first, int last, global const float *next, int pace)
{
    for (int tap = first; tap < last; tap += WHOLE_ROWS ? KW : 1) {
        const long shift = ((long)(tap / KW) * DILATION_H * IN_W + tap % KW * DILATION_W) * IN_C;
        global const float *row[MR];
#pragma unroll
        for (int r = 0; r < MR; ++r) row[r] = in + at->from[r] + shift;
        multiply(acc, row, w + (ulong)tap * IN_G * NR, (WHOLE_ROWS ? KW : 1) * IN_G, next + (tap - first) * IN_G * pace, pace);
    }
}

/* A tile at a border, or of a phase. Pixels outside read zeros; a tap that is outside for all rows is skipped. */
static inline void border(floatv acc[MR][NV], const struct pixels *at, global const float *in,
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
        if (any) multiply(acc, row, w + (ulong)tap * IN_G * NR, IN_G, w, 0);
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

/* What a work-item of `gather` computes. */
ONCE void compute(global const float *in, global const float *packed, global float *out, global const float *bias, int factor, int n, int tiles,
                  int panels, int column, int row, int phase)
{
    const int runs = (PANELS + panels - 1) / panels;
    const int g = column / runs;
    const int first_panel = column % runs * panels, last_panel = min(first_panel + panels, PANELS);
    const int phase_y = phase / PHASES_W, phase_x = phase % PHASES_W;
    const int count = n * ((OUT_H - phase_y + PHASES_H - 1) / PHASES_H) * ((OUT_W - phase_x + PHASES_W - 1) / PHASES_W);
    const int first = row * tiles * MR, last = min(count, first + tiles * MR);
    const int pace = (NR * MR + last - first - 1) / max(last - first, 1);
    global const float *zeros = packed, *w = zeros + ZEROS + (ulong)g * PANELS * KH * KW * IN_G * NR;

    in += g * IN_G;
    for (int tap = 0; tap < KH * KW; tap += BLOCK_TAPS) {
        const int end = min(tap + BLOCK_TAPS, KH * KW);
        for (int pixel = first; pixel < last; pixel += MR) {
            struct pixels at;
            locate(&at, pixel, n, phase_y, phase_x);
            const bool all_inside = !BORDER || (PHASES_H * PHASES_W == 1 && is_inside(&at));
            for (int panel = first_panel; panel < last_panel; ++panel) {
                global const float *lines = w + (ulong)panel * KH * KW * IN_G * NR;
                const int channel = g * OUT_G + panel * NR;
                floatv acc[MR][NV];
                tile_clear(acc);
                if (all_inside)
                    inside(acc, &at, in, lines, tap, end,
                           lines + ((ulong)panels * KH * KW + tap) * IN_G * NR + (pixel - first) / MR * (end - tap) * IN_G * pace, pace);
                else
                    border(acc, &at, in, zeros, lines, tap, end, phase_y, phase_x);
                tile_store(acc, out + channel, at.to, last - pixel, COLUMNS(OUT_G - panel * NR), tap > 0,
                           end == KH * KW, bias + channel, factor);
            }
        }
    }
}

ALONE kernel void gather(global const float *in, ulong in0, global const float *packed, ulong packed0, global float *out,
                   ulong out0, global const float *bias, ulong bias0, int factor, int n, int tiles, int panels)
{
    compute(in + in0, packed + packed0, out + out0, bias + bias0, factor, n, tiles, panels, get_global_id(0), get_global_id(1),
            get_global_id(2));
}

#if !REVERSED
/* ---- few channels -------------------------------------------------------------------------------------------------- */

/* A block is BLOCK_H rows of pixels by BLOCK_W of one image, at most PIXELS. */
#define BLOCK_W (OUT_W < PIXELS ? OUT_W : PIXELS)
#define BLOCK_H (PIXELS / BLOCK_W < OUT_H ? PIXELS / BLOCK_W : OUT_H)
#define BLOCKS_X ((OUT_W + BLOCK_W - 1) / BLOCK_W)
#define BLOCKS_Y ((OUT_H + BLOCK_H - 1) / BLOCK_H)

/* Of a block; by a constant, where it is one, one divides faster. */
#define WIDTH(b) (OUT_W % BLOCK_W == 0 ? BLOCK_W : (b).width)

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

/* What the taps of a block see, a line for each row of the image, zeros outside: little where there are few channels. */
#define LINE (((BLOCK_W - 1) * STRIDE_W + (KW - 1) * DILATION_W + 1) * IN_G)
#define LINES ((BLOCK_H - 1) * STRIDE_H + (KH - 1) * DILATION_H + 1)
#define NEAR (GROUPS == 1 && LINE * LINES <= MOST_NEAR)

#if NEAR
static inline void copy_near(float near[LINE * LINES], global const float *in, const struct block *b)
{
    const int x = b->j * STRIDE_W + START_W;
    const int begin = max(0, -x) * IN_C, end = max(begin, min(LINE, (IN_W - x) * IN_C));
    for (int l = 0; l < LINES; ++l, near += LINE) {
        const int y = b->i * STRIDE_H + START_H + l;
        const bool inside = y >= 0 && y < IN_H;
        global const float *from = in + (((long)b->image * IN_H + y) * IN_W + x) * IN_C;
        for (int i = 0; i < (inside ? begin : LINE); ++i) near[i] = 0;
        for (int i = begin; i < end && inside; ++i) near[i] = from[i];
        for (int i = end; i < LINE && inside; ++i) near[i] = 0;
    }
}
#endif

/* Its loop over the terms of an output is unrolled, which compilers take minutes for where they are many. */
#if NEAR && KH * KW * IN_C <= FEW_TERMS
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

/* What a work-item of `gather_near` computes. */
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

/* As `gather`; one work-item computes a block. */
ALONE kernel void gather_near(global const float *in, ulong in0, global const float *packed, ulong packed0, global float *out,
                        ulong out0, global const float *bias, ulong bias0, int factor, global float *part, ulong part0, int n)
{
    if (get_global_id(0) < n * BLOCKS_X * BLOCKS_Y)
        compute_block(in + in0, packed + packed0, out + out0, bias + bias0, factor, part + part0, n * BLOCKS_X * BLOCKS_Y,
                      get_global_id(0));
}
#endif

/* ---- the gradient of w ------------------------------------------------------------------------------------------- */

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

/* dw = the sum of its parts, first to last. One work-item an element; items past the last do nothing. */
ALONE kernel void sum_parts(global const float *parts, ulong parts0, global float *dw, ulong dw0, int chunks)
{
    const size_t i = get_global_id(0), count = (size_t)ROWS * OUT_C;
    if (i >= count) return;
    float sum = 0;
    for (int chunk = 0; chunk < chunks; ++chunk) sum += parts[parts0 + chunk * count + i];
    dw[dw0 + i] = sum;
}
#endif
