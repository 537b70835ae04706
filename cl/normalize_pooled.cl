/* Batch normalization along the last axis of (n, HEIGHT, WIDTH, CHANNELS) that is pooled as it is computed: normalize.cl with
 * NORMALIZE_BATCH, where y is maxima over windows beside each other, with where in its window each was, and dy their gradient. That of a
 * cell is its window's, or 0 where the index names another one; cells behind the last whole window have none.
 *
 *   -D VW                       see vector.h: channels that a work-item takes, a divisor of CHANNELS; dimension 0
 *   -D GAMMA, BETA, ACTIVATION  as in normalize.cl; backward is of what the activation was given
 *   -D HEIGHT, WIDTH, CHANNELS, POOL_H, POOL_W
 *   -D INDEX                    1: apply stores where the maxima were */
#include "alone.h"
#include "vector.h"
#include "places.h"
#include "activation.h"

#if !defined(GAMMA) || !defined(BETA) || !defined(HEIGHT) || !defined(WIDTH) || !defined(CHANNELS) || !defined(POOL_H) \
    || !defined(POOL_W) || !defined(INDEX)
#error "-D GAMMA, BETA, HEIGHT, WIDTH, CHANNELS, POOL_H, POOL_W and INDEX are needed"
#endif

/* Windows, and rows of blocks of that size that cover all cells. */
#define WINDOWS_H (HEIGHT / POOL_H)
#define WINDOWS_W (WIDTH / POOL_W)
#define BLOCKS_H ((HEIGHT + POOL_H - 1) / POOL_H)

#if GAMMA
#define GAMMA_OF(g) LOADV(gamma + gamma0 + (g))
#else
#define GAMMA_OF(g) 1.0f
#endif
#if BETA
#define BETA_OF(g) LOADV(beta + beta0 + (g))
#else
#define BETA_OF(g) 0.0f
#endif

/* Cell 0 of window (i, j) of an image of x, and the window among all of y. */
static inline ulong cell_at(uint image, uint i, uint j)
{
    return (((ulong)image * HEIGHT + i * POOL_H) * WIDTH + j * POOL_W) * CHANNELS;
}

static inline ulong window_at(uint image, uint i, uint j)
{
    return (((ulong)image * WINDOWS_H + i) * WINDOWS_W + j) * CHANNELS;
}

/* A cell of a window, from its cell 0 on. */
#define CELL(p, q) (((ulong)(p) * WIDTH + (q)) * CHANNELS)

/* Maxima as in max_pool2d.cl. Dimension 1 are rows of windows of all images. */
ALONE kernel void apply(global const float *x, ulong x0, global const float *mean, ulong mean0, global const float *variance, ulong variance0,
                  global const float *gamma, ulong gamma0, global const float *beta, ulong beta0, global float *y, ulong y0,
                  global uchar *index, ulong index0, float epsilon, uint rows)
{
    const uint g = get_global_id(0) * VW, row = get_global_id(1);
    if (g >= CHANNELS || row >= rows) return;
    const floatv m = LOADV(mean + mean0 + g), r = 1.0f / sqrt(LOADV(variance + variance0 + g) + epsilon);
    const floatv scale = r * GAMMA_OF(g), shift = BETA_OF(g);
    for (uint j = 0; j < WINDOWS_W; j++) {
        global const float *from = x + x0 + g + cell_at(row / WINDOWS_H, row % WINDOWS_H, j);
        const ulong to = g + window_at(row / WINDOWS_H, row % WINDOWS_H, j);
        floatv best = ACTIVATE((LOADV(from) - m) * scale + shift);
        intv where = 0;
        for (int cell = 1; cell < POOL_H * POOL_W; cell++) {
            const floatv v = ACTIVATE((LOADV(from + CELL(cell / POOL_W, cell % POOL_W)) - m) * scale + shift);
            take_cell(&best, &where, v, cell);
        }
        STOREV(best, y + y0 + to);
#if INDEX
        STOREB(where, index + index0 + to);
#endif
    }
}

/* part[s, 0, g] = sum of d and part[s, 1, g] = sum of d h over slice s of `slice` rows of windows: only the cells that were picked
 * have a d. Dimension 1 are slices. */
ALONE kernel void gradient_sums(global const float *x, ulong x0, global const float *dy, ulong dy0, global const uchar *index, ulong index0,
                          global const float *mean, ulong mean0, global const float *variance, ulong variance0, global float *part,
                          ulong part0, float epsilon, uint rows, uint slice)
{
    const uint g = get_global_id(0) * VW, s = get_global_id(1);
    const uint first = s * slice, last = min(rows, first + slice);
    if (g >= CHANNELS || first >= last) return;
    const floatv m = LOADV(mean + mean0 + g), r = 1.0f / sqrt(LOADV(variance + variance0 + g) + epsilon);
    floatv plain = 0.0f, along = 0.0f;
    for (uint row = first; row < last; row++)
        for (uint j = 0; j < WINDOWS_W; j++) {
            global const float *from = x + x0 + g + cell_at(row / WINDOWS_H, row % WINDOWS_H, j);
            const ulong at = g + window_at(row / WINDOWS_H, row % WINDOWS_H, j);
            const floatv d = LOADV(dy + dy0 + at);
            const intv where = LOADB(index + index0 + at);
            floatv v = LOADV(from);
            for (int cell = 1; cell < POOL_H * POOL_W; cell++)
                v = where == cell ? LOADV(from + CELL(cell / POOL_W, cell % POOL_W)) : v;
            plain += d;
            along += d * ((v - m) * r);
        }
    part += part0 + (ulong)s * 2 * CHANNELS + g;
    STOREV(plain, part);
    STOREV(along, part + CHANNELS);
}

/* As in normalize.cl, of all cells. Dimension 1 are rows of blocks of all images. */
ALONE kernel void input_gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global const uchar *index, ulong index0,
                           global const float *mean, ulong mean0, global const float *variance, ulong variance0,
                           global const float *gamma, ulong gamma0, global const float *sums, ulong sums0, global float *dx, ulong dx0,
                           float epsilon, int constant_stats, float size, uint rows)
{
    const uint g = get_global_id(0) * VW, row = get_global_id(1);
    if (g >= CHANNELS || row >= rows) return;
    const uint image = row / BLOCKS_H, i = row % BLOCKS_H;
    const floatv m = LOADV(mean + mean0 + g), r = 1.0f / sqrt(LOADV(variance + variance0 + g) + epsilon), scale = r * GAMMA_OF(g);
    floatv plain = 0.0f, along = 0.0f;
    if (!constant_stats) {
        plain = LOADV(sums + sums0 + g) / size;
        along = LOADV(sums + sums0 + CHANNELS + g) / size * r;
    }
    for (uint j = 0; j * POOL_W < WIDTH; j++) {
        const bool whole = i < WINDOWS_H && j < WINDOWS_W;
        const ulong at = whole ? g + window_at(image, i, j) : g, begin = g + cell_at(image, i, j);
        const floatv d = whole ? LOADV(dy + dy0 + at) : (floatv)(0.0f);
        const intv where = whole ? LOADB(index + index0 + at) : (intv)(0);
        for (int p = 0; p < POOL_H && i * POOL_H + p < HEIGHT; p++)
            for (int q = 0; q < POOL_W && j * POOL_W + q < WIDTH; q++) {
                const ulong cell = begin + CELL(p, q);
                const floatv own = where == p * POOL_W + q ? d : (floatv)(0.0f);
                STOREV(scale * (own - plain - (LOADV(x + x0 + cell) - m) * along), dx + dx0 + cell);
            }
    }
}
