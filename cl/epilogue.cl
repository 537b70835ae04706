/* y = activation(sum * factor + bias), what follows a matrix product that has no epilogue of its own: of sums that lie in y, or elsewhere.
 * One work-item an element; items past n do nothing.
 *
 *   -D ACTIVATION   enum activation_kind of src/ops/activation.h
 *   -D BIAS         1: bias (columns) is added along the last axis; 2: the sum is multiplied before by a factor, which
 *                   lies `factor` floats behind its bias; 0: neither
 *   -D KEPT         see kept.h; of the y that sums elsewhere go to */
#define VW 1
#include "alone.h"
#include "vector.h"
#include "kept.h"
#include "activation.h"
#include "past.h"
#ifndef BIAS
#error "-D BIAS is needed"
#endif

float finished(float v, global const float *bias, ulong factor, ulong column)
{
#if BIAS > 1
    v *= bias[factor + column];
#endif
#if BIAS
    v += bias[column];
#endif
    return ACTIVATE(v);
}

ALONE kernel void apply(global const float *bias, ulong b0, global float *y, ulong y0, ulong factor, ulong columns, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = finished(y[y0 + i], bias + b0, factor, i % columns);
}

ALONE kernel void store(global const float *sum, ulong s0, global const float *bias, ulong b0, global kept *y, ulong y0, ulong factor,
                  ulong columns, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    STOREK(finished(sum[s0 + i], bias + b0, factor, i % columns), y + y0 + i);
}
