/* softmax and, with -D LOG=1, log_softmax over the middle axis of (outer, extent, inner), and their gradients.
 * One work-item: one pair (outer, inner); items past n = outer * inner do nothing. */
#include "alone.h"
#include "past.h"

#ifndef LOG
#error "softmax.cl needs -D LOG=0 or 1"
#endif

/* The largest is subtracted first, so that no exponential overflows. y may be x. */
ALONE kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, ulong extent, ulong inner, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const size_t at = i / inner * extent * inner + i % inner;
    global const float *from = x + x0 + at;
    global float *to = y + y0 + at;
    float largest = from[0], sum = 0;
    for (size_t k = 1; k < extent; k++)
        largest = from[k * inner] <= largest ? largest : from[k * inner];
#if LOG
    for (size_t k = 0; k < extent; k++)
        sum += exp(from[k * inner] - largest);
    for (size_t k = 0; k < extent; k++)
        to[k * inner] = from[k * inner] - largest - log(sum);
#else
    for (size_t k = 0; k < extent; k++) {
        const float e = exp(from[k * inner] - largest);
        sum += e;
        to[k * inner] = e;
    }
    for (size_t k = 0; k < extent; k++)
        to[k * inner] /= sum;
#endif
}

/* softmax: dx = y (dy - sum(dy y)); log_softmax: dx = dy - exp(y) sum(dy). dx may be dy. */
ALONE kernel void gradient(global const float *y, ulong y0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                     ulong extent, ulong inner, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const size_t at = i / inner * extent * inner + i % inner;
    global const float *value = y + y0 + at, *from = dy + dy0 + at;
    global float *to = dx + dx0 + at;
    float sum = 0;
    for (size_t k = 0; k < extent * inner; k += inner)
        sum += LOG ? from[k] : from[k] * value[k];
    for (size_t k = 0; k < extent * inner; k += inner)
        to[k] = LOG ? from[k] - exp(value[k]) * sum : value[k] * (from[k] - sum);
}
