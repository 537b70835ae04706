/* The gather of conv_tiled.h. One work-item computes `tiles` * MR pixels, consecutive over the batch, by NR channels, in blocks of
 * BLOCK_TAPS taps; items lie along (panels of all groups, pixels, phases).
 *   -D BLOCK_TAPS   taps of a block; its part of a panel should stay in the first cache */
#include "conv_tiled.h"

#ifndef BLOCK_TAPS
#error "-D BLOCK_TAPS is needed"
#endif

/* Whether some tap of some pixel lies outside `in`. */
#define BORDER                                                                                                        \
    (PHASES_H > 1 || PHASES_W > 1 || START_H < 0 || START_W < 0                                                       \
     || (OUT_H - 1) * STRIDE_H + START_H + (KH - 1) * DILATION_H >= IN_H                                              \
     || (OUT_W - 1) * STRIDE_W + START_W + (KW - 1) * DILATION_W >= IN_W)

/* A row of taps is one stretch of memory. */
#define WHOLE_ROWS (GROUPS == 1 && DILATION_W == 1 && BLOCK_TAPS % KW == 0)

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
