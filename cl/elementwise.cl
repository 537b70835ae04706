/* Sums, multiples and copies of tensors, each element by itself. One work-item per element; items past n do nothing.
 * A tensor is a buffer and an offset in elements; y may be an operand at the same place. */

/* y = a + b */
kernel void add(global const float *a, ulong a0, global const float *b, ulong b0, global float *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (i >= n) return;
    y[y0 + i] = a[a0 + i] + b[b0 + i];
}

/* y = factor * x */
kernel void scale(global const float *x, ulong x0, global float *y, ulong y0, float factor, ulong n)
{
    const size_t i = get_global_id(0);
    if (i >= n) return;
    y[y0 + i] = factor * x[x0 + i];
}

/* y = x */
kernel void copy(global const float *x, ulong x0, global float *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (i >= n) return;
    y[y0 + i] = x[x0 + i];
}
