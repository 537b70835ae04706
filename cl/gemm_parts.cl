/* C (m, n) = f((sum of parts) factor + bias), or C += the sum, of `count` parts (m, n) that lie behind each other, first to last.
 * One work-item: a row.
 *   -D VW, MR, BIAS, ACTIVATION  as in tile.h
 *   -D ACCUMULATE                1: adds to C, without bias and activation */
#include "alone.h"
#include "tile.h"

#ifndef ACCUMULATE
#error "-D ACCUMULATE is needed"
#endif

ALONE kernel void add(global const float *parts, ulong parts0, global float *c, ulong c0, global const float *bias, ulong bias0, int factor,
                int m, int n, int count)
{
    const size_t i = get_global_id(0);
    if (i >= m) return;
    parts += parts0 + i * n;
    c += c0 + i * n;
    bias += bias0;
    for (int j = 0; j < n; j += VW) {
        floatv sum = ACCUMULATE ? load_some(c + j, n - j) : 0;
        for (int p = 0; p < count; ++p) sum += load_some(parts + (ulong)p * m * n + j, n - j);
        store_some(finished(sum, bias + j, factor, n - j), c + j, n - j);
    }
}
