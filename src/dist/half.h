/* Floats in 16 bits, for the wire. Rounded to nearest, ties to even; NaN stays NaN. */
#ifndef STRATA_DIST_HALF_H
#define STRATA_DIST_HALF_H

#include <stddef.h>
#include <stdint.h>

/* bfloat16: the upper half of a float, 8 bits of precision, the same range. A finite number stays finite. */
void strata_to_bf16(const float *from, uint16_t *to, size_t count);
void strata_from_bf16(const uint16_t *from, float *to, size_t count);

/* IEEE 754 binary16: 11 bits of precision from 2^-14 to 65504, fewer down to 2^-24; what is smaller is lost. Finite numbers of
 * more than 65504 become that, with their sign; infinities stay. Returns how many did. */
size_t strata_to_fp16(const float *from, uint16_t *to, size_t count);
void strata_from_fp16(const uint16_t *from, float *to, size_t count);

#endif
