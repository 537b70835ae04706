/* Random numbers without a state: each is a function of a key and a position, by Philox 4x32-10 (Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC11; the Random123 library). cl/philox.h computes the same. */
#ifndef STRATA_BASE_RANDOM_H
#define STRATA_BASE_RANDOM_H

#include <stdint.h>
#include <stddef.h>

/* What a stream of numbers is for; part of the key, so that streams never meet. */
enum random_purpose { RANDOM_WEIGHTS = 1, RANDOM_ORDER, RANDOM_LAYER, RANDOM_DATA };

struct random_key {
    uint64_t seed;
    uint32_t purpose; /* enum random_purpose */
    uint32_t stream;  /* layer or tensor index */
    uint32_t epoch;
};

/* Four 32-bit numbers of block `block` of sample `sample`: Philox with
 *   key     = (seed low, seed high ^ purpose * 0x9E3779B9)
 *   counter = (block, stream, sample, epoch)  */
void strata_random_block(const struct random_key *key, uint32_t sample, uint32_t block, uint32_t out[4]);

/* Fills of count elements; element i takes word i % 4 of block i / 4 (normal: pairs by Box-Muller from words 0, 1
 * and 2, 3). uniform is in [low, high): (word >> 8) * 2^-24 scaled; truncated normals are redrawn beyond two
 * standard deviations from blocks with the next epoch numbers. */
void strata_random_uniform(const struct random_key *key, float low, float high, float *out, size_t count);
void strata_random_normal(const struct random_key *key, float mean, float stddev, float *out, size_t count);
void strata_random_truncated_normal(const struct random_key *key, float mean, float stddev, float *out, size_t count);

/* The value at `position` of a pseudo-random permutation of 0..n-1 (a keyed Feistel network with cycle walking). */
uint64_t strata_random_permute(const struct random_key *key, uint64_t position, uint64_t n);

#endif
