/* The orthogonal regularizer of a matrix w whose `count` vectors have `length` elements: element k of vector i lies at
 * i * vector + k * element. Keras's normalization: a vector times min(1 / |w|, 1e7). */

static float inverse_norm(global const float *w, int length, int element)
{
    float sum = 0;
    for (int k = 0; k < length; k++)
        sum += w[k * element] * w[k * element];
    return fmin(rsqrt(sum), 1e7f);
}

/* products (count, count): of the normalized vectors, 0 on the diagonal; inverse (count). One work-item a product. */
kernel void products(global const float *w, ulong w0, global float *scratch, int count, int length, int vector,
                     int element)
{
    const int i = get_global_id(0), j = get_global_id(1);
    if (i >= count || j >= count) return;
    global const float *a = w + w0 + (ulong)i * vector, *b = w + w0 + (ulong)j * vector;
    const float ia = inverse_norm(a, length, element);
    float dot = 0;
    for (int k = 0; k < length; k++)
        dot += a[k * element] * b[k * element];
    scratch[i * count + j] = i == j ? 0 : dot * ia * inverse_norm(b, length, element);
    if (i == j)
        scratch[count * count + i] = ia;
}

/* sums (count): of the absolute products of each row; lies behind products and inverse. One work-item a row. */
kernel void sums(global float *scratch, int count)
{
    const int i = get_global_id(0);
    if (i >= count) return;
    float sum = 0;
    for (int j = 0; j < count; j++)
        sum += fabs(scratch[i * count + j]);
    scratch[count * (count + 1) + i] = sum;
}

/* penalty += scale * total of sums. One work-item. */
kernel void penalty(global const float *scratch, global float *y, ulong y0, float scale, int count)
{
    if (get_global_id(0) > 0) return;
    float sum = 0;
    for (int i = 0; i < count; i++)
        sum += scratch[count * (count + 1) + i];
    y[y0] += scale * sum;
}

/* dw += scale * d(total)/dw: along the other vectors with the signs of their products, less its part along the vector
 * itself. One work-item an element. */
kernel void gradient(global const float *w, ulong w0, global const float *scratch, global float *dw, ulong dw0,
                     float scale, int count, int length, int vector, int element)
{
    const int k = get_global_id(0), i = get_global_id(1);
    if (k >= length || i >= count) return;
    global const float *inverse = scratch + count * count, *sum = inverse + count;
    const ulong at = (ulong)i * vector + (ulong)k * element;
    float along = 0;
    for (int j = 0; j < count; j++)
        along += sign(scratch[i * count + j]) * w[w0 + (ulong)j * vector + (ulong)k * element] * inverse[j];
    dw[dw0 + at] += 2 * scale * inverse[i] * (along - w[w0 + at] * inverse[i] * sum[i]);
}
