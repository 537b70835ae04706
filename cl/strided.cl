/* Copying between two boxes of the same extents. One work-item: VW neighbouring elements (-D VW, see vector.h); items past n
 * do nothing. Element (i0, i1, ..) lies at i0 F0 + i1 F1 + .. of the source and i0 T0 + i1 T1 + .. of the target.
 *
 *   -D RANK=1..6, D1..    extents of all axes but the first, the last one divided by VW
 *   -D F0.., T0..         strides, the last one times VW */
#include "alone.h"
#include "past.h"
#include "vector.h"
#ifndef RANK
#error "strided.cl needs -D RANK"
#endif

ALONE kernel void copy(global const float *x, ulong x0, global float *y, ulong y0, ulong n)
{
    if (PAST(get_global_id(0), n)) return;
    uint i = get_global_id(0);
    ulong from = x0, to = y0;
#if RANK > 5
    from += (ulong)(i % D5) * F5;
    to += (ulong)(i % D5) * T5;
    i /= D5;
#endif
#if RANK > 4
    from += (ulong)(i % D4) * F4;
    to += (ulong)(i % D4) * T4;
    i /= D4;
#endif
#if RANK > 3
    from += (ulong)(i % D3) * F3;
    to += (ulong)(i % D3) * T3;
    i /= D3;
#endif
#if RANK > 2
    from += (ulong)(i % D2) * F2;
    to += (ulong)(i % D2) * T2;
    i /= D2;
#endif
#if RANK > 1
    from += (ulong)(i % D1) * F1;
    to += (ulong)(i % D1) * T1;
    i /= D1;
#endif
    STOREV(LOADV(x + from + (ulong)i * F0), y + to + (ulong)i * T0);
}
