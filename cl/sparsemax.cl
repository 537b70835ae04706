/* Sparsemax of rows: the nearest point of the simplex, y = max(x - t, 0), where t makes a row sum to 1. One work-item a
 * row of `columns` neighbouring elements; items past n do nothing. A tensor is a buffer and an offset in elements.
 * Source: Martins and Astudillo 2016; t as Michelot 1986 finds it, without a sort: t is the mean excess of the elements
 * above it, and elements that fall below leave until none does. */

/* Which threshold makes the elements above t alone sum to 1, and how many they are. */
float threshold_of(global const float *x, uint columns, float t, uint *count)
{
    float sum = 0;
    *count = 0;
    for (uint i = 0; i < columns; i++) {
        sum += x[i] > t ? x[i] : 0.0f;
        *count += x[i] > t;
    }
    return (sum - 1.0f) / *count;
}

kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, uint columns, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    x += x0 + row * columns;
    y += y0 + row * columns;
    uint count, before;
    float t = threshold_of(x, columns, -INFINITY, &count);
    do {
        before = count;
        t = threshold_of(x, columns, t, &count);
    } while (count < before);
    for (uint i = 0; i < columns; i++) y[i] = x[i] < t ? 0.0f : x[i] - t;
}

/* dx = dy - its mean, among the elements above the threshold; 0 elsewhere. dx may be dy. */
kernel void gradient(global const float *y, ulong y0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                     uint columns, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    y += y0 + row * columns;
    dy += dy0 + row * columns;
    dx += dx0 + row * columns;
    float sum = 0;
    uint count = 0;
    for (uint i = 0; i < columns; i++) {
        sum += y[i] > 0 ? dy[i] : 0.0f;
        count += y[i] > 0;
    }
    for (uint i = 0; i < columns; i++) dx[i] = y[i] > 0 ? dy[i] - sum / count : 0.0f;
}
