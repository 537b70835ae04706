/* A batch as it was uploaded, brought to what the first layer reads. One work-item an element; items past n do nothing.
 *
 * -DSOURCE  element type of x: float, uchar or int */
#include "past.h"

#ifndef SOURCE
#error "SOURCE: the element type of x"
#endif

/* y = x * scale */
kernel void to_float(global const SOURCE *x, global float *y, ulong y0, float scale, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = (float)x[i] * scale;
}

/* y = x, truncated toward zero, as Keras casts what an Embedding gets */
kernel void to_int(global const SOURCE *x, global int *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = (int)x[i];
}
