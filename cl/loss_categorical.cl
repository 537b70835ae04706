/* Losses over the last axis as a whole, and their gradients.
 *
 * One work-item per row of `columns` elements: it writes the row's loss to values, and to d the gradient with respect
 * to `at` times the weight of the row's sample times the step's loss scale. d and weight may be null. Labels are rows of
 * as many floats, or one class index a row; a row whose index is out of range has loss NaN and no gradient (the host
 * refuses such labels before). Formulas: keras/src/losses/losses.py and backend/tensorflow/nn.py. -D VW, see vector.h: of logits. */
#include "alone.h"
#include "step.h"
#include "vector.h"
#include "some.h"

#define CLIP 1e-7f

static bool inside(float p)
{
    return p >= CLIP && p <= 1 - CLIP;
}

static float row_scale(global const uint *words, global const float *weight, ulong weight0, size_t sample)
{
    return as_float(words[STEP_LOSS_SCALE]) * (weight ? weight[weight0 + sample] : 1);
}

/* x: the row; the largest element in .x, the logarithm of sum(exp(x - largest)) in .y */
static float2 log_sum_exp(global const float *x, int columns)
{
    floatv most = -INFINITY, sum = 0;
    for (int c = 0; c < columns; c += VW) most = fmax(most, fill_rest(load_some(x + c, columns - c), columns - c, -INFINITY));
    const float largest = most_of_lanes(most);
    for (int c = 0; c < columns; c += VW) sum += fill_rest(exp(load_some(x + c, columns - c) - largest), columns - c, 0);
    return (float2)(largest, log(sum_lanes(sum)));
}

/* -sum(t * log_softmax(x)); the smoothed label is t * keep + spread. The labels of a row need not sum to 1. */
ALONE kernel void softmax_logits(global const float *at, ulong at0, global const float *y, ulong y0,
                           global const float *weight, ulong weight0, global float *d, ulong d0, global float *values,
                           ulong values0, global const uint *words, int columns, int sample_rows, float keep,
                           float spread, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *x = at + at0 + row * columns, *t = y + y0 + row * columns;
    const float2 norm = log_sum_exp(x, columns);
    floatv loss = 0, labels = 0;
    for (int c = 0; c < columns; c += VW) {
        const floatv label = fill_rest(load_some(t + c, columns - c) * keep + spread, columns - c, 0);
        loss -= label * (load_some(x + c, columns - c) - norm.x - norm.y);
        labels += label;
    }
    values[values0 + row] = sum_lanes(loss);
    if (!d) return;
    const float scale = row_scale(words, weight, weight0, row / sample_rows), total = sum_lanes(labels);
    for (int c = 0; c < columns; c += VW) {
        const floatv share = exp(load_some(x + c, columns - c) - norm.x - norm.y), label = load_some(t + c, columns - c) * keep + spread;
        store_some(scale * (total * share - label), d + d0 + row * columns + c, columns - c);
    }
}

/* The same for class indices. */
ALONE kernel void sparse_logits(global const float *at, ulong at0, global const int *y, ulong y0,
                          global const float *weight, ulong weight0, global float *d, ulong d0, global float *values,
                          ulong values0, global const uint *words, int columns, int sample_rows, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *x = at + at0 + row * columns;
    const int label = y[y0 + row];
    const bool good = label >= 0 && label < columns;
    const float2 norm = log_sum_exp(x, columns);
    values[values0 + row] = good ? norm.y - (x[label] - norm.x) : NAN;
    if (!d) return;
    const float scale = good ? row_scale(words, weight, weight0, row / sample_rows) : 0;
    for (int c = 0; c < columns; c += VW)
        store_some(scale * (exp(load_some(x + c, columns - c) - norm.x - norm.y) - one_at(label - c)), d + d0 + row * columns + c,
                   columns - c);
}

/* Probabilities o = p / sum(p), clipped: -sum(t * log(o)). */
ALONE kernel void probabilities(global const float *at, ulong at0, global const float *y, ulong y0,
                          global const float *weight, ulong weight0, global float *d, ulong d0, global float *values,
                          ulong values0, global const uint *words, int columns, int sample_rows, float keep,
                          float spread, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *p = at + at0 + row * columns, *t = y + y0 + row * columns;
    float sum = 0, loss = 0, mixed = 0; /* mixed: sum of o * dloss/do */
    for (int c = 0; c < columns; ++c) sum += p[c];
    for (int c = 0; c < columns; ++c) {
        const float o = p[c] / sum, label = t[c] * keep + spread;
        loss -= label * log(clamp(o, CLIP, 1 - CLIP));
        mixed -= inside(o) ? label : 0;
    }
    values[values0 + row] = loss;
    if (!d) return;
    const float scale = row_scale(words, weight, weight0, row / sample_rows) / sum;
    for (int c = 0; c < columns; ++c) {
        const float o = p[c] / sum, label = t[c] * keep + spread;
        d[d0 + row * columns + c] = scale * ((inside(o) ? -label / o : 0) - mixed);
    }
}

/* Class indices: the logarithms of clipped probabilities q are taken as logits: log(sum(q)) - log(q[label]). */
ALONE kernel void sparse_probabilities(global const float *at, ulong at0, global const int *y, ulong y0,
                                 global const float *weight, ulong weight0, global float *d, ulong d0,
                                 global float *values, ulong values0, global const uint *words, int columns,
                                 int sample_rows, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *p = at + at0 + row * columns;
    const int label = y[y0 + row];
    const bool good = label >= 0 && label < columns;
    float sum = 0;
    for (int c = 0; c < columns; ++c) sum += clamp(p[c], CLIP, 1 - CLIP);
    values[values0 + row] = good ? log(sum) - log(clamp(p[label], CLIP, 1 - CLIP)) : NAN;
    if (!d) return;
    const float scale = good ? row_scale(words, weight, weight0, row / sample_rows) : 0;
    for (int c = 0; c < columns; ++c)
        d[d0 + row * columns + c] = inside(p[c]) ? scale * (1 / sum - (c == label) / p[c]) : 0;
}

/* alpha * sum((1 - o)^gamma * -t * log(o)) with o as in probabilities, or the softmax of logits. */
ALONE kernel void focal(global const float *at, ulong at0, global const float *y, ulong y0, global const float *weight,
                  ulong weight0, global float *d, ulong d0, global float *values, ulong values0,
                  global const uint *words, int columns, int sample_rows, float keep, float spread, float alpha,
                  float gamma, int from_logits, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *p = at + at0 + row * columns, *t = y + y0 + row * columns;
    const float2 norm = log_sum_exp(p, columns);
    float sum = 0, loss = 0, mixed = 0;
    for (int c = 0; c < columns; ++c) sum += p[c];
    const float scale = row_scale(words, weight, weight0, row / sample_rows);
    for (int pass = 0; pass < (d ? 2 : 1); ++pass)
        for (int c = 0; c < columns; ++c) {
            const float raw = from_logits ? exp(p[c] - norm.x - norm.y) : p[c] / sum;
            const float o = clamp(raw, CLIP, 1 - CLIP), label = t[c] * keep + spread;
            const float factor = alpha * pow(1 - o, gamma);
            const float factor_slope = gamma == 0 ? 0 : -alpha * gamma * pow(1 - o, gamma - 1);
            const float slope = inside(raw) ? -label * (factor / o + factor_slope * log(o)) : 0;
            if (pass == 0) {
                loss -= label * factor * log(o);
                mixed += raw * slope;
            } else {
                d[d0 + row * columns + c] = scale * (slope - mixed) * (from_logits ? raw : 1 / sum);
            }
        }
    values[values0 + row] = loss;
}

/* -cos of the angle between label and prediction: rows are normalized by rsqrt(max(sum of squares, 1e-12)). */
ALONE kernel void cosine_similarity(global const float *at, ulong at0, global const float *y, ulong y0,
                              global const float *weight, ulong weight0, global float *d, ulong d0,
                              global float *values, ulong values0, global const uint *words, int columns,
                              int sample_rows, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *p = at + at0 + row * columns, *t = y + y0 + row * columns;
    float pp = 0, tt = 0, pt = 0;
    for (int c = 0; c < columns; ++c) {
        pp += p[c] * p[c];
        tt += t[c] * t[c];
        pt += p[c] * t[c];
    }
    const float p_norm = 1 / sqrt(fmax(pp, 1e-12f)), t_norm = 1 / sqrt(fmax(tt, 1e-12f));
    values[values0 + row] = -pt * p_norm * t_norm;
    if (!d) return;
    const float scale = row_scale(words, weight, weight0, row / sample_rows) * p_norm * t_norm;
    const float along = pp >= 1e-12f ? pt * p_norm * p_norm : 0;
    for (int c = 0; c < columns; ++c) d[d0 + row * columns + c] = scale * (along * p[c] - t[c]);
}

/* max(1 + max((1 - t) * p) - sum(t * p), 0); equal maxima share the gradient. */
ALONE kernel void categorical_hinge(global const float *at, ulong at0, global const float *y, ulong y0,
                              global const float *weight, ulong weight0, global float *d, ulong d0,
                              global float *values, ulong values0, global const uint *words, int columns,
                              int sample_rows, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *p = at + at0 + row * columns, *t = y + y0 + row * columns;
    float right = 0, wrong = -INFINITY;
    int ties = 0;
    for (int c = 0; c < columns; ++c) {
        const float other = (1 - t[c]) * p[c];
        right += t[c] * p[c];
        ties = other > wrong ? 1 : ties + (other == wrong);
        wrong = fmax(wrong, other);
    }
    const float margin = wrong - right + 1;
    values[values0 + row] = fmax(margin, 0.0f);
    if (!d) return;
    const float scale = margin >= 0 ? row_scale(words, weight, weight0, row / sample_rows) : 0;
    for (int c = 0; c < columns; ++c) {
        const float share = (1 - t[c]) * p[c] == wrong ? (1 - t[c]) / ties : 0;
        d[d0 + row * columns + c] = scale * (share - t[c]);
    }
}

/* (1 - p[label]^q) / q */
ALONE kernel void generalized(global const float *at, ulong at0, global const int *y, ulong y0, global const float *weight,
                        ulong weight0, global float *d, ulong d0, global float *values, ulong values0,
                        global const uint *words, int columns, int sample_rows, float q, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    global const float *p = at + at0 + row * columns;
    const int label = y[y0 + row];
    const bool good = label >= 0 && label < columns;
    values[values0 + row] = good ? (1 - pow(p[label], q)) / q : NAN;
    if (!d) return;
    const float scale = good ? row_scale(words, weight, weight0, row / sample_rows) : 0;
    for (int c = 0; c < columns; ++c) d[d0 + row * columns + c] = c == label ? -scale * pow(p[c], q - 1) : 0;
}
