/* Philox 4x32-10, the numbers of src/base/random.h (Salmon et al., SC11):
 *   key (seed low, seed high ^ purpose * 0x9E3779B9), counter (block, stream, sample, epoch). */
static inline uint4 philox(uint4 c, uint2 key)
{
    for (int round = 0; round < 10; round++) {
        const uint low0 = 0xD2511F53u * c.x, high0 = mul_hi(0xD2511F53u, c.x);
        const uint low1 = 0xCD9E8D57u * c.z, high1 = mul_hi(0xCD9E8D57u, c.z);
        c = (uint4)(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

/* In [0, 1), 24 bits. */
static inline float4 philox_uniform(uint4 words)
{
    return convert_float4(words >> 8) * 0x1p-24f;
}

/* Standard normals by Box-Muller: (x, y) from words x and y, (z, w) from z and w. */
static inline float4 philox_normal(uint4 words)
{
    const float2 radius = sqrt(-2.0f * log((convert_float2(words.xz >> 8) + 1.0f) * 0x1p-24f));
    const float2 angle = 6.283185307179586f * (convert_float2(words.yw >> 8) * 0x1p-24f);
    return (float4)(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));
}
