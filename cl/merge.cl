/* Elementwise merging of tensors that are broadcast to one shape. */
#include "past.h"

#ifdef OP
/* r = OP(r, x), where x is broadcast to the shape of r and y. One work-item an element; items past n do nothing.
 *
 *   -D OP=0 copy x, 1 add, 2 subtract, 3 multiply, 4 maximum, 5 minimum, 6 keep r where x equals y, 7 .. where it does not
 *   -D RANK, D1..    extents of all axes but the first
 *   -D S0..          strides of x, 0 where it is repeated */
kernel void combine(global const float *x, ulong x0, global const float *y, ulong y0, global float *r, ulong r0, ulong n)
{
    const size_t at = get_global_id(0);
    if (PAST(at, n)) return;
    uint i = at;
    ulong from = x0;
#if RANK > 5
    from += (ulong)(i % D5) * S5;
    i /= D5;
#endif
#if RANK > 4
    from += (ulong)(i % D4) * S4;
    i /= D4;
#endif
#if RANK > 3
    from += (ulong)(i % D3) * S3;
    i /= D3;
#endif
#if RANK > 2
    from += (ulong)(i % D2) * S2;
    i /= D2;
#endif
#if RANK > 1
    from += (ulong)(i % D1) * S1;
    i /= D1;
#endif
    const float v = x[from + (ulong)i * S0];
#if OP == 0
    r[r0 + at] = v;
#elif OP == 1
    r[r0 + at] += v;
#elif OP == 2
    r[r0 + at] -= v;
#elif OP == 3
    r[r0 + at] *= v;
#elif OP == 4
    r[r0 + at] = r[r0 + at] >= v ? r[r0 + at] : v;
#elif OP == 5
    r[r0 + at] = r[r0 + at] <= v ? r[r0 + at] : v;
#elif OP == 6
    r[r0 + at] = v == y[y0 + at] ? r[r0 + at] : 0;
#else
    r[r0 + at] = v == y[y0 + at] ? 0 : r[r0 + at];
#endif
}
#else
#include "axes.h"

/* dx[g] = factor * sum of dy * weight over the elements of group g, the places to which an input's element was repeated
 * (axes.h); weight NULL: 1. One work-item a group. */
kernel void gather(global const float *dy, ulong dy0, global const float *weight, ulong weight0, global float *dx, ulong dx0,
                   float factor, uint size, ulong n)
{
    const uint g = get_global_id(0);
    if (g >= n) return;
    float sum = 0;
    for (uint e = 0; e < size; e++) {
        const ulong at = kept_offset(g) + over_offset(e);
        sum += weight ? dy[dy0 + at] * weight[weight0 + at] : dy[dy0 + at];
    }
    dx[dx0 + g] = factor * sum;
}
#endif
