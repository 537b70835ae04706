/* Philox 4x32-10, the numbers of src/base/random.h (Salmon et al., SC11), eight blocks at a time:
 *   key (seed low, seed high ^ purpose * 0x9E3779B9), counter (block, stream, sample, epoch). */

/* The four words of each of eight blocks. */
struct philox8 {
    uint8 x, y, z, w;
};

static inline struct philox8 philox(struct philox8 c, uint2 key)
{
    for (int round = 0; round < 10; round++) {
        const ulong8 p0 = convert_ulong8(c.x) * 0xD2511F53ul, p1 = convert_ulong8(c.z) * 0xCD9E8D57ul;
        const uint8 y = c.y, w = c.w;
        c.x = convert_uint8(p1 >> 32) ^ y ^ key.x;
        c.y = convert_uint8(p1);
        c.z = convert_uint8(p0 >> 32) ^ w ^ key.y;
        c.w = convert_uint8(p0);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

/* In [0, 1), 24 bits. */
static inline float8 philox_unit(uint8 words)
{
    return convert_float8(words >> 8) * 0x1p-24f;
}

/* Two standard normals by Box-Muller. */
static inline void philox_normals(uint8 a, uint8 b, float8 *first, float8 *second)
{
    const float8 radius = sqrt(-2.0f * log((convert_float8(a >> 8) + 1.0f) * 0x1p-24f));
    const float8 angle = 6.283185307179586f * philox_unit(b);
    *first = radius * cos(angle);
    *second = radius * sin(angle);
}
