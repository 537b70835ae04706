#include "base/random.h"

#include <Random123/philox.h>
#include <math.h>

void strata_random_block(const struct random_key *key, uint32_t sample, uint32_t block, uint32_t out[4])
{
    const philox4x32_key_t k = { { (uint32_t)key->seed, (uint32_t)(key->seed >> 32) ^ key->purpose * 0x9E3779B9u } };
    const philox4x32_ctr_t c = { { block, key->stream, sample, key->epoch } };
    const philox4x32_ctr_t r = philox4x32(c, k);
    for (int i = 0; i < 4; i++)
        out[i] = r.v[i];
}

/* In [0, 1), 24 bits, so that a float holds it exactly. */
static float unit(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

void strata_random_uniform(const struct random_key *key, float low, float high, float *out, size_t count)
{
    uint32_t words[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            strata_random_block(key, (uint32_t)(i >> 34), (uint32_t)(i / 4), words);
        out[i] = low + (high - low) * unit(words[i % 4]);
    }
}

/* Box-Muller: two normals from two words; the first word is moved into (0, 1] for the logarithm. */
static void normal_pair(const uint32_t words[2], float pair[2])
{
    const double radius = sqrt(-2 * log(((double)(words[0] >> 8) + 1) * 0x1p-24));
    const double angle = 6.283185307179586 * unit(words[1]);
    pair[0] = (float)(radius * cos(angle));
    pair[1] = (float)(radius * sin(angle));
}

static void normal_block(const struct random_key *key, size_t block, float out[4])
{
    uint32_t words[4];
    strata_random_block(key, (uint32_t)(block >> 32), (uint32_t)block, words);
    normal_pair(words, out);
    normal_pair(words + 2, out + 2);
}

void strata_random_normal(const struct random_key *key, float mean, float stddev, float *out, size_t count)
{
    float block[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            normal_block(key, i / 4, block);
        out[i] = mean + stddev * block[i % 4];
    }
}

void strata_random_truncated_normal(const struct random_key *key, float mean, float stddev, float *out, size_t count)
{
    float block[4];
    for (size_t i = 0; i < count; i++) {
        struct random_key again = *key;
        if (i % 4 == 0)
            normal_block(key, i / 4, block);
        float v = block[i % 4];
        while (fabsf(v) > 2) {
            float redrawn[4];
            again.epoch++;
            normal_block(&again, i / 4, redrawn);
            v = redrawn[i % 4];
        }
        out[i] = mean + stddev * v;
    }
}

/* Twelve rounds over two halves of `bits` bits each: with four or eight, the few items of a small data set keep to
 * some places more than to others. */
static uint64_t feistel(const struct random_key *key, uint64_t x, int bits)
{
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint64_t left = x >> bits, right = x & mask;
    for (uint32_t round = 0; round < 12; round++) {
        uint32_t words[4];
        strata_random_block(key, (uint32_t)right, round, words);
        const uint64_t next = (left ^ words[0]) & mask;
        left = right;
        right = next;
    }
    return left << bits | right;
}

uint64_t strata_random_permute(const struct random_key *key, uint64_t position, uint64_t n)
{
    int bits = 1;
    while (bits < 32 && ((uint64_t)1 << 2 * bits) < n)
        bits++;
    uint64_t x = position;
    do
        x = feistel(key, x, bits);
    while (x >= n);
    return x;
}
