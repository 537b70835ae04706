/* Types of numbers and filters of chunks, as HDF5 defines them. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "data/hdf5_priv.h"

/* ---- types --------------------------------------------------------------------------------------------------------- */

static bool is_half(hid_t type)
{
    size_t sign, exponent, exponent_bits, fraction, fraction_bits;
    return H5Tget_size(type) == 2 && H5Tget_ebias(type) == 15
           && H5Tget_fields(type, &sign, &exponent, &exponent_bits, &fraction, &fraction_bits) >= 0 && sign == 15
           && exponent == 10 && exponent_bits == 5 && fraction == 0 && fraction_bits == 10;
}

static bool is_ieee(hid_t type)
{
    return H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F32BE) > 0
           || H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0 || is_half(type);
}

static bool is_plain_integer(hid_t type)
{
    const size_t size = H5Tget_size(type);
    return (size == 1 || size == 2 || size == 4 || size == 8) && H5Tget_precision(type) == 8 * size
           && H5Tget_offset(type) == 0;
}

bool strata_hdf5_number(hid_t type, struct number *number, const char *what, strata_error *err)
{
    const H5T_class_t class = H5Tget_class(type);
    const H5T_order_t order = class == H5T_FLOAT || class == H5T_INTEGER ? H5Tget_order(type) : H5T_ORDER_NONE;
    *number = (struct number){ NUMBER_FLOAT, H5Tget_size(type), order == H5T_ORDER_BE };
    const bool known = (order == H5T_ORDER_LE || order == H5T_ORDER_BE)
                       && (class == H5T_FLOAT ? is_ieee(type) : is_plain_integer(type));
    if (!known)
        return strata_fail(err, STRATA_EFILE, "%s: it does not hold numbers of a type that Strata reads (floats, and "
                           "integers of up to 64 bits)", what);
    if (class == H5T_INTEGER) number->kind = H5Tget_sign(type) == H5T_SGN_NONE ? NUMBER_UNSIGNED : NUMBER_SIGNED;
    return true;
}

/* ---- filters ------------------------------------------------------------------------------------------------------- */

/* HDF5's fletcher32 over big-endian words, after Fletcher's sums of 16 bits modulo 65535. */
static uint32_t fletcher32(const unsigned char *at, size_t size)
{
    enum { BEFORE_OVERFLOW = 360 };
    uint32_t a = 0, b = 0;
    for (size_t words = size / 2; words > 0;) {
        size_t n = words < BEFORE_OVERFLOW ? words : BEFORE_OVERFLOW;
        words -= n;
        for (; n > 0; n--, at += 2) b += a += (uint32_t)at[0] << 8 | at[1];
        a = (a & 0xffff) + (a >> 16);
        b = (b & 0xffff) + (b >> 16);
    }
    if (size % 2) {
        b += a += (uint32_t)at[0] << 8;
        a = (a & 0xffff) + (a >> 16);
        b = (b & 0xffff) + (b >> 16);
    }
    a = (a & 0xffff) + (a >> 16);
    b = (b & 0xffff) + (b >> 16);
    return b << 16 | a;
}

static bool check_sum(const char *what, const unsigned char *bytes, size_t *size, strata_error *err)
{
    if (*size < 4) return strata_fail(err, STRATA_EFILE, "%s: damaged: a chunk without its checksum", what);
    *size -= 4;
    const unsigned char *sum = bytes + *size;
    const uint32_t stored = (uint32_t)sum[3] << 24 | (uint32_t)sum[2] << 16 | (uint32_t)sum[1] << 8 | sum[0];
    return stored == fletcher32(bytes, *size)
           || strata_fail(err, STRATA_EFILE, "%s: damaged: a chunk's checksum is wrong", what);
}

static bool inflate_bytes(const char *what, size_t most, unsigned char **bytes, size_t *size, strata_error *err)
{
    uLongf made = most;
    unsigned char *out = strata_alloc(most, 1, err);
    if (!out) return false;
    const int why = uncompress(out, &made, *bytes, *size);
    free(*bytes);
    *bytes = out;
    *size = made;
    return why == Z_OK
           || strata_fail_native(err, STRATA_EFILE, why, "%s: damaged: a chunk cannot be unpacked: %s", what,
                                 zError(why));
}

/* Byte k of all numbers lies together; what is left over at the end is as it was. */
static bool unshuffle(size_t element, unsigned char **bytes, size_t size, strata_error *err)
{
    const size_t count = size / element;
    unsigned char *out = strata_alloc(size, 1, err);
    if (!out) return false;
    for (size_t k = 0; k < element; k++)
        for (size_t i = 0; i < count; i++) out[i * element + k] = (*bytes)[k * count + i];
    memcpy(out + count * element, *bytes + count * element, size - count * element);
    free(*bytes);
    *bytes = out;
    return true;
}

bool strata_hdf5_unfilter(const struct h5_array *a, uint32_t mask, size_t whole, unsigned char **bytes, size_t *size,
                          strata_error *err)
{
    bool ok = true;
    for (int i = a->filters - 1; ok && i >= 0; i--) {
        if (mask & 1u << i) continue;
        if (a->filter[i] == H5Z_FILTER_FLETCHER32)
            ok = check_sum(a->what, *bytes, size, err);
        else if (a->filter[i] == H5Z_FILTER_SHUFFLE)
            ok = unshuffle(a->number.size, bytes, *size, err);
        else
            ok = inflate_bytes(a->what, whole + 4, bytes, size, err); /* a checksum may have come before */
    }
    return ok
           && (*size == whole
               || strata_fail(err, STRATA_EFILE, "%s: damaged: a chunk has %zu bytes where %zu are expected", a->what,
                              *size, whole));
}
