/* The most that a device can do: products and sums in registers, and copying.
 *   -D VW   floats a vector, as in vector.h */
#include "alone.h"
#include "vector.h"

/* Enough independent sums to hide how long one takes; they and the two factors fit 16 registers. */
#define CHAINS 12

/* One work-item: `rounds` times CHAINS * VW products, each added to a sum, as the kernels write it: mad() may be two instructions.
 * y gets what nobody reads, one float an item. */
ALONE kernel void multiply_add(global float *y, ulong y0, float a, float b, int rounds)
{
    floatv sum[CHAINS];
    const floatv factor = a + get_global_id(0), more = b;
#pragma unroll
    for (int i = 0; i < CHAINS; ++i) sum[i] = factor + i;
    for (int round = 0; round < rounds; ++round)
#pragma unroll
        for (int i = 0; i < CHAINS; ++i) sum[i] = sum[i] * factor + more;
    floatv all = 0.0f;
#pragma unroll
    for (int i = 0; i < CHAINS; ++i) all += sum[i];
    float one[VW];
    STOREV(all, one);
    float total = 0;
    for (int i = 0; i < VW; ++i) total += one[i];
    y[y0 + get_global_id(0)] = total;
}

/* y = x. One work-item copies `lines` vectors, neighbours beside each other within `items`; those past the n-th do
 * nothing. */
ALONE kernel void copy(global const float *x, ulong x0, global float *y, ulong y0, ulong lines, ulong n)
{
    const ulong first = get_global_id(0) * lines, last = min(first + lines, n);
    for (ulong i = first; i < last; ++i) STOREV(LOADV(x + x0 + i * VW), y + y0 + i * VW);
}
