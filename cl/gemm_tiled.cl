/* C (m, n) = f(op(A) op(B) factor + bias), or C += op(A) op(B); row-major, op(A) (m, k), op(B) (k, n). Made for CPUs.
 *
 * One work-item computes `tiles` * MR rows of C by `panels` * NR columns; items lie along (columns, rows). It takes k in
 * blocks of at most KC. Of each block it copies its part of B to panels that are read front to back, padded with
 * zeros, and A too where transposition scatters it; then every tile of C is one loop over the block, in registers.
 * Of a transposed B, whose columns lie apart, it copies one panel at a time, and asks for the next one meanwhile.
 * Items lie along parts of k too, of `span`; part p is summed to C + p m n.
 * An element's order of summation depends on k, KC and `span` alone.
 *   -D VW, NV, MR, BIAS, ACTIVATION  as in tile.h
 *   -D KC                          longest block of k; a panel of KC * NR floats should stay in the first cache
 *   -D TILES, PANELS               largest `tiles` (counts where TRANS_A) and `panels`
 *   -D TRANS_A, TRANS_B            1: A is stored (k, m), B (n, k)
 *   -D ACCUMULATE                  1: adds to C, without bias and activation
 *   -D FAR                         1: A is asked for meanwhile, for it is too large to stay in the second cache; MR is a power of two
 *   -D GRAINS                      1, with TRANS_A alone: k is cut into grains of `grain`, the last maybe shorter, whose sums are
 *                                  added as grains.h says. A part is a grain then, or as many as lie in KC, a power of two. */
#include "alone.h"
#include "grains.h"
#include "tile.h"
#include "gemm.h"

#if !defined(KC) || !defined(TILES) || !defined(PANELS) || !defined(TRANS_A) || !defined(TRANS_B) || !defined(ACCUMULATE) || !defined(FAR) \
    || !defined(GRAINS)
#error "-D KC, TILES, PANELS, TRANS_A, TRANS_B, ACCUMULATE, FAR and GRAINS are needed"
#endif

/* Rows of a matrix that are asked for before they are copied. */
#define AHEAD 16

#if TRANS_B
/* Its loops are not unrolled: the compiler takes twice as long for it then, and the copy no less. */
static inline void pack_panel(line panel[KC], global const float *b, int k, int columns, int depth)
{
    int l = 0;
    if (columns == NR)
        for (; l + VW <= depth; l += VW)
#pragma unroll 1
            for (int side = 0; side < NV; ++side) {
                floatv t[VW];
#pragma unroll
                for (int j = 0; j < VW; ++j) t[j] = LOADV(b + (ulong)(side * VW + j) * k + l);
                transpose(t);
#pragma unroll
                for (int j = 0; j < VW; ++j) panel[l + j].v[side] = t[j];
            }
    for (; l < depth; ++l)
#pragma unroll 1
        for (int j = 0; j < NR; ++j) panel[l].f[j] = j < columns ? b[(ulong)j * k + l] : 0;
}

/* Cache lines `from` to `to` of a panel, in the order in which they are copied. */
static inline void ask_for(global const float *b, int k, int columns, int from, int to)
{
    for (int at = from; at < to; ++at)
        if (at % NR < columns) PREFETCH(b + (ulong)(at % NR) * k + at / NR * CACHE_LINE);
}
#else
static inline void pack_right(line right[PANELS][KC], global const float *b, int n, int k, int j0, int columns, int l0,
                              int depth)
{
    const int whole = columns / NR;
    for (int l = 0; l < depth; ++l) {
        global const float *from = b + (ulong)(l0 + l) * n + j0;
        if (l + AHEAD < depth)
            for (int j = 0; j < columns; j += CACHE_LINE) PREFETCH(from + (ulong)AHEAD * n + j);
        for (int p = 0; p < whole; ++p, from += NR) line_load(right[p][l].v, from);
        if (whole * NR < columns) line_load_some(right[whole][l].v, from, columns - whole * NR);
    }
}
#endif

#if TRANS_A
/* Tiles lie STRIP apart, not a multiple of a page, which would put all of them in the same sets of the cache. */
#define STRIP (KC * MR + 16)

static inline void pack_left(float left[TILES][STRIP], global const float *a, int m, int i0, int rows, int l0, int depth)
{
    for (int l = 0; l < depth; ++l) {
        global const float *from = a + (ulong)(l0 + l) * m + i0;
        if (l + AHEAD < depth)
            for (int r = 0; r < rows; r += CACHE_LINE) PREFETCH(from + (ulong)AHEAD * m + r);
        int t = 0;
        for (; (t + 1) * MR <= rows; ++t, from += MR)
#pragma unroll
            for (int r = 0; r < MR; r += 2) vstore2(vload2(0, from + r), 0, &left[t][l * MR + r]);
        if (t * MR < rows)
            for (int r = 0; r < MR; ++r) left[t][l * MR + r] = t * MR + r < rows ? from[r] : 0;
    }
}

static inline void multiply(floatv acc[MR][NV], const float *strip, const line *panel, int depth)
{
    for (int l = 0; l < depth; ++l) {
        const line b = panel[l];
#pragma unroll
        for (int r = 0; r < MR; ++r) tile_row_add(acc[r], strip[l * MR + r], b.v);
    }
}

#if GRAINS
static inline void add_top(floatv acc[MR][NV], const floatv top[MR][NV])
{
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int side = 0; side < NV; ++side) acc[r][side] = top[r][side] + acc[r][side];
}

static inline void multiply_grains(floatv acc[MR][NV], const float *strip, const line *panel, int depth, int grain)
{
    floatv stack[GRAIN_LEVELS][MR][NV];
    int top = 0;
    for (int g = 0, l = 0; l < depth; ++g, l += grain) {
        tile_clear(acc);
        multiply(acc, strip + l * MR, panel + l, min(grain, depth - l));
        for (int merges = grain_merges(g); merges > 0; --merges) add_top(acc, stack[--top]);
        if (l + grain < depth) {
#pragma unroll
            for (int r = 0; r < MR; ++r)
#pragma unroll
                for (int side = 0; side < NV; ++side) stack[top][r][side] = acc[r][side];
            ++top;
        }
    }
    while (top > 0) add_top(acc, stack[--top]);
}
#endif
#else
/* Rows past the last read the last one again and are not stored. Those from `next` on are asked for, a line at a time: they are as many
 * stretches of memory, too short for the processor to foresee. */
static inline void multiply(floatv acc[MR][NV], global const float *a, global const float *next, int k, int rows, const line *panel,
                            int depth)
{
    global const float *row[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r) row[r] = a + (ulong)min(r, rows - 1) * k;

    for (int l = 0; l < depth; ++l) {
        const line b = panel[l];
        if (FAR) PREFETCH(next + (ulong)min(l / 2 % MR, rows - 1) * k + l / 2 / MR * CACHE_LINE);
#pragma unroll
        for (int r = 0; r < MR; ++r) tile_row_add(acc[r], row[r][l], b.v);
    }
}
#endif

/* What a work-item computes. */
ONCE void compute(global const float *a, global const float *b, global float *c, global const float *bias, int factor, int m, int n, int k,
                  int tiles, int panels, int column, int row, int part, int grain, int span)
{
    line right[TRANS_B ? 1 : PANELS][KC];
#if TRANS_A
    float left[TILES][STRIP];
#endif
    const int i0 = row * tiles * MR, j0 = column * panels * NR;
    const int rows = min(m - i0, tiles * MR);
    const int columns = min(n - j0, panels * NR);
    const int begin = part * span, end = min(k, begin + span);
    const int blocks = (end - begin + KC - 1) / KC;
    const int step = (end - begin + blocks - 1) / blocks;

    for (int l0 = begin; l0 < end; l0 += step) {
        const int depth = min(end - l0, step);
#if !TRANS_B
        pack_right(right, b, n, k, j0, columns, l0, depth);
#endif
#if TRANS_A
        pack_left(left, a, m, i0, rows, l0, depth);
#endif
        for (int j = 0; j < columns; j += NR) {
            const line *panel = right[TRANS_B ? 0 : j / NR];
#if TRANS_B
            global const float *from = b + (ulong)(j0 + j) * k + l0, *behind = from + (ulong)NR * k;
            const int lines = (depth + CACHE_LINE - 1) / CACHE_LINE * NR;
            pack_panel(right[0], from, k, min(columns - j, NR), depth);
#endif
            for (int i = 0; i < rows; i += MR) {
                floatv acc[MR][NV];
#if TRANS_B
                ask_for(behind, k, n - j0 - j - NR, i * lines / rows, (i + MR) * lines / rows);
#endif
                for (int r = 0; r < min(MR, rows - i); ++r)
                    for (int e = 0; e < NR; e += CACHE_LINE) PREFETCH_STORE(c + (ulong)(i0 + i + r) * n + j0 + j + e);
                tile_clear(acc);
#if GRAINS
                multiply_grains(acc, left[i / MR], panel, depth, grain);
#elif TRANS_A
                multiply(acc, left[i / MR], panel, depth);
#else
                multiply(acc, a + (ulong)(i0 + i) * k + l0,
                         i + 2 * MR <= rows ? a + (ulong)(i0 + i + MR) * k + l0 : a + (ulong)i0 * k + min(l0 + depth, k - depth), k, rows - i,
                         panel, depth);
#endif
                store(acc, c + (ulong)(i0 + i) * n + j0 + j, n, rows - i, columns - j, ACCUMULATE || l0 > begin,
                      l0 + depth == end, bias + j0 + j, factor);
            }
        }
    }
}

ALONE kernel void gemm(global const float *a, ulong a0, global const float *b, ulong b0, global float *c, ulong c0,
                 global const float *bias, ulong bias0, int factor, int m, int n, int k, int tiles, int panels, int grain, int span)
{
    const int part = get_global_id(2);
    compute(a + a0, b + b0, c + c0 + (ulong)part * m * n, bias + bias0, factor, m, n, k, tiles, panels, get_global_id(0), get_global_id(1),
            part, grain, span);
}
