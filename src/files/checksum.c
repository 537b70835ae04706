#include "files/checksum.h"

#include <zlib.h>

static uint32_t plain(uint32_t checksum, const unsigned char *bytes, size_t size)
{
    return (uint32_t)crc32_z(checksum, bytes, size);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Multiplication without carries folds 64 bytes at a time, about ten times as fast as tables do.
 * Source: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009, with its
 * constants for the reflected polynomial. */
enum { AT_ONCE = 64, LANE = 16 };

#define FOLDS __attribute__((target("pclmul,sse4.1")))

FOLDS static __m128i load(const unsigned char *bytes)
{
    return _mm_loadu_si128((const void *)bytes);
}

/* Moves what was summed so far over the bytes that `by` stands for, and adds those there. */
FOLDS static __m128i fold(__m128i sum, __m128i by, __m128i next)
{
    const __m128i low = _mm_clmulepi64_si128(sum, by, 0x00), high = _mm_clmulepi64_si128(sum, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

FOLDS static uint32_t reduce(__m128i sum)
{
    const __m128i by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0), by_8 = _mm_set_epi64x(0, 0x163cd6124);
    const __m128i polynomial = _mm_set_epi64x(0x1f7011641, 0x1db710641), word = _mm_setr_epi32(-1, 0, -1, 0);
    sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, by_16, 0x10));
    sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, word), by_8, 0x00));
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, word), polynomial, 0x10);
    quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, word), polynomial, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1);
}

/* size: a multiple of LANE, at least AT_ONCE. */
FOLDS static uint32_t folded(const unsigned char *bytes, size_t size)
{
    const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    const unsigned char *const end = bytes + size;
    __m128i sum[AT_ONCE / LANE];
    for (int i = 0; i < AT_ONCE / LANE; i++) sum[i] = load(bytes + LANE * i);
    sum[0] = _mm_xor_si128(sum[0], _mm_cvtsi32_si128(-1));
    for (bytes += AT_ONCE; end - bytes >= AT_ONCE; bytes += AT_ONCE)
        for (int i = 0; i < AT_ONCE / LANE; i++) sum[i] = fold(sum[i], by_64, load(bytes + LANE * i));
    for (int i = 1; i < AT_ONCE / LANE; i++) sum[0] = fold(sum[0], by_16, sum[i]);
    for (; bytes < end; bytes += LANE) sum[0] = fold(sum[0], by_16, load(bytes));
    return ~reduce(sum[0]);
}

uint32_t strata_checksum(const void *bytes, size_t size)
{
    const size_t whole = size / LANE * LANE;
    if (whole < AT_ONCE || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return plain(0, bytes, size);
    return plain(folded(bytes, whole), (const unsigned char *)bytes + whole, size - whole);
}
#else
uint32_t strata_checksum(const void *bytes, size_t size)
{
    return plain(0, bytes, size);
}
#endif
