/* The random layers: y = f(x, noise), and their gradients, which draw the same noise again.
 *
 *   -D KIND=0 dropout           y = x scale where u >= rate, else 0
 *           1 alpha dropout     y = scale (x where u >= rate, else shift) + offset
 *           2 gaussian noise    y = x + deviation z
 *           3 gaussian dropout  y = x (1 + deviation z)
 *   -D GRADIENT=1               the same for dy: alpha dropout without shift and offset
 *   -D AXES=0                   each element of a sample has a number of its own: element i word i % 4 of block i / 4.
 *                               One work-item: eight blocks.
 *   -D AXES=1..5 D0.. N0..      a sample has axes of extents D0, D1, ..; element (i0, i1, ..) has the number of index
 *                               i0 N0 + i1 N1 + .. (N 0 where the noise repeats). One work-item: eight elements.
 *
 * Dimension 0 are eights of blocks, or of elements, of a sample, dimension 1 samples. The key is made of the step's words, the
 * layer's own seed and its stream; the counter holds the sample's index in the dataset. */
#include "alone.h"
#include "philox.h"
#include "step.h"
#if !defined(KIND) || !defined(GRADIENT) || !defined(AXES)
#error "noise.cl needs -D KIND, GRADIENT and AXES"
#endif
#define PURPOSE_LAYER 3

/* noise[4 i + k]: number k of blocks[i]. */
static inline void draw(global const uint *words, uint sample, uint8 blocks, uint own_low, uint own_high, uint stream,
                        float noise[32])
{
    const uint2 key = (uint2)(words[STEP_SEED_LOW] ^ own_low, words[STEP_SEED_HIGH] ^ own_high ^ PURPOSE_LAYER * 0x9E3779B9u);
    const struct philox8 counter = { blocks, (uint8)(stream), (uint8)(words[STEP_ROWS + sample]), (uint8)(words[STEP_EPOCH]) };
    const struct philox8 drawn = philox(counter, key);
    float8 v[4];
#if KIND <= 1
    v[0] = philox_unit(drawn.x);
    v[1] = philox_unit(drawn.y);
    v[2] = philox_unit(drawn.z);
    v[3] = philox_unit(drawn.w);
#else
    philox_normals(drawn.x, drawn.y, &v[0], &v[1]);
    philox_normals(drawn.z, drawn.w, &v[2], &v[3]);
#endif
    float lanes[4][8];
    for (int k = 0; k < 4; k++)
        vstore8(v[k], 0, lanes[k]);
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 4; k++)
            noise[4 * i + k] = lanes[k][i];
}

static inline float apply(float v, float noise, float4 c)
{
#if KIND == 0
    return noise >= c.x ? v * c.y : 0.0f;
#elif KIND == 1 && GRADIENT
    return noise >= c.x ? v * c.y : 0.0f;
#elif KIND == 1
    return (noise >= c.x ? v : c.z) * c.y + c.w;
#elif KIND == 2
    return v + c.x * noise;
#else
    return v * (1.0f + c.x * noise);
#endif
}

#if AXES > 0
static inline uint noise_index(uint i)
{
    uint at = 0;
#if AXES > 4
    at += i % D4 * N4;
    i /= D4;
#endif
#if AXES > 3
    at += i % D3 * N3;
    i /= D3;
#endif
#if AXES > 2
    at += i % D2 * N2;
    i /= D2;
#endif
#if AXES > 1
    at += i % D1 * N1;
    i /= D1;
#endif
    return at + i * N0;
}
#endif

/* c0..c3: dropout (rate, scale), alpha dropout (rate, scale, shift, offset), the others (deviation). y may be x. */
ALONE kernel void apply_noise(global const float *x, ulong x0, global float *y, ulong y0, global const uint *words,
                        uint own_low, uint own_high, uint stream, float c0, float c1, float c2, float c3, uint count,
                        uint n)
{
    const uint item = get_global_id(0), sample = get_global_id(1);
    const float4 c = (float4)(c0, c1, c2, c3);
    if (sample >= n) return;
    x += x0 + (ulong)sample * count;
    y += y0 + (ulong)sample * count;
    float noise[32];
#if AXES == 0
    const uint first = item * 32, last = min(first + 32, count);
    if (first >= count) return;
    draw(words, sample, item * 8 + (uint8)(0, 1, 2, 3, 4, 5, 6, 7), own_low, own_high, stream, noise);
    for (uint k = first; k < last; k++)
        y[k] = apply(x[k], noise[k - first], c);
#else
    const uint first = item * 8, last = min(first + 8, count);
    if (first >= count) return;
    uint at[8];
    for (uint i = 0; i < 8; i++)
        at[i] = noise_index(first + i);
    draw(words, sample, vload8(0, at) / 4, own_low, own_high, stream, noise);
    for (uint k = first; k < last; k++)
        y[k] = apply(x[k], noise[4 * (k - first) + at[k - first] % 4], c);
#endif
}
