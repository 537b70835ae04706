/* What the layers that augment images draw, a work-item a sample (dimension 0), and what they do to brightness. */
#include "philox.h"
#include "step.h"
#define PURPOSE_LAYER 3

/* Four numbers a sample, of block 0 of its counter: low + u (high - low), u in [0, 1). */
kernel void draw(global const uint *words, global float *numbers, ulong numbers0, uint own_low, uint own_high, uint stream,
                 float low0, float high0, float low1, float high1, uint n)
{
    const uint s = get_global_id(0);
    if (s >= n) return;
    const uint2 key = (uint2)(words[STEP_SEED_LOW] ^ own_low, words[STEP_SEED_HIGH] ^ own_high ^ PURPOSE_LAYER * 0x9E3779B9u);
    const struct philox8 counter = { (uint8)(0), (uint8)(stream), (uint8)(words[STEP_ROWS + s]), (uint8)(words[STEP_EPOCH]) };
    const struct philox8 drawn = philox(counter, key);
    numbers[numbers0 + 2 * s] = low0 + philox_unit(drawn.x).s0 * (high0 - low0);
    numbers[numbers0 + 2 * s + 1] = low1 + philox_unit(drawn.y).s0 * (high1 - low1);
}

/* The map of cl/resample.cl for two numbers. KIND 0 flip (a: both where it is at most 1/2; b unused), 1 translation (by a rows
 * and b columns), 2 rotation (by a, in radians), 3 zoom (a of the height, b of the width), 4 crop (from row a, column b, rounded
 * down). sides: 1 horizontal, 2 vertical, of flips; 4: the zooms are both a. */
kernel void maps(global const float *numbers, ulong numbers0, global float *t, ulong t0, int kind, int sides, int height,
                 int width, uint n)
{
    const uint s = get_global_id(0);
    if (s >= n) return;
    const float a = numbers[numbers0 + 2 * s], b = sides == 4 ? a : numbers[numbers0 + 2 * s + 1];
    const float cx = 0.5f * (width - 1), cy = 0.5f * (height - 1);
    float m[6] = { 1, 0, 0, 0, 1, 0 };
    if (kind == 0 && a <= 0.5f) {
        m[0] = sides & 1 ? -1 : 1;
        m[2] = sides & 1 ? width - 1 : 0;
        m[4] = sides & 2 ? -1 : 1;
        m[5] = sides & 2 ? height - 1 : 0;
    } else if (kind == 1) {
        m[2] = -b;
        m[5] = -a;
    } else if (kind == 2) {
        m[0] = m[4] = cos(a);
        m[3] = sin(a);
        m[1] = -m[3];
        m[2] = cx - cx * m[0] - cy * m[1];
        m[5] = cy - cx * m[3] - cy * m[4];
    } else if (kind == 3) {
        m[0] = b;
        m[4] = a;
        m[2] = cx * (1 - b);
        m[5] = cy * (1 - a);
    } else if (kind == 4) {
        m[2] = floor(b);
        m[5] = floor(a);
    }
    for (int i = 0; i < 6; i++) t[t0 + 6 * s + i] = m[i];
}

/* The same map for all samples. */
kernel void same_map(global float *t, ulong t0, float m0, float m1, float m2, float m3, float m4, float m5, uint n)
{
    const float m[6] = { m0, m1, m2, m3, m4, m5 };
    const uint s = get_global_id(0);
    if (s >= n) return;
    for (int i = 0; i < 6; i++) t[t0 + 6 * s + i] = m[i];
}

/* y = x + a, between low and high. Dimension 0 elements of a sample, 1 samples. */
kernel void brighten(global const float *x, ulong x0, global float *y, ulong y0, global const float *numbers, ulong numbers0,
                     float low, float high, ulong count)
{
    const ulong e = get_global_id(0), s = get_global_id(1);
    if (e >= count) return;
    y[y0 + s * count + e] = clamp(x[x0 + s * count + e] + numbers[numbers0 + 2 * s], low, high);
}

kernel void brighten_gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                              global const float *numbers, ulong numbers0, float low, float high, ulong count)
{
    const ulong e = get_global_id(0), s = get_global_id(1);
    if (e >= count) return;
    const float v = x[x0 + s * count + e] + numbers[numbers0 + 2 * s];
    dx[dx0 + s * count + e] = v >= low && v <= high ? dy[dy0 + s * count + e] : 0;
}

static inline float mean_of(global const float *x, ulong pixels, int channels)
{
    float sum = 0;
    for (ulong i = 0; i < pixels; i++) sum += x[i * channels];
    return sum / pixels;
}

/* y = (x - mean) a + mean, between low and high; the mean is that of a channel. Dimension 0 channels, 1 samples. */
kernel void contrast(global const float *x, ulong x0, global float *y, ulong y0, global const float *numbers, ulong numbers0,
                     float low, float high, ulong pixels, int channels)
{
    const ulong c = get_global_id(0), s = get_global_id(1);
    if (c >= channels) return;
    x += x0 + s * pixels * channels + c;
    y += y0 + s * pixels * channels + c;
    const float mean = mean_of(x, pixels, channels), factor = numbers[numbers0 + 2 * s];
    for (ulong i = 0; i < pixels; i++) y[i * channels] = clamp((x[i * channels] - mean) * factor + mean, low, high);
}

/* With g = dy where y was not cut: dx = a g + (1 - a) mean(g). */
kernel void contrast_gradient(global const float *x, ulong x0, global const float *dy, ulong dy0, global float *dx, ulong dx0,
                              global const float *numbers, ulong numbers0, float low, float high, ulong pixels, int channels)
{
    const ulong c = get_global_id(0), s = get_global_id(1);
    if (c >= channels) return;
    x += x0 + s * pixels * channels + c;
    dy += dy0 + s * pixels * channels + c;
    dx += dx0 + s * pixels * channels + c;
    const float mean = mean_of(x, pixels, channels), factor = numbers[numbers0 + 2 * s];
    float sum = 0;
    for (ulong i = 0; i < pixels; i++) {
        const float v = (x[i * channels] - mean) * factor + mean;
        dx[i * channels] = v >= low && v <= high ? dy[i * channels] : 0;
        sum += dx[i * channels];
    }
    for (ulong i = 0; i < pixels; i++) dx[i * channels] = factor * dx[i * channels] + (1 - factor) * sum / pixels;
}
