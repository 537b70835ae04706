/* Losses that are a mean (or sum) over the last axis of something of one element, and their gradients.
 *
 * One work-item per row of `columns` elements: it writes the row's loss to values, and to d the gradient with respect
 * to `at` times the weight of the row's sample times the step's loss scale. d and weight may be null.
 *   -D LOSS     the name of the loss: one of those below
 *   factor      1 / columns, or 1 for sums;  a, b, c: what the loss's arguments are, see the host
 * Formulas and gradients at knots: keras/src/losses/losses.py on TensorFlow, where maximum(x, y) passes its gradient to
 * x on ties, abs none at 0, and clipping none outside its range. */
#include "alone.h"
#include "step.h"

#ifndef LOSS
#error "-D LOSS is needed"
#endif
#define CLIP 1e-7f

/* log(1 + exp(x)) without overflow */
static float softplus(float x)
{
    return fmax(x, 0.0f) + log1p(exp(-fabs(x)));
}

static float2 mean_squared_error(float t, float p, float a, float b, float c)
{
    return (float2)((p - t) * (p - t), 2 * (p - t));
}

static float2 mean_absolute_error(float t, float p, float a, float b, float c)
{
    return (float2)(fabs(p - t), sign(p - t));
}

static float2 mean_absolute_percentage_error(float t, float p, float a, float b, float c)
{
    const float size = fmax(fabs(t), CLIP);
    return (float2)(100 * fabs((t - p) / size), 100 * sign(p - t) / size);
}

static float2 mean_squared_logarithmic_error(float t, float p, float a, float b, float c)
{
    const float difference = log(fmax(p, CLIP) + 1) - log(fmax(t, CLIP) + 1);
    return (float2)(difference * difference, p >= CLIP ? 2 * difference / (p + 1) : 0);
}

/* a: delta */
static float2 huber(float t, float p, float a, float b, float c)
{
    const float error = p - t, size = fabs(error);
    return size <= a ? (float2)(0.5f * error * error, error) : (float2)(a * size - 0.5f * a * a, a * sign(error));
}

static float2 log_cosh(float t, float p, float a, float b, float c)
{
    const float x = p - t;
    return (float2)(x + softplus(-2 * x) - M_LN2_F, tanh(x));
}

static float2 poisson(float t, float p, float a, float b, float c)
{
    return (float2)(p - t * log(p + CLIP), 1 - t / (p + CLIP));
}

/* Labels 0 and 1 stand for -1 and 1. */
static float two_sided(float t)
{
    return t == 0 ? -1.0f : t;
}

static float2 hinge(float t, float p, float a, float b, float c)
{
    const float side = two_sided(t), margin = 1 - side * p;
    return margin >= 0 ? (float2)(margin, -side) : (float2)(0, 0);
}

static float2 squared_hinge(float t, float p, float a, float b, float c)
{
    const float side = two_sided(t), margin = fmax(1 - side * p, 0.0f);
    return (float2)(margin * margin, -2 * margin * side);
}

static float2 kl_divergence(float t, float p, float a, float b, float c)
{
    const float label = clamp(t, CLIP, 1.0f), clipped = clamp(p, CLIP, 1.0f);
    return (float2)(label * log(label / clipped), p >= CLIP && p <= 1 ? -label / p : 0);
}

/* a: label smoothing */
static float2 binary_crossentropy(float t, float p, float a, float b, float c)
{
    const float label = t * (1 - a) + 0.5f * a, clipped = clamp(p, CLIP, 1 - CLIP);
    const float slope = p >= CLIP && p <= 1 - CLIP ? (1 - label) / (1 - p) - label / p : 0;
    return (float2)(-label * log(clipped) - (1 - label) * log(1 - clipped), slope);
}

static float2 binary_crossentropy_logits(float t, float x, float a, float b, float c)
{
    const float label = t * (1 - a) + 0.5f * a;
    return (float2)(softplus(x) - x * label, 1 / (1 + exp(-x)) - label);
}

/* (1 - s)^gamma * crossentropy, s the chance that the prediction gives the label.
 * a: gamma, b: the weight of label 1 (of 0: 1 - b) or -1 for none, c: label smoothing */
static float2 focal(float label, float p, float2 cross, float a, float b)
{
    const float missed = 1 - (label * p + (1 - label) * (1 - p)), weight = b < 0 ? 1 : label * b + (1 - label) * (1 - b);
    const float factor = pow(missed, a), slope = a == 0 ? 0 : -a * pow(missed, a - 1) * (2 * label - 1);
    return weight * (float2)(factor * cross.x, slope * cross.x + factor * cross.y);
}

static float2 binary_focal_crossentropy(float t, float p, float a, float b, float c)
{
    const float label = t * (1 - c) + 0.5f * c;
    return focal(label, p, binary_crossentropy(label, p, 0, 0, 0), a, b);
}

static float2 binary_focal_crossentropy_logits(float t, float x, float a, float b, float c)
{
    const float label = t * (1 - c) + 0.5f * c, p = 1 / (1 + exp(-x)), inner = p * (1 - p);
    const float2 cross = (float2)(softplus(x) - x * label, inner > 0 ? (p - label) / inner : 0);
    const float2 loss = focal(label, p, cross, a, b);
    return (float2)(loss.x, loss.y * inner);
}

ALONE kernel void loss(global const float *at, ulong at0, global const float *y, ulong y0, global const float *weight,
                 ulong weight0, global float *d, ulong d0, global float *values, ulong values0,
                 global const uint *words, int columns, int sample_rows, float factor, float a, float b, float c, ulong n)
{
    const size_t row = get_global_id(0);
    if (row >= n) return;
    const size_t first = row * columns;
    const float scale = as_float(words[STEP_LOSS_SCALE]) * factor * (weight ? weight[weight0 + row / sample_rows] : 1);
    float sum = 0;
    for (int i = 0; i < columns; ++i) {
        const float2 one = LOSS(y[y0 + first + i], at[at0 + first + i], a, b, c);
        sum += one.x;
        if (d) d[d0 + first + i] = scale * one.y;
    }
    values[values0 + row] = sum * factor;
}
