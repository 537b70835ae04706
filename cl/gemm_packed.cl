/* C (m, n) = f(op(A) op(B) factor + bias), or C += op(A) op(B); row-major, op(A) (m, k), op(B) (k, n). Made for CPUs, and for
 * products so large that each side is worth being copied to where and how it is read.
 *
 * `pack` brings B to panels of NR columns, padded with zeros: (panel, k, NR). One work-item copies DEPTH rows of RUN panels; items
 * lie along (panels, k).
 *
 * `gemm`: one work-item computes `tiles` * MR rows of C by `panels` * NR columns; items lie along (columns, rows). k is cut into
 * blocks of at most KC, `chunk` of which it takes at a time: it copies its part of A for those to strips of MR rows by a block,
 * which stay in the second cache, and goes through the panels. A block of a panel is in the first cache while all strips are
 * multiplied by it, each in one loop in registers; meanwhile the next one is asked for. An element's order of summation depends on
 * k and KC alone, and is that of gemm_tiled.cl.
 *   -D VW, MR, BIAS, ACTIVATION    as in tile.h
 *   -D KC                          longest block of k; a panel of KC * NR floats should stay in the first cache
 *   -D STRIPS                      largest tiles * chunk
 *   -D RUN, DEPTH
 *   -D TRANS_A, TRANS_B            1: A is stored (k, m), B (n, k)
 *   -D ACCUMULATE                  1: adds to C, without bias and activation */
#include "alone.h"
#include "tile.h"
#include "gemm.h"

#if !defined(KC) || !defined(STRIPS) || !defined(RUN) || !defined(DEPTH) || !defined(TRANS_A) || !defined(TRANS_B) || !defined(ACCUMULATE)
#error "-D KC, STRIPS, RUN, DEPTH, TRANS_A, TRANS_B and ACCUMULATE are needed"
#endif

/* Rows of a matrix that are asked for before they are copied. */
#define AHEAD 16

/* ---- B ------------------------------------------------------------------------------------------------------------ */

/* `depth` lines of a panel, of which `columns` or all are there. */
#if TRANS_B
/* Its loops are not unrolled: the compiler takes twice as long for it then, and the copy no less. */
static inline void pack_panel(global float *panel, global const float *b, int n, int k, int columns, int depth)
{
    int l = 0;
    if (columns >= NR)
        for (; l + VW <= depth; l += VW)
#pragma unroll 1
            for (int side = 0; side < NR; side += VW) {
                floatv t[VW];
#pragma unroll
                for (int j = 0; j < VW; ++j) {
                    t[j] = LOADV(b + (ulong)(side + j) * k + l);
                    PREFETCH(b + (ulong)(side + j) * k + l + 4 * VW);
                }
                transpose(t);
#pragma unroll
                for (int j = 0; j < VW; ++j) STOREV(t[j], panel + (l + j) * NR + side);
            }
    for (; l < depth; ++l)
#pragma unroll 1
        for (int j = 0; j < NR; ++j) panel[l * NR + j] = j < columns ? b[(ulong)j * k + l] : 0;
}
#else
static inline void pack_panel(global float *panel, global const float *b, int n, int k, int columns, int depth)
{
    if (columns < NR)
        for (int l = 0; l < depth; ++l)
            for (int j = 0; j < NR; ++j) panel[l * NR + j] = j < columns ? b[(ulong)l * n + j] : 0;
    else
        for (int l = 0; l < depth; ++l) {
            STOREV(LOADV(b + (ulong)l * n), panel + l * NR);
            STOREV(LOADV(b + (ulong)l * n + VW), panel + l * NR + VW);
        }
}
#endif

ALONE kernel void pack(global const float *b, ulong b0, global float *packed, ulong packed0, int n, int k)
{
    const int first = get_global_id(0) * RUN, last = min((n + NR - 1) / NR, first + RUN);
    const int begin = get_global_id(1) * DEPTH, end = min(k, begin + DEPTH), step = TRANS_B ? DEPTH : 1;
    b += b0;
    packed += packed0;
    for (int l = begin; l < end; l += step) {
#if !TRANS_B
        if (l + AHEAD < end)
            for (int j = first * NR; j < min(last * NR, n); j += CACHE_LINE) PREFETCH(b + (ulong)(l + AHEAD) * n + j);
#endif
        for (int p = first; p < last; ++p)
            pack_panel(packed + ((ulong)p * k + l) * NR, TRANS_B ? b + (ulong)p * NR * k + l : b + (ulong)l * n + p * NR, n, k,
                       n - p * NR, min(end - l, step));
    }
}

/* ---- A, and the product of a strip and a panel ------------------------------------------------------------------------ */

#if TRANS_A
/* A strip is MR columns of A beside each other, row after row; strips lie no whole page apart, which would put all of them in the
 * same sets of the cache. */
#define STRIP (KC * MR + 16)
#define STRIP_AT(r, l) ((l) * MR + (r))

/* The strips of one block, which lie `chunk` apart. */
static inline void pack_left(float left[STRIPS][STRIP], int chunk, global const float *a, int m, int k, int rows, int depth, int step)
{
    for (int l = 0, s = 0, in = 0; l < depth; ++l, ++in) {
        if (in == step) {
            in = 0;
            ++s;
        }
        global const float *from = a + (ulong)l * m;
        if (l + AHEAD < depth)
            for (int r = 0; r < rows; r += CACHE_LINE) PREFETCH(from + (ulong)AHEAD * m + r);
        int t = 0;
        for (; (t + 1) * MR <= rows; ++t, from += MR)
#if MR == 8
            vstore8(vload8(0, from), 0, &left[t * chunk + s][in * MR]);
#else
#pragma unroll
            for (int r = 0; r < MR; r += 2) vstore2(vload2(0, from + r), 0, &left[t * chunk + s][in * MR + r]);
#endif
        if (t * MR < rows)
            for (int r = 0; r < MR; ++r) left[t * chunk + s][in * MR + r] = t * MR + r < rows ? from[r] : 0;
    }
}
#else
/* A strip is MR rows of A, which lie no whole page apart either. */
#define ROW (KC + 16)
#define STRIP (MR * ROW)
#define STRIP_AT(r, l) ((r) * ROW + (l))

/* Row by row; rows past the last are the last one again. */
static inline void pack_left(float left[STRIPS][STRIP], int chunk, global const float *a, int m, int k, int rows, int depth, int step)
{
    for (int r = 0; r < (rows + MR - 1) / MR * MR; ++r) {
        global const float *from = a + (ulong)min(r, rows - 1) * k;
        for (int first = 0, s = 0; first < depth; first += step, ++s) {
            const int some = min(step, depth - first);
            float *to = &left[r / MR * chunk + s][r % MR * ROW];
            int l = 0;
            for (; l + VW <= some; l += VW) STOREV(LOADV(from + first + l), to + l);
            for (; l < some; ++l) to[l] = from[first + l];
        }
    }
}
#endif

/* `next` is asked for, `pace` floats a product, for a burst would wait for itself. */
static inline void multiply(floatv acc[MR][2], const float *strip, global const float *panel, int depth, global const float *next, int pace)
{
    for (int l = 0; l < depth; ++l) {
        const floatv b0 = LOADV(panel + l * NR), b1 = LOADV(panel + l * NR + VW);
        PREFETCH_FAR(next + l * pace);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const floatv v = strip[STRIP_AT(r, l)];
            acc[r][0] += v * b0;
            acc[r][1] += v * b1;
        }
    }
}

/* What a work-item of `gemm` computes. */
ONCE void compute(global const float *a, global const float *packed, global float *c, global const float *bias, int factor, int m, int n, int k,
                  int tiles, int panels, int chunk, int column, int row)
{
    float left[STRIPS][STRIP];
    const int i0 = row * tiles * MR, j0 = column * panels * NR;
    const int rows = min(m - i0, tiles * MR), last_column = min(n, j0 + panels * NR), strips = (rows + MR - 1) / MR;
    const int blocks = (k + KC - 1) / KC, step = (k + blocks - 1) / blocks;
    const int pace = (NR + strips - 1) / strips;

    c += (ulong)i0 * n;
    for (int first = 0; first < k; first += chunk * step) {
        const int last = min(k, first + chunk * step);
        pack_left(left, chunk, TRANS_A ? a + (ulong)first * m + i0 : a + (ulong)i0 * k + first, m, k, rows, last - first, step);
        for (int j = j0; j < last_column; j += NR)
            for (int l = first, s = 0; l < last; l += step, ++s) {
                const int depth = min(step, last - l);
                global const float *panel = packed + ((ulong)j / NR * k + l) * NR;
                global const float *next = l + step < last ? panel + depth * NR : panel + (ulong)(k + first - l) * NR;
                for (int i = 0; i < rows; i += MR, next += depth * pace) {
                    floatv acc[MR][2];
                    if (s == 0)
                        for (int r = 0; r < min(MR, rows - i); ++r)
                            for (int side = 0; side < NR; side += CACHE_LINE) PREFETCH(c + (ulong)(i + r) * n + j + side);
                    tile_clear(acc);
                    multiply(acc, left[i / MR * chunk + s], panel, depth, next, pace);
                    store(acc, c + (ulong)i * n + j, n, rows - i, n - j, ACCUMULATE || l > 0, l + depth == k, bias + j, factor);
                }
            }
    }
}

ALONE kernel void gemm(global const float *a, ulong a0, global const float *packed, ulong packed0, global float *c, ulong c0,
                 global const float *bias, ulong bias0, int factor, int m, int n, int k, int tiles, int panels, int chunk)
{
    compute(a + a0, packed + packed0, c + c0, bias + bias0, factor, m, n, k, tiles, panels, chunk, get_global_id(0), get_global_id(1));
}
