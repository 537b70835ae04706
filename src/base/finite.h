/* Whether numbers are such, by their bits, which denormal ones do not slow, and in lanes, of which compilers make vectors. */
#ifndef STRATA_BASE_FINITE_H
#define STRATA_BASE_FINITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The top bit says whether the value is an infinity, or no number: an exponent that is all ones (IEEE 754), to which one more carries. */
static inline uint32_t strata_odd_bit(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7fffffff) + 0x00800000;
}

static inline bool strata_is_odd(float value)
{
    return strata_odd_bit(value) >> 31;
}

/* Whether one of them is. */
static inline bool strata_has_odd(const float *values, size_t count)
{
    enum { LANES = 32 };
    uint32_t lanes[LANES] = { 0 }, all = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++) lanes[k] |= strata_odd_bit(values[i + k]);
    for (; i < count; i++) all |= strata_odd_bit(values[i]);
    for (size_t k = 0; k < LANES; k++) all |= lanes[k];
    return all >> 31;
}

#endif
