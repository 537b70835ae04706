#include "dist/half.h"

#include <string.h>

static const uint32_t SIGN = 0x80000000u, INFINITE = 0x7f800000u, QUIET = 0x00400000u;

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- bfloat16 -------------------------------------------------------------------------------------------------- */

static uint16_t bf16_of(uint32_t bits)
{
    const uint32_t size = bits & ~SIGN;
    if (size > INFINITE) return (uint16_t)((bits | QUIET) >> 16);
    const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    const uint32_t overflows = size < INFINITE && (rounded & 0x7fffu) == INFINITE >> 16;
    return (uint16_t)(rounded - overflows);
}

void strata_to_bf16(const float *from, uint16_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++) to[i] = bf16_of(bits_of(from[i]));
}

void strata_from_bf16(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++) to[i] = float_of((uint32_t)from[i] << 16);
}

/* ---- binary16 -------------------------------------------------------------------------------------------------- */

enum { HALF_INFINITE = 0x7c00, HALF_QUIET = 0x0200, HALF_LARGEST = 0x7bff };

/* Of a number below 65520, the first that rounds to infinity. Numbers below 2^-14 are multiples of 2^-24: added to a half, the
 * last bit of that float is 2^-24, so that the addition rounds as it should. */
static uint32_t small_half(uint32_t size)
{
    if (size < 0x38800000u) return bits_of(float_of(size) + 0.5f) - bits_of(0.5f);
    return (size + 0xfffu + (size >> 13 & 1) - 0x38000000u) >> 13;
}

static uint16_t fp16_of(uint32_t bits, size_t *saturated)
{
    const uint32_t size = bits & ~SIGN, sign = bits >> 16 & 0x8000u;
    if (size < 0x477ff000u) return (uint16_t)(sign | small_half(size));
    if (size > INFINITE) return (uint16_t)(sign | HALF_INFINITE | HALF_QUIET);
    *saturated += size < INFINITE;
    return (uint16_t)(sign | (size < INFINITE ? HALF_LARGEST : HALF_INFINITE));
}

size_t strata_to_fp16(const float *from, uint16_t *to, size_t count)
{
    size_t saturated = 0;
    for (size_t i = 0; i < count; i++) to[i] = fp16_of(bits_of(from[i]), &saturated);
    return saturated;
}

/* The bits in a float's place are the number times 2^-112, also below 2^-14. */
static float fp16_value(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, size = half & 0x7fffu;
    if (size >= HALF_INFINITE) return float_of(sign | INFINITE | (size & 0x3ffu) << 13);
    return float_of(sign | bits_of(float_of(size << 13) * 0x1p112f));
}

void strata_from_fp16(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++) to[i] = fp16_value(from[i]);
}
