/* Vectors that are cut short where a row ends. After vector.h; VW is not 2. */

#if VW == 1
#define load_some(from, some) (*(from))
#define store_some(v, to, some) (*(to) = (v))
#define fill_rest(v, some, other) (v)
#define sum_lanes(v) (v)
#define most_of_lanes(v) (v)
#define one_at(lane) ((lane) == 0 ? 1.0f : 0.0f)
#else

#if VW == 4
#define LANES ((int4)(0, 1, 2, 3))
#elif VW == 8
#define LANES ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
#else
#define LANES ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#endif

/* `some` floats, or all of a vector where there are more; zeros behind them. */
static inline floatv load_some(global const float *from, int some)
{
    if (some >= VW) return LOADV(from);
    if (some <= 0) return 0;
    const float2 two = (float2)(some & 1 ? from[some & ~1] : 0, 0);
    const float4 four = some & 2 ? (float4)(vload2(0, from + (some & ~3)), two) : (float4)(two, 0, 0);
#if VW == 4
    return four;
#else
    const float8 eight = some & 4 ? (float8)(vload4(0, from + (some & ~7)), four) : (float8)(four, (float4)(0));
#if VW == 8
    return eight;
#else
    return some & 8 ? (float16)(vload8(0, from), eight) : (float16)(eight, (float8)(0));
#endif
#endif
}

/* The first `some` of a vector, or all where there are more. */
static inline void store_some(floatv v, global float *to, int some)
{
    if (some >= VW) {
        STOREV(v, to);
        return;
    }
#if VW == 16
    float8 eight = v.lo;
    if (some & 8) {
        vstore8(eight, 0, to);
        to += 8;
        eight = v.hi;
    }
#elif VW == 8
    const float8 eight = v;
#endif
#if VW == 4
    const float4 four = v;
#else
    float4 four = eight.lo;
    if (some & 4) {
        vstore4(four, 0, to);
        to += 4;
        four = eight.hi;
    }
#endif
    float2 two = four.lo;
    if (some & 2) {
        vstore2(two, 0, to);
        to += 2;
        two = four.hi;
    }
    if (some & 1) *to = two.x;
}

/* v, but `other` behind its first `some`. */
static inline floatv fill_rest(floatv v, int some, float other)
{
    return some >= VW ? v : LANES < some ? v : (floatv)(other);
}

/* 1 in that lane, if there is one, and 0 in the others. */
static inline floatv one_at(int lane)
{
    return LANES == lane ? (floatv)(1) : (floatv)(0);
}

/* Of all lanes, half by half. */
#if VW == 4
#define FOUR(JOIN) const float4 four = v
#elif VW == 8
#define FOUR(JOIN) const float4 four = JOIN(v.lo, v.hi)
#else
#define FOUR(JOIN) const float8 eight = JOIN(v.lo, v.hi); const float4 four = JOIN(eight.lo, eight.hi)
#endif
#define FOLD(name, JOIN)                            \
    static inline float name(floatv v)              \
    {                                               \
        FOUR(JOIN);                                 \
        const float2 two = JOIN(four.lo, four.hi);  \
        return JOIN(two.x, two.y);                  \
    }
#define ADD(a, b) ((a) + (b))

FOLD(sum_lanes, ADD)
FOLD(most_of_lanes, fmax)
#endif
