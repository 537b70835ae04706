#include "base/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* A key such that Philox sees the words k0, k1: without a purpose nothing is mixed in. */
static struct random_key raw_key(uint32_t k0, uint32_t k1, uint32_t stream, uint32_t epoch)
{
    return (struct random_key){ .seed = (uint64_t)k1 << 32 | k0, .stream = stream, .epoch = epoch };
}

/* Random123's kat_vectors, lines "philox4x32 10": counter, key, result. */
Test(random, blocks_are_the_known_answers_of_philox_4x32_10)
{
    static const uint32_t known[][10] = {
        { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
        { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
          0xa20bc7c6, 0x6d5451fd },
        { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
          0x5001e420, 0x24126ea1 },
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *k = known[i];
        const struct random_key key = raw_key(k[4], k[5], k[1], k[3]);
        uint32_t out[4];
        strata_random_block(&key, k[2], k[0], out);
        for (int j = 0; j < 4; j++) cr_assert_eq(out[j], k[6 + j], "vector %d word %d: %08x", i, j, out[j]);
    }
}

Test(random, the_purpose_is_part_of_the_key)
{
    const struct random_key with = { .seed = 5, .purpose = RANDOM_ORDER, .stream = 7, .epoch = 9 };
    const struct random_key same = raw_key(5, RANDOM_ORDER * 0x9E3779B9u, 7, 9);
    uint32_t a[4], b[4];
    strata_random_block(&with, 1, 2, a);
    strata_random_block(&same, 1, 2, b);
    for (int i = 0; i < 4; i++) cr_assert_eq(a[i], b[i]);
}

enum { MANY = 200000 };

static float *drawn(void (*fill)(const struct random_key *, float, float, float *, size_t), float a, float b)
{
    const struct random_key key = { .seed = 42, .purpose = RANDOM_WEIGHTS, .stream = 3 };
    float *values = malloc(MANY * sizeof *values);
    fill(&key, a, b, values, MANY);
    return values;
}

static void moments(const float *v, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < MANY; i++) {
        sum += v[i];
        squares += (double)v[i] * v[i];
    }
    *mean = sum / MANY;
    *variance = squares / MANY - *mean * *mean;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Largest distance between the sample's distribution and `cdf`; sorts the values. 1.95 / sqrt(n) is exceeded by a
 * true sample with probability 0.001 (Kolmogorov); the draws here are fixed, so the test never flickers. */
static void follows(float *values, double (*cdf)(double))
{
    double worst = 0;
    qsort(values, MANY, sizeof *values, by_value);
    for (size_t i = 0; i < MANY; i++) {
        const double c = cdf(values[i]);
        worst = fmax(worst, fmax(fabs(c - (double)i / MANY), fabs(c - (double)(i + 1) / MANY)));
    }
    cr_assert_lt(worst, 1.95 / sqrt(MANY));
}

static double uniform_cdf(double x)
{
    return (x + 2) / 5;
}

static double phi(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double normal_cdf(double x)
{
    return phi((x - 1) / 2);
}

static double truncated_cdf(double x)
{
    return (phi((x - 1) / 2) - phi(-2)) / (phi(2) - phi(-2));
}

/* Tolerances of means and variances: about four standard errors of MANY draws. */
Test(random, uniform_numbers_fill_their_range_evenly)
{
    double mean, variance;
    float *v = drawn(strata_random_uniform, -2, 3);
    moments(v, &mean, &variance);
    cr_assert_float_eq(mean, 0.5, 0.013);
    cr_assert_float_eq(variance, 25.0 / 12, 0.02);
    follows(v, uniform_cdf);
    cr_assert(v[0] >= -2 && v[MANY - 1] < 3);
    free(v);
}

Test(random, normal_numbers_are_normal)
{
    double mean, variance;
    float *v = drawn(strata_random_normal, 1, 2);
    moments(v, &mean, &variance);
    cr_assert_float_eq(mean, 1, 0.018);
    cr_assert_float_eq(variance, 4, 0.051);
    follows(v, normal_cdf);
    free(v);
}

Test(random, truncated_normal_numbers_stay_within_two_deviations)
{
    float *v = drawn(strata_random_truncated_normal, 1, 2);
    follows(v, truncated_cdf);
    cr_assert(v[0] >= -3 && v[MANY - 1] <= 5);
    free(v);
}

Test(random, neighbours_do_not_correlate)
{
    float *v = drawn(strata_random_normal, 0, 1);
    for (size_t lag = 1; lag <= 5; lag++) {
        double sum = 0;
        for (size_t i = lag; i < MANY; i++) sum += (double)v[i] * v[i - lag];
        cr_assert_lt(fabs(sum / MANY), 4 / sqrt(MANY), "lag %zu", lag);
    }
    free(v);
}

Test(random, a_prefix_of_a_fill_is_the_fill_of_a_prefix)
{
    const struct random_key key = { .seed = 7, .purpose = RANDOM_WEIGHTS };
    float whole[103], part[41];
    strata_random_truncated_normal(&key, 0, 1, whole, 103);
    strata_random_truncated_normal(&key, 0, 1, part, 41);
    for (int i = 0; i < 41; i++) cr_assert_eq(whole[i], part[i]);
}

Test(random, streams_epochs_and_seeds_differ)
{
    const struct random_key base = { .seed = 7, .purpose = RANDOM_LAYER, .stream = 1, .epoch = 1 };
    struct random_key other[4] = { base, base, base, base };
    other[0].seed = 8;
    other[1].purpose = RANDOM_DATA;
    other[2].stream = 2;
    other[3].epoch = 2;
    uint32_t a[4], b[4];
    strata_random_block(&base, 0, 0, a);
    for (int i = 0; i < 4; i++) {
        strata_random_block(&other[i], 0, 0, b);
        cr_assert_neq(a[0], b[0]);
    }
}

Test(random, permutations_are_permutations)
{
    static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 16, 17, 100, 1000, 4097 };
    const struct random_key key = { .seed = 3, .purpose = RANDOM_ORDER, .epoch = 2 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        bool *seen = calloc(sizes[s], sizeof *seen);
        for (uint64_t i = 0; i < sizes[s]; i++) {
            const uint64_t at = strata_random_permute(&key, i, sizes[s]);
            cr_assert_lt(at, sizes[s]);
            cr_assert_not(seen[at], "%lu comes twice among %lu", (unsigned long)at, (unsigned long)sizes[s]);
            seen[at] = true;
        }
        free(seen);
    }
}

/* Over many epochs each of the 5 items stands at each of the 5 places about equally often: chi-squared with 16
 * degrees of freedom exceeds 39.25 with probability 0.001. */
Test(random, permutations_put_every_item_everywhere)
{
    enum { N = 5, EPOCHS = 5000 };
    double counts[N][N] = { { 0 } }, chi = 0;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        const struct random_key key = { .seed = 11, .purpose = RANDOM_ORDER, .epoch = epoch };
        for (uint64_t i = 0; i < N; i++) counts[i][strata_random_permute(&key, i, N)]++;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) chi += pow(counts[i][j] - EPOCHS / N, 2) / (EPOCHS / N);
    cr_assert_lt(chi, 39.25, "chi squared is %g", chi);
}
