/* What the register-tiled kernels share: vectors of VW floats, the device's native width, and a tile of MR rows by
 * NR = 2 * VW columns that stays in registers while the inner loop runs. 2 * MR accumulators, 2 vectors of the right
 * side and one broadcast must fit the registers: 6 rows with 16 registers, 8 to 14 with 32.
 *   -D VW           4, 8 or 16
 *   -D MR           rows of a tile, even
 *   -D BIAS         1: a bias is added before the activation; 2: and the sum is multiplied by a factor before
 *   -D ACTIVATION   as in activation.h */
#include "vector.h"
#include "activation.h"
#include "once.h"
#include "prefetch.h"

#if !defined(VW) || !defined(MR) || !defined(BIAS)
#error "-D VW, MR and BIAS are needed"
#endif

#define NR (2 * VW)

/* Floats of a cache line. */
#define CACHE_LINE 16

/* A row of a packed panel or of a tile. */
typedef union {
    floatv v[2];
    float f[NR];
} line;

static inline void tile_clear(floatv acc[MR][2])
{
#pragma unroll
    for (int r = 0; r < MR; ++r) acc[r][0] = acc[r][1] = 0;
}

/* The first `rows` and `columns` are stored, or all when there are more. Row r goes to `to + at[r]`. add: to what is there. last: it is the whole sum, so bias and activation
 * follow; bias points at the tile's first column, whose factor lies `factor` floats behind it. */
static inline void tile_store_corner(floatv acc[MR][2], global float *to, const ulong at[MR], int rows, int columns,
                                     bool add, bool last, global const float *bias, int factor)
{
    line tile[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r) {
        tile[r].v[0] = acc[r][0];
        tile[r].v[1] = acc[r][1];
    }
    for (int r = 0; r < min(rows, MR); ++r)
        for (int j = 0; j < columns; ++j) {
            float v = tile[r].f[j];
            if (add) v += to[at[r] + j];
#if BIAS > 1
            if (last) v *= bias[factor + j];
#endif
#if BIAS
            if (last) v += bias[j];
#endif
            to[at[r] + j] = last ? ACTIVATE(v) : v;
        }
}

static inline void tile_store(floatv acc[MR][2], global float *to, const ulong at[MR], int rows, int columns,
                              bool add, bool last, global const float *bias, int factor)
{
    if (columns < NR) {
        tile_store_corner(acc, to, at, rows, columns, add, last, bias, factor);
        return;
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int side = 0; side < 2; ++side)
            if (r < rows) {
                global float *out = to + at[r] + side * VW;
                floatv v = acc[r][side];
                if (add) v += LOADV(out);
#if BIAS > 1
                if (last) v *= LOADV(bias + factor + side * VW);
#endif
#if BIAS
                if (last) v += LOADV(bias + side * VW);
#endif
                if (last) v = ACTIVATE(v);
                STOREV(v, out);
            }
}
