/* Normalization by constant statistics as y = x * factor + shift, for x that come with a bias of their own:
 *   factor = gamma / sqrt(variance + epsilon),   shift = beta + (bias - mean) * factor.
 * Any of gamma, beta and bias may be NULL. to: the n shifts, then the n factors. One work-item one of n. */
#include "past.h"

kernel void fold(global const float *mean, ulong mean0, global const float *variance, ulong variance0,
                 global const float *gamma, ulong gamma0, global const float *beta, ulong beta0, global const float *bias,
                 ulong bias0, global float *to, ulong to0, float epsilon, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float factor = (gamma ? gamma[gamma0 + i] : 1.0f) / sqrt(variance[variance0 + i] + epsilon);
    const float from = (bias ? bias[bias0 + i] : 0.0f) - mean[mean0 + i];
    to[to0 + i] = (beta ? beta[beta0 + i] : 0.0f) + from * factor;
    to[to0 + n + i] = factor;
}
