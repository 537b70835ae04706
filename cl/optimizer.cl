/* The updates of Keras's optimizers, elementwise over a span of the flat arenas: w weights, g gradients, the other
 * places the optimizer's slots. One work-item per element; items past n do nothing. Numbers that are the same for all
 * elements come ready from the host. squares, where it is not null, stands for the squared gradient. Each formula is that of update_step in keras/src/optimizers. */
#include "past.h"

kernel void sgd(global float *w, ulong w0, global const float *g, ulong g0, float rate, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    w[w0 + i] -= rate * g[g0 + i];
}

/* m = momentum * m - rate * g;  w += nesterov ? momentum * m - rate * g : m */
kernel void sgd_momentum(global float *w, ulong w0, global const float *g, ulong g0, global float *m, ulong m0,
                         float rate, float momentum, int nesterov, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float step = rate * g[g0 + i];
    const float next = momentum * m[m0 + i] - step;
    m[m0 + i] = next;
    w[w0 + i] += nesterov ? momentum * next - step : next;
}

/* alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t);  w -= alpha * m / (sqrt(v) + epsilon) */
kernel void adam(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *m, ulong m0,
                 global float *v, ulong v0, float alpha, float one_minus_beta_1, float one_minus_beta_2, float epsilon,
                 ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float mean = m[m0 + i] + (gradient - m[m0 + i]) * one_minus_beta_1;
    const float square = v[v0 + i] + (gradient_square - v[v0 + i]) * one_minus_beta_2;
    m[m0 + i] = mean;
    v[v0 + i] = square;
    w[w0 + i] -= mean * alpha / (sqrt(square) + epsilon);
}

/* The same with the largest v so far below the root. */
kernel void adam_amsgrad(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *m, ulong m0,
                         global float *v, ulong v0, global float *largest, ulong l0, float alpha,
                         float one_minus_beta_1, float one_minus_beta_2, float epsilon, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float mean = m[m0 + i] + (gradient - m[m0 + i]) * one_minus_beta_1;
    const float square = v[v0 + i] + (gradient_square - v[v0 + i]) * one_minus_beta_2;
    const float most = fmax(largest[l0 + i], square);
    m[m0 + i] = mean;
    v[v0 + i] = square;
    largest[l0 + i] = most;
    w[w0 + i] -= mean * alpha / (sqrt(most) + epsilon);
}

/* scale = rate / (1 - beta_1^t);  w -= scale * m / (u + epsilon) */
kernel void adamax(global float *w, ulong w0, global const float *g, ulong g0, global float *m, ulong m0,
                   global float *u, ulong u0, float scale, float one_minus_beta_1, float beta_2, float epsilon, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float mean = m[m0 + i] + (gradient - m[m0 + i]) * one_minus_beta_1;
    const float norm = fmax(beta_2 * u[u0 + i], fabs(gradient));
    m[m0 + i] = mean;
    u[u0 + i] = norm;
    w[w0 + i] -= scale * mean / (norm + epsilon);
}

/* from_mean = u_next / (1 - product_next), from_gradient = (1 - u) / (1 - product), from_square = 1 / (1 - beta_2^t) */
kernel void nadam(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *m, ulong m0,
                  global float *v, ulong v0, float rate, float one_minus_beta_1, float one_minus_beta_2, float epsilon,
                  float from_mean, float from_gradient, float from_square, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float mean = m[m0 + i] + (gradient - m[m0 + i]) * one_minus_beta_1;
    const float square = v[v0 + i] + (gradient_square - v[v0 + i]) * one_minus_beta_2;
    m[m0 + i] = mean;
    v[v0 + i] = square;
    w[w0 + i] -= (from_mean * mean + from_gradient * gradient) * rate / (sqrt(square * from_square) + epsilon);
}

/* With centered, the variance instead of the mean square; with momentum, m carries the steps on. Slots that are not
 * wanted are null. */
kernel void rmsprop(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *v, ulong v0,
                    global float *m, ulong m0, global float *average, ulong a0, float rate, float rho, float momentum,
                    float epsilon, int has_momentum, int centered, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float square = rho * v[v0 + i] + (1 - rho) * gradient_square;
    float denominator = square + epsilon;
    v[v0 + i] = square;
    if (centered) {
        const float mean = rho * average[a0 + i] + (1 - rho) * gradient;
        average[a0 + i] = mean;
        denominator = square - mean * mean + epsilon;
    }
    float step = rate * gradient / sqrt(denominator);
    if (has_momentum) {
        step += momentum * m[m0 + i];
        m[m0 + i] = step;
    }
    w[w0 + i] -= step;
}

kernel void adagrad(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *sum, ulong s0,
                    float rate, float epsilon, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float total = sum[s0 + i] + gradient_square;
    sum[s0 + i] = total;
    w[w0 + i] -= rate * gradient / sqrt(total + epsilon);
}

kernel void adadelta(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *sums, ulong s0,
                     global float *deltas, ulong d0, float rate, float rho, float epsilon, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float square = rho * sums[s0 + i] + (1 - rho) * gradient_square;
    const float factor = sqrt(deltas[d0 + i] + epsilon) / sqrt(square + epsilon);
    sums[s0 + i] = square;
    deltas[d0 + i] = rho * deltas[d0 + i] + (1 - rho) * factor * factor * gradient_square;
    w[w0 + i] -= rate * factor * gradient;
}

/* power = -learning_rate_power; l2 includes beta / (2 rate). */
kernel void ftrl(global float *w, ulong w0, global const float *g, ulong g0,
                 global const float *squares, ulong squares0, global float *sum, ulong s0,
                 global float *linear, ulong l0, float rate, float power, float l1, float l2, float shrinkage, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i], weight = w[w0 + i], before = sum[s0 + i];
    const float gradient_square = squares ? squares[squares0 + i] : gradient * gradient;
    const float after = before + gradient_square;
    const float root = power == 0.5f ? sqrt(after) : pow(after, power);
    const float root_before = power == 0.5f ? sqrt(before) : pow(before, power);
    const float z = linear[l0 + i] + gradient + 2 * shrinkage * weight - (root - root_before) / rate * weight;
    linear[l0 + i] = z;
    sum[s0 + i] = after;
    w[w0 + i] = (clamp(z, -l1, l1) - z) / (root / rate + 2 * l2);
}

kernel void lion(global float *w, ulong w0, global const float *g, ulong g0, global float *m, ulong m0, float rate,
                 float beta_1, float beta_2, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float gradient = g[g0 + i], mean = m[m0 + i];
    const float direction = mean * beta_1 + gradient * (1 - beta_1);
    w[w0 + i] -= rate * sign(direction);
    m[m0 + i] = mean * beta_2 + gradient * (1 - beta_2);
}
