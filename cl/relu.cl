/* ReLU with its three settings, and its gradient. One work-item an element; items past n do nothing.
 *
 *   positive part   x where x > threshold, else 0; clamped to [0, cap] when there is a cap
 *   negative part   slope * (x - threshold) where x < threshold */
#include "past.h"

kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, float threshold, float slope, int capped,
                    float cap, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float v = x[x0 + i];
    float positive = v <= threshold ? 0 : v;
    if (capped)
        positive = positive < 0 ? 0 : positive > cap ? cap : positive;
    y[y0 + i] = v < threshold ? positive + slope * (v - threshold) : positive;
}

/* TensorFlow's choices at the knots: the cap passes the gradient unless `open_cap` (its relu6), and the threshold
 * has none unless `slope_at_threshold` (its leaky_relu). */
kernel void gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                     float threshold, float slope, int capped, float cap, int open_cap, int slope_at_threshold, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float v = x[x0 + i], d = dy[dy0 + i];
    const bool below = v < threshold || (slope_at_threshold && v == threshold);
    const bool inside = v >= 0 && (open_cap ? v < cap : v <= cap);
    const bool passes = v > threshold && (!capped || inside);
    dx[dx0 + i] = (passes ? d : 0) + (below ? slope * d : 0);
}
