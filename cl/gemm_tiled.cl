/* C (m, n) = f(op(A) op(B) factor + bias), or C += op(A) op(B); row-major, op(A) (m, k), op(B) (k, n). Made for CPUs.
 *
 * `gemm`: one work-item computes `tiles` * MR rows of C by `panels` * NR columns; items lie along (columns, rows). It takes k
 * in blocks of at most KC, `chunk` of them at a time, and copies its part of A for those to strips of MR rows by a block, which
 * stay in the second cache. Then it takes one block of a panel of B after the other: NR columns, padded with zeros, in
 * the first cache, while all strips are multiplied by it, each in one loop in registers. Meanwhile it asks for the next one.
 * An element's order of summation depends on k and KC alone.
 *
 * `pack` copies B to panels once for all work-items, where many of them need it; else each copies what it multiplies. One
 * work-item copies PACK_DEPTH rows of `run` panels; items lie along (panels, k).
 *   -D VW, MR, BIAS, ACTIVATION    as in tile.h
 *   -D KC                          longest block of k; a panel of KC * NR floats should stay in the first cache
 *   -D STRIPS                      largest tiles * chunk
 *   -D TRANS_A, TRANS_B            1: A is stored (k, m), B (n, k)
 *   -D PACKED                      1: b of `gemm` is what `pack` made, (panel, k, NR)
 *   -D PACK_DEPTH
 *   -D ACCUMULATE                  1: adds to C, without bias and activation
 *   -D GRAINS                      1, with TRANS_A alone: k is cut into grains of `grain`, the last maybe shorter, whose sums are
 *                                  added as grains.h says. Items lie along parts of k too, of `span`, each a grain or as many as
 *                                  lie in KC, a power of two; part p is summed to C + p m n. */
#include "grains.h"
#include "tile.h"

#if !defined(KC) || !defined(STRIPS) || !defined(TRANS_A) || !defined(TRANS_B) || !defined(PACKED) || !defined(PACK_DEPTH) \
    || !defined(ACCUMULATE) || !defined(GRAINS)
#error "-D KC, STRIPS, TRANS_A, TRANS_B, PACKED, PACK_DEPTH, ACCUMULATE and GRAINS are needed"
#endif

/* Rows of a matrix that are asked for before they are copied. */
#define AHEAD 16

/* Where panels lie. */
#if PACKED
#define SPACE global
#else
#define SPACE
#endif

/* ---- B ------------------------------------------------------------------------------------------------------------ */

/* op(B)[l][j], and how far apart rows of B as it is stored lie. */
#if TRANS_B
#define B_AT(l, j) (b + (ulong)(j) * k + (l))
#define B_STRIDE k
#else
#define B_AT(l, j) (b + (ulong)(l) * n + (j))
#define B_STRIDE n
#endif

#if TRANS_B
/* log2(VW) perfect shuffles transpose. */
static inline void transpose(floatv t[VW])
{
#pragma unroll
    for (int stage = 1; stage < VW; stage *= 2) {
        floatv s[VW];
#pragma unroll
        for (int i = 0; i < VW / 2; ++i) {
            s[2 * i].even = t[i].lo;
            s[2 * i].odd = t[i + VW / 2].lo;
            s[2 * i + 1].even = t[i].hi;
            s[2 * i + 1].odd = t[i + VW / 2].hi;
        }
#pragma unroll
        for (int i = 0; i < VW; ++i) t[i] = s[i];
    }
}

static inline void pack_square(SPACE float *panel, global const float *b, int k)
{
    floatv t[VW];
#pragma unroll
    for (int j = 0; j < VW; ++j) {
        t[j] = LOADV(b + (ulong)j * k);
        PREFETCH(b + (ulong)j * k + 4 * VW);
    }
    transpose(t);
#pragma unroll
    for (int j = 0; j < VW; ++j) STOREV(t[j], panel + j * NR);
}

/* `depth` lines of a panel, from b on. Its loops are not unrolled: the compiler takes twice as long for it then, and the copy
 * no less. */
static inline void pack_panel(SPACE float *panel, global const float *b, int n, int k, int columns, int depth)
{
    int l = 0;
    if (columns >= NR)
        for (; l + VW <= depth; l += VW)
#pragma unroll 1
            for (int side = 0; side < 2; ++side)
                pack_square(panel + l * NR + side * VW, b + (ulong)side * VW * k + l, k);
    for (; l < depth; ++l)
#pragma unroll 1
        for (int j = 0; j < NR; ++j) panel[l * NR + j] = j < columns ? b[(ulong)j * k + l] : 0;
}
#else
static inline void pack_panel(SPACE float *panel, global const float *b, int n, int k, int columns, int depth)
{
    for (int l = 0; l < depth; ++l, b += n, panel += NR) {
        STOREV(load_some(b, columns), panel);
        STOREV(columns > VW ? load_some(b + VW, columns - VW) : 0, panel + VW);
    }
}
#endif

#if PACKED
kernel void pack(global const float *b, ulong b0, global float *packed, ulong packed0, int n, int k, int run)
{
    const int first = get_global_id(0) * run, last = min((n + NR - 1) / NR, first + run);
    const int begin = get_global_id(1) * PACK_DEPTH, end = min(k, begin + PACK_DEPTH), step = TRANS_B ? PACK_DEPTH : 1;
    b += b0;
    packed += packed0;
    for (int l = begin; l < end; l += step) { /* rows of B, each as long as can be */
        if (!TRANS_B && l + AHEAD < end)
            for (int j = first * NR; j < min(last * NR, n); j += CACHE_LINE) PREFETCH(B_AT(l + AHEAD, j));
        for (int p = first; p < last; ++p)
            pack_panel(packed + ((ulong)p * k + l) * NR, B_AT(l, p * NR), n, k, n - p * NR, min(end - l, step));
    }
}
#endif

/* What is asked for while something else is multiplied: the rest of `rows` rows, from `at` on in the first. */
struct ahead {
    global const float *row;
    int rows, at, length, stride, lines; /* lines at a time */
};

/* The block of `depth` at l of panel j / NR, in `times` times. */
static inline struct ahead ahead_of(global const float *b, int n, int k, int j, int l, int depth, int times)
{
    struct ahead next = { .length = CACHE_LINE, .stride = CACHE_LINE };
#if PACKED
    next.row = b + ((ulong)j / NR * k + l) * NR;
    next.rows = depth * NR / CACHE_LINE;
#else
    next.row = B_AT(l, j);
    next.rows = TRANS_B ? min(NR, n - j) : depth;
    next.length = TRANS_B ? depth : min(NR, n - j);
    next.stride = B_STRIDE;
#endif
    next.lines = (next.rows * ((next.length + CACHE_LINE - 1) / CACHE_LINE) + times - 1) / times;
    return next;
}

static inline void ask(struct ahead *next)
{
    for (int i = 0; i < next->lines && next->rows > 0; ++i) {
        PREFETCH_FAR(next->row + next->at);
        next->at += CACHE_LINE;
        if (next->at < next->length) continue;
        next->at = 0;
        next->row += next->stride;
        --next->rows;
    }
}

/* ---- A, and the product of a strip and a panel ------------------------------------------------------------------------ */

/* Products of a row of a strip between two times of asking: more at once would wait for each other. */
#define PACE 8

/* Rows of a strip lie ROW apart, not a multiple of a page, which would put all of them in the same sets of the cache. */
#define ROW (KC + 16)
#define STRIP (MR * ROW)

#define ADD_PRODUCTS(value) \
    { \
        const floatv b0 = LOADV(panel + l * NR), b1 = LOADV(panel + l * NR + VW); \
        _Pragma("unroll") for (int r = 0; r < MR; ++r) { \
            const floatv v = (value); \
            acc[r][0] += v * b0; \
            acc[r][1] += v * b1; \
        } \
    }

#if TRANS_A
/* Strips of one block: MR columns of A beside each other, row after row. The strips of a tile lie `chunk` apart. */
static inline void pack_left(float left[STRIPS][STRIP], int chunk, global const float *a, int m, int rows, int depth)
{
    for (int l = 0; l < depth; ++l) {
        global const float *from = a + (ulong)l * m;
        if (l + AHEAD < depth)
            for (int r = 0; r < rows; r += CACHE_LINE) PREFETCH(from + (ulong)AHEAD * m + r);
        int t = 0;
        for (; (t + 1) * MR <= rows; ++t, from += MR)
#if MR == 8
            vstore8(vload8(0, from), 0, &left[t * chunk][l * MR]);
#else
#pragma unroll
            for (int r = 0; r < MR; r += 2) vstore2(vload2(0, from + r), 0, &left[t * chunk][l * MR + r]);
#endif
        if (t * MR < rows)
            for (int r = 0; r < MR; ++r) left[t * chunk][l * MR + r] = t * MR + r < rows ? from[r] : 0;
    }
}

static inline void multiply(floatv acc[MR][2], const float *strip, SPACE const float *panel, int depth, struct ahead *next)
{
    for (int first = 0; first < depth; first += PACE) {
        ask(next);
        for (int l = first; l < min(first + PACE, depth); ++l) ADD_PRODUCTS(strip[l * MR + r])
    }
}

#if GRAINS
static inline void add_top(floatv acc[MR][2], const floatv top[MR][2])
{
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        acc[r][0] = top[r][0] + acc[r][0];
        acc[r][1] = top[r][1] + acc[r][1];
    }
}

static inline void multiply_grains(floatv acc[MR][2], const float *strip, SPACE const float *panel, int depth, int grain,
                                   struct ahead *next)
{
    floatv stack[GRAIN_LEVELS][MR][2];
    int top = 0;
    for (int g = 0, l = 0; l < depth; ++g, l += grain) {
        tile_clear(acc);
        multiply(acc, strip + l * MR, panel + l * NR, min(grain, depth - l), next);
        for (int merges = grain_merges(g); merges > 0; --merges) add_top(acc, stack[--top]);
        if (l + grain < depth) {
#pragma unroll
            for (int r = 0; r < MR; ++r) {
                stack[top][r][0] = acc[r][0];
                stack[top][r][1] = acc[r][1];
            }
            ++top;
        }
    }
    while (top > 0) add_top(acc, stack[--top]);
}
#endif
#else
/* Strips of one block; rows past the last are the last one again. */
static inline void pack_left(float left[STRIPS][STRIP], int chunk, global const float *a, int k, int rows, int depth)
{
    for (int r = 0; r < (rows + MR - 1) / MR * MR; ++r) {
        global const float *from = a + (ulong)min(r, rows - 1) * k;
        float *to = &left[r / MR * chunk][r % MR * ROW];
        int l = 0;
        for (; l + VW <= depth; l += VW) STOREV(LOADV(from + l), to + l);
        for (; l < depth; ++l) to[l] = from[l];
    }
}

static inline void multiply(floatv acc[MR][2], const float *strip, SPACE const float *panel, int depth, struct ahead *next)
{
    for (int first = 0; first < depth; first += PACE) {
        ask(next);
        for (int l = first; l < min(first + PACE, depth); ++l) ADD_PRODUCTS(strip[r * ROW + l])
    }
}

/* Of MR rows of A as they are. */
static inline void multiply_in_place(floatv acc[MR][2], global const float *a, int k, SPACE const float *panel, int depth,
                                     struct ahead *next)
{
    for (int first = 0; first < depth; first += PACE) {
        ask(next);
        for (int l = first; l < min(first + PACE, depth); ++l) ADD_PRODUCTS(a[(ulong)r * k + l])
    }
}
#endif

static inline void store(floatv acc[MR][2], global float *c, int n, int rows, int columns, bool first, bool last,
                         global const float *bias, int factor)
{
    ulong at[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r) at[r] = (ulong)r * n;
    tile_store(acc, c, at, rows, columns, ACCUMULATE || !first, last, bias, factor);
}

/* in_place: A is not copied, but for rows that are no whole tile. */
kernel void gemm(global const float *a, ulong a0, global const float *b, ulong b0, global float *c, ulong c0,
                 global const float *bias, ulong bias0, int factor, int m, int n, int k, int tiles, int panels, int chunk,
                 int in_place
#if GRAINS
                 , int grain, int span
#endif
                 )
{
    float left[STRIPS][STRIP];
#if !PACKED
    float right[KC * NR] __attribute__((aligned(64)));
#endif
    const int i0 = get_global_id(1) * tiles * MR, j0 = get_global_id(0) * panels * NR;
    const int rows = min(m - i0, tiles * MR), last_column = min(n, j0 + panels * NR), strips = (rows + MR - 1) / MR;
#if GRAINS
    const int begin = get_global_id(2) * span, end = min(k, begin + span);
    c += (ulong)get_global_id(2) * m * n;
#else
    const int begin = 0, end = k;
#endif
    const int blocks = (end - begin + KC - 1) / KC;
    const int step = (end - begin + blocks - 1) / blocks;

    b += b0;
    c += c0 + (ulong)i0 * n;
    for (int begin_chunk = begin; begin_chunk < end; begin_chunk += chunk * step) {
        const int end_chunk = min(end, begin_chunk + chunk * step);
        for (int l = begin_chunk, s = 0; l < end_chunk; l += step, ++s) {
            const int depth = min(step, end_chunk - l);
#if TRANS_A
            pack_left(&left[s], chunk, a + a0 + (ulong)l * m + i0, m, rows, depth);
#else
            const int from = in_place ? rows / MR * MR : 0;
            if (from < rows) pack_left(&left[from / MR * chunk + s], chunk, a + a0 + (ulong)(i0 + from) * k + l, k, rows - from, depth);
#endif
        }
        for (int j = j0; j < last_column; j += NR)
            for (int l = begin_chunk, s = 0; l < end_chunk; l += step, ++s) {
                const int depth = min(step, end_chunk - l);
                const bool more = l + step < end_chunk;
                struct ahead next = ahead_of(b, n, k, more ? j : j + NR, more ? l + step : begin_chunk, step, strips * ((depth + PACE - 1) / PACE));
                if (!more && j + NR >= last_column) next.rows = 0;
#if PACKED
                global const float *right = b + ((ulong)j / NR * k + l) * NR;
#else
                pack_panel(right, B_AT(l, j), n, k, n - j, depth);
#endif
                for (int i = 0; i < rows; i += MR) {
                    floatv acc[MR][2];
                    if (s == 0)
                        for (int r = 0; r < min(MR, rows - i); ++r)
                            for (int side = 0; side < NR; side += CACHE_LINE) PREFETCH(c + (ulong)(i + r) * n + j + side);
                    tile_clear(acc);
#if GRAINS
                    multiply_grains(acc, left[i / MR * chunk + s], right, depth, grain, &next);
#else
#if !TRANS_A
                    if (in_place && i + MR <= rows)
                        multiply_in_place(acc, a + a0 + (ulong)(i0 + i) * k + l, k, right, depth, &next);
                    else
#endif
                        multiply(acc, left[i / MR * chunk + s], right, depth, &next);
#endif
                    store(acc, c + (ulong)i * n + j, n, rows - i, n - j, l == begin, l + depth == end, bias + bias0 + j, factor);
                }
            }
    }
}
