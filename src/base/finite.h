/* Whether a number is one, by its bits, so that compilers make vectors of a loop over many. */
#ifndef STRATA_BASE_FINITE_H
#define STRATA_BASE_FINITE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An exponent that is all ones is that of an infinity, or of no number (IEEE 754). */
static inline bool strata_is_odd(float value)
{
    const uint32_t exponent = 0x7f800000;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & exponent) == exponent;
}

#endif
