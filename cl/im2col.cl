/* Convolution as a matrix product: the patches of an image as rows of a matrix, and back.
 *
 * x (n, H, W, C), col (n * OH * OW, KH * KW * CG): row r holds what the window at output position r covers, of the channels of
 * one group, beginning at channel c1; zeros outside the image. Whole images first .. first + rows / (OH * OW) are taken.
 *
 *   -D H W C OH OW   extents of image and output    -D KH KW SH SW DH DW PT PL   window, stride, dilation, padding
 *   -D CG            channels of a group            -D KEPT   see kept.h; of x and dx
 *
 * Items past n do nothing. */
#if !defined(H) || !defined(W) || !defined(C) || !defined(OH) || !defined(OW) || !defined(KH) || !defined(KW) \
    || !defined(SH) || !defined(SW) || !defined(DH) || !defined(DW) || !defined(PT) || !defined(PL) || !defined(CG)
#error "the -D of the head are needed"
#endif
#define VW 1
#include "alone.h"
#include "vector.h"
#include "kept.h"
#include "past.h"

/* One work-item an element of col. */
ALONE kernel void gather(global const kept *x, ulong x0, global float *col, ulong c0, ulong first, ulong c1, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const size_t c = i % CG, q = i / CG % KW, p = i / (CG * KW) % KH, row = i / (CG * KW * KH);
    const size_t ox = row % OW, oy = row / OW % OH, image = first + row / (OW * OH);
    const long iy = (long)(oy * SH + p * DH) - PT, ix = (long)(ox * SW + q * DW) - PL;
    const int inside = iy >= 0 && iy < H && ix >= 0 && ix < W;
    col[c0 + i] = inside ? LOADK(x + x0 + ((image * H + iy) * W + ix) * C + c1 + c) : 0.0f;
}

/* dx: the sum, over the windows that cover it, of what col holds for an element. One work-item an element of dx of the
 * group; the sum runs over the window's rows and columns in order. */
ALONE kernel void spread(global const float *col, ulong c0, global kept *dx, ulong x0, ulong first, ulong c1, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const size_t c = i % CG, ix = i / CG % W, iy = i / (CG * W) % H, image = i / (CG * W * H);
    float sum = 0;
    for (int p = 0; p < KH; p++) {
        const long top = (long)iy + PT - p * DH;
        if (top < 0 || top % SH || top / SH >= OH) continue;
        for (int q = 0; q < KW; q++) {
            const long left = (long)ix + PL - q * DW;
            if (left < 0 || left % SW || left / SW >= OW) continue;
            sum += col[c0 + (((image * OH + top / SH) * OW + left / SW) * (KH * KW) + p * KW + q) * CG + c];
        }
    }
    STOREK(sum, dx + x0 + (((first + image) * H + iy) * W + ix) * C + c1 + c);
}
