/* What the register-tiled kernels share: vectors of VW floats, the device's native width, and a tile of MR rows by
 * NR = NV * VW columns that stays in registers while the inner loop runs. 2 * MR accumulators, 2 vectors of the right
 * side and one broadcast must fit the registers: 6 rows with 16 registers, 8 to 14 with 32; or 3 rows of 4 vectors with 16, where
 * the broadcasts stay, and one vector at a time.
 *   -D NV           vectors of a row: 2, which is meant where it is not given, 1 where there are few columns, or 4 with fewer rows
 *   -D VW           4, 8 or 16
 *   -D MR           rows of a tile; even for products
 *   -D BIAS         1: a bias is added before the activation; 2: and the sum is multiplied by a factor before
 *   -D ACTIVATION   as in activation.h */
#include "vector.h"
#include "some.h"
#include "activation.h"
#include "once.h"
#include "prefetch.h"

#if !defined(VW) || !defined(MR) || !defined(BIAS)
#error "-D VW, MR and BIAS are needed"
#endif

#ifndef NV
#define NV 2
#endif
#define NR (NV * VW)

/* Floats of a cache line. */
#define CACHE_LINE 16

/* A row of a packed panel or of a tile. */
typedef union {
    floatv v[NV];
    float f[NR];
} line;

static inline void tile_clear(floatv acc[MR][NV])
{
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int side = 0; side < NV; ++side) acc[r][side] = 0;
}

/* A row of a panel. */
static inline void line_load(floatv b[NV], global const float *from)
{
#pragma unroll
    for (int side = 0; side < NV; ++side) b[side] = LOADV(from + side * VW);
}

/* acc += v b */
static inline void tile_row_add(floatv acc[NV], floatv v, const floatv b[NV])
{
#pragma unroll
    for (int side = 0; side < NV; ++side) acc[side] += v * b[side];
}

/* One of which there are so many columns, or all; zeros behind them. */
static inline void line_load_some(floatv b[NV], global const float *from, int columns)
{
#pragma unroll
    for (int side = 0; side < NV; ++side) b[side] = load_some(from + side * VW, columns - side * VW);
}

/* What becomes of a whole sum: bias points at its first column, whose factor lies `factor` floats behind it; `columns` are left. */
static inline floatv finished(floatv v, global const float *bias, int factor, int columns)
{
#if BIAS > 1
    v *= load_some(bias + factor, columns);
#endif
#if BIAS
    v += load_some(bias, columns);
#endif
    return ACTIVATE(v);
}

/* Of a tile that has fewer columns. Its loops are not unrolled, by way of memory: the compiler takes long for it then. */
static inline void tile_store_some(floatv acc[MR][NV], global float *to, const ulong at[MR], int rows, int columns,
                                   bool add, bool last, global const float *bias, int factor)
{
    line tile[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int side = 0; side < NV; ++side) tile[r].v[side] = acc[r][side];
#pragma unroll 1
    for (int side = 0; side < NV && columns > 0; ++side, columns -= VW, to += VW, bias += VW)
#pragma unroll 1
        for (int r = 0; r < min(rows, MR); ++r) {
            global float *out = to + at[r];
            floatv v = tile[r].v[side];
            if (add) v += load_some(out, columns);
            store_some(last ? finished(v, bias, factor, columns) : v, out, columns);
        }
}

/* The first `rows` and `columns` are stored, or all when there are more. Row r goes to `to + at[r]`. add: to what is there. last: it is the
 * whole sum, so bias and activation follow; bias points at the tile's first column, whose factor lies `factor` floats behind it. */
static inline void tile_store(floatv acc[MR][NV], global float *to, const ulong at[MR], int rows, int columns,
                              bool add, bool last, global const float *bias, int factor)
{
    if (columns < NR) {
        tile_store_some(acc, to, at, rows, columns, add, last, bias, factor);
        return;
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int side = 0; side < NV; ++side)
            if (r < rows) {
                global float *out = to + at[r] + side * VW;
                floatv v = acc[r][side];
                if (add) v += LOADV(out);
                STOREV(last ? finished(v, bias + side * VW, factor, VW) : v, out);
            }
}
