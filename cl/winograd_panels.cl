/* The weights of a convolution by kernels of 3 x 3, transformed, in panels of NR output channels, as winograd.cl reads them: line
 * (panel, point, c) holds channels panel * NR ..., zeros after the last.
 *   -D VW, MR, BIAS, ACTIVATION   as in tile.h, of which only VW matters;   -D M   as in winograd.h */
#include "alone.h"
#include "winograd.h"

/* Tap `tap` of VW filters from `f` on, for channel c. `reversed`: for the input gradient taps are reversed and w is transposed. */
static inline floatv weights_of(global const float *w, int tap, int c, int f, int channels, int filters, int reversed)
{
    if (!reversed) return load_some(w + ((ulong)tap * channels + c) * filters + f, filters - f);
    line some;
    w += ((ulong)(8 - tap) * filters + f) * channels + c;
    for (int j = 0; j < VW; ++j) some.f[j] = f + j < filters ? w[(ulong)j * channels] : 0.0f;
    return some.v[0];
}

/* Channel c of the panel, at all points. */
ONCE void pack_channel(global const float *w, global float *packed, int c, int panel, int channels, int filters, int reversed)
{
    packed += ((ulong)panel * POINTS * channels + c) * NR;
    for (int side = 0; side < 2; ++side) {
        floatv g[3][3], half_way[3][SIDE];
        for (int tap = 0; tap < 9; ++tap)
            g[tap / 3][tap % 3] = weights_of(w, tap, c, panel * NR + side * VW, channels, filters, reversed);
#pragma unroll
        for (int p = 0; p < 3; ++p) of_weights(g[p], half_way[p]);
#pragma unroll
        for (int j = 0; j < SIDE; ++j) {
            const floatv column[3] = { half_way[0][j], half_way[1][j], half_way[2][j] };
            floatv u[SIDE];
            of_weights(column, u);
#pragma unroll
            for (int i = 0; i < SIDE; ++i) STOREV(u[i], packed + (ulong)(i * SIDE + j) * channels * NR + side * VW);
        }
    }
}

/* One work-item: one channel of the input by one panel; dimension 0 are channels. */
ALONE kernel void pack(global const float *w, ulong w0, global float *packed, ulong packed0, int channels, int filters, int reversed)
{
    const int c = get_global_id(0), panel = get_global_id(1);
    if (c < channels && panel < (filters + NR - 1) / NR) pack_channel(w + w0, packed + packed0, c, panel, channels, filters, reversed);
}
