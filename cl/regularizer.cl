/* Gradients of weight penalties. */
#include "past.h"

/* dw += absolute * sign(w) + square * w, where sign(0) is 0. One work-item an element. */
kernel void gradient(global const float *w, ulong w0, global float *dw, ulong dw0, float absolute, float square, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float v = w[w0 + i];
    dw[dw0 + i] += absolute * sign(v) + square * v;
}
