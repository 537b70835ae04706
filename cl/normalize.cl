/* Normalization over groups of a tensor: y = f((x - mean) / sqrt(variance + epsilon) * gamma + beta), with the mean and the
 * variance of the element's group. The groups are those of axes.h; a slice is a run of a group's elements.
 *
 *   -D VW              see vector.h; above 1 a work-item takes VW neighbouring groups at once (their last axis is the
 *                      tensor's last), and an element is one of each
 *   -D KEPT            see kept.h; of x, y and their gradients
 *   -D PARAMETER=0     gamma and beta have an element a group (batch normalization)
 *                1     .. an element of a group each (layer normalization)
 *                2     .. a channel each: groups of CHANNELS (-D) channels of INNER (-D) elements, PARTS (-D) groups a sample
 *                      (group normalization)
 *   -D GAMMA, BETA     1: there is one
 *   -D ACTIVATION      f, see activation.h; linear (0) unless PARAMETER is 0
 *
 * Dimension 0 are groups, dimension 1 slices, but where said. */
#include "alone.h"
#include "vector.h"
#include "kept.h"
#include "axes.h"
#include "activation.h"
#if !defined(PARAMETER) || !defined(GAMMA) || !defined(BETA)
#error "normalize.cl needs -D PARAMETER, GAMMA and BETA"
#endif

#if PARAMETER == 0
#define OF_PARAMETER(g, e) (g)
#elif PARAMETER == 1
#define OF_PARAMETER(g, e) (e)
#else
#define OF_PARAMETER(g, e) ((g) % PARTS * CHANNELS + (e) / INNER % CHANNELS)
#endif

#if GAMMA
#define GAMMA_OF(g, e) LOADV(gamma + gamma0 + OF_PARAMETER(g, e))
#else
#define GAMMA_OF(g, e) 1.0f
#endif
#if BETA
#define BETA_OF(g, e) LOADV(beta + beta0 + OF_PARAMETER(g, e))
#else
#define BETA_OF(g, e) 0.0f
#endif

/* part[s, 0, g] = mean and part[s, 1, g] = sum of squared distances from it, of slice s. Two passes over the slice. */
ALONE kernel void moments(global const kept *x, ulong x0, global float *part, ulong part0, uint size, uint slice, uint groups)
{
    const uint g = get_global_id(0) * VW, s = get_global_id(1);
    const uint first = s * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    x += x0 + kept_offset(g);
    floatv sum = 0.0f, squares = 0.0f;
    for (uint e = first; e < last; e++)
        sum += LOADK(x + over_offset(e));
    const floatv mean = sum / (float)(last - first);
    for (uint e = first; e < last; e++) {
        const floatv d = LOADK(x + over_offset(e)) - mean;
        squares += d * d;
    }
    part += part0 + (ulong)s * 2 * groups + g;
    STOREV(mean, part);
    STOREV(squares, part + groups);
}

/* stats (2, groups): mean and variance from the slices, joined in order (Chan et al. 1979). slice 0: how many elements each has stands
 * behind all of them. One work-item a group. */
ALONE kernel void join_moments(global const float *part, ulong part0, global float *stats, ulong stats0, uint size, uint slice,
                         uint slices, uint groups)
{
    const uint g = get_global_id(0);
    if (g >= groups) return;
    float mean = 0, squares = 0, count = 0;
    for (uint s = 0; s < slices; s++) {
        global const float *of = part + part0 + (ulong)s * 2 * groups + g;
        const float more = slice > 0 ? min(slice, size - s * slice) : part[part0 + (ulong)slices * 2 * groups + s], d = of[0] - mean;
        mean += d * (more / (count + more));
        squares += of[groups] + d * d * (count * more / (count + more));
        count += more;
    }
    stats[stats0 + g] = mean;
    stats[stats0 + groups + g] = squares / size;
}

/* y may be x. */
ALONE kernel void apply_stats(global const kept *x, ulong x0, global const float *mean, ulong mean0,
                        global const float *variance, ulong variance0, global const float *gamma, ulong gamma0,
                        global const float *beta, ulong beta0, global kept *y, ulong y0, float epsilon, uint size,
                        uint slice, uint groups)
{
    const uint g = get_global_id(0) * VW, s = get_global_id(1);
    const uint first = s * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    const floatv m = LOADV(mean + mean0 + g);
    const floatv r = 1.0f / sqrt(LOADV(variance + variance0 + g) + epsilon);
    x += x0 + kept_offset(g);
    y += y0 + kept_offset(g);
#if PARAMETER == 0
    const floatv scale = r * GAMMA_OF(g, 0), shift = BETA_OF(g, 0);
    for (uint e = first; e < last; e++)
        STOREK(ACTIVATE((LOADK(x + over_offset(e)) - m) * scale + shift), y + over_offset(e));
#else
    for (uint e = first; e < last; e++)
        STOREK((LOADK(x + over_offset(e)) - m) * r * GAMMA_OF(g, e) + BETA_OF(g, e), y + over_offset(e));
#endif
}

/* What comes back through f; y is computed again, which is less to read than what was stored. */
#if ACTIVATION
#define THROUGH(d, x, m, scale, shift) ACTIVATE_GRADIENT(ACTIVATE(((x) - (m)) * (scale) + (shift)), d)
#else
#define THROUGH(d, x, m, scale, shift) (d)
#endif

/* With d = dy * gamma (dy f' alone where gamma is the group's) and h = (x - mean) / sqrt(variance + epsilon):
 * part[s, 0, g] = sum of d, part[s, 1, g] = sum of d * h over slice s. */
ALONE kernel void gradient_sums(global const kept *x, ulong x0, global const kept *dy, ulong dy0, global const float *mean,
                          ulong mean0, global const float *variance, ulong variance0, global const float *gamma,
                          ulong gamma0, global const float *beta, ulong beta0, global float *part, ulong part0, float epsilon, uint size, uint slice,
                          uint groups)
{
    const uint g = get_global_id(0) * VW, s = get_global_id(1);
    const uint first = s * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    const floatv m = LOADV(mean + mean0 + g);
    const floatv r = 1.0f / sqrt(LOADV(variance + variance0 + g) + epsilon);
    x += x0 + kept_offset(g);
    dy += dy0 + kept_offset(g);
    floatv plain = 0.0f, along = 0.0f;
#if PARAMETER == 0
    const floatv scale = r * GAMMA_OF(g, 0), shift = BETA_OF(g, 0);
#endif
    for (uint e = first; e < last; e++) {
        const floatv v = LOADK(x + over_offset(e));
#if PARAMETER == 0
        const floatv got = LOADK(dy + over_offset(e)), d = THROUGH(got, v, m, scale, shift);
#else
        const floatv d = LOADK(dy + over_offset(e)) * GAMMA_OF(g, e);
#endif
        plain += d;
        along += d * ((v - m) * r);
    }
    part += part0 + (ulong)s * 2 * groups + g;
    STOREV(plain, part);
    STOREV(along, part + groups);
}

/* sums (2, groups) = the slices' sums. One work-item an element. */
ALONE kernel void join_sums(global const float *part, ulong part0, global float *sums, ulong sums0, uint slices, uint groups)
{
    const uint i = get_global_id(0);
    if (i >= 2 * groups) return;
    float sum = 0;
    for (uint s = 0; s < slices; s++)
        sum += part[part0 + (ulong)s * 2 * groups + i];
    sums[sums0 + i] = sum;
}

/* dx from the sums over the group: r gamma (d - mean(d) - h mean(d h)); with constant statistics, of which
 * only batch normalization knows, r gamma d. dx may be dy. */
ALONE kernel void input_gradient(global const kept *x, ulong x0, global const kept *dy, ulong dy0, global const float *mean,
                           ulong mean0, global const float *variance, ulong variance0, global const float *gamma,
                           ulong gamma0, global const float *beta, ulong beta0, global const float *sums, ulong sums0, global kept *dx, ulong dx0,
                           float epsilon, int constant_stats, uint size, uint slice, uint groups)
{
    const uint g = get_global_id(0) * VW, s = get_global_id(1);
    const uint first = s * slice, last = min(size, first + slice);
    if (g >= groups || first >= last) return;
    const floatv r = 1.0f / sqrt(LOADV(variance + variance0 + g) + epsilon);
    const floatv m = LOADV(mean + mean0 + g);
    x += x0 + kept_offset(g);
    dy += dy0 + kept_offset(g);
    dx += dx0 + kept_offset(g);
#if PARAMETER == 0
    const floatv scale = r * GAMMA_OF(g, 0), shift = BETA_OF(g, 0);
    if (constant_stats) {
        for (uint e = first; e < last; e++) {
            const floatv got = LOADK(dy + over_offset(e));
            STOREK(THROUGH(got, LOADK(x + over_offset(e)), m, scale, shift) * scale, dx + over_offset(e));
        }
        return;
    }
#endif
    const floatv plain = LOADV(sums + sums0 + g) / (float)size, along = LOADV(sums + sums0 + groups + g) / (float)size;
#if PARAMETER == 0
    for (uint e = first; e < last; e++) {
        const floatv got = LOADK(dy + over_offset(e)), v = LOADK(x + over_offset(e));
        STOREK(scale * (THROUGH(got, v, m, scale, shift) - plain - (v - m) * r * along), dx + over_offset(e));
    }
#else
    for (uint e = first; e < last; e++)
        STOREK(r * (LOADK(dy + over_offset(e)) * GAMMA_OF(g, e) - plain - (LOADK(x + over_offset(e)) - m) * r * along),
               dx + over_offset(e));
#endif
}
