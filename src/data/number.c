#include "data/number.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

strata_type strata_number_type(const struct number *number)
{
    const bool is_unsigned = number->kind == NUMBER_UNSIGNED;
    if (number->kind == NUMBER_FLOAT) return STRATA_FLOAT32;
    if (is_unsigned && number->size == 1) return STRATA_UINT8;
    return number->size + is_unsigned <= 4 ? STRATA_INT32 : STRATA_INT64;
}

static uint64_t bits_of(const unsigned char *at, size_t size, bool big)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) bits = bits << 8 | at[big ? i : size - 1 - i];
    return bits;
}

/* Of IEEE 754's binary16. */
static float half(uint32_t bits)
{
    const float sign = bits & 0x8000 ? -1.0f : 1.0f;
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31) return fraction ? NAN : sign * INFINITY;
    return sign * (exponent == 0 ? ldexpf((float)fraction, -24) : ldexpf((float)(1024 + fraction), exponent - 25));
}

static float real_of(uint64_t bits, size_t size)
{
    if (size == 2) return half((uint32_t)bits);
    if (size == 4) {
        const uint32_t narrow = (uint32_t)bits;
        float real;
        memcpy(&real, &narrow, sizeof real);
        return real;
    }
    double real;
    memcpy(&real, &bits, sizeof real);
    return (float)real;
}

/* The 64 bits that mean the same; of an unsigned number they may mean too much. */
static int64_t integer_of(uint64_t bits, const struct number *number)
{
    const unsigned unused = 64 - 8 * (unsigned)number->size;
    return number->kind == NUMBER_SIGNED ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
}

static bool store_integer(int64_t value, bool too_large, strata_type as, void *to, size_t i)
{
    if (as == STRATA_UINT8) {
        ((uint8_t *)to)[i] = (uint8_t)value;
        return true;
    }
    if (as == STRATA_FLOAT32) {
        ((float *)to)[i] = (float)value;
        return !too_large;
    }
    if (as == STRATA_INT64) {
        ((int64_t *)to)[i] = value;
        return !too_large;
    }
    ((int32_t *)to)[i] = (int32_t)value;
    return !too_large && value >= INT32_MIN && value <= INT32_MAX;
}

static bool is_same(const struct number *number, strata_type as)
{
    static const int one = 1;
    const bool native = number->size == 1 || number->big == (*(const char *)&one == 0);
    return native && ((as == STRATA_FLOAT32 && number->kind == NUMBER_FLOAT && number->size == 4)
                      || (as == STRATA_UINT8 && number->kind == NUMBER_UNSIGNED)
                      || (as == STRATA_INT32 && number->kind == NUMBER_SIGNED && number->size == 4)
                      || (as == STRATA_INT64 && number->kind == NUMBER_SIGNED && number->size == 8));
}

bool strata_numbers_convert(const struct number *number, const void *from, size_t count, strata_type as, void *to,
                            size_t *bad)
{
    const unsigned char *at = from;
    if (is_same(number, as)) {
        memcpy(to, from, count * number->size);
        return true;
    }
    for (size_t i = 0; i < count; i++, at += number->size) {
        const uint64_t bits = bits_of(at, number->size, number->big);
        if (number->kind == NUMBER_FLOAT) {
            ((float *)to)[i] = real_of(bits, number->size);
        } else if (!store_integer(integer_of(bits, number),
                                  number->kind == NUMBER_UNSIGNED && bits > INT64_MAX, as, to, i)) {
            *bad = i;
            return false;
        }
    }
    return true;
}
