/* y = activation(y * factor + bias), in place: what follows a matrix product that has no epilogue of its own. One work-item an element;
 * items past n do nothing.
 *
 *   -D ACTIVATION   enum activation_kind of src/ops/activation.h
 *   -D BIAS         1: bias (columns) is added along the last axis; 2: y is multiplied before by a factor, which
 *                   lies `factor` floats behind its bias; 0: neither */
#include "activation.h"
#ifndef BIAS
#error "-D BIAS is needed"
#endif

kernel void apply(global const float *bias, ulong b0, global float *y, ulong y0, ulong factor, ulong columns, ulong n)
{
    const size_t i = get_global_id(0);
    if (i >= n) return;
    float v = y[y0 + i];
#if BIAS > 1
    v *= bias[b0 + factor + i % columns];
#endif
#if BIAS
    v += bias[b0 + i % columns];
#endif
    y[y0 + i] = ACTIVATE(v);
}
