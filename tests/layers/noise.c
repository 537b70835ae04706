/* The random layers: what they draw, how often, and that it does not depend on how the batch is cut. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layers/drawn.h"

enum { FEATURES = 999, SAMPLES = 64 }; /* features are no multiple of the four numbers of a block */

static float *ones(size_t count)
{
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++) x[i] = 1;
    return x;
}

static void number(uint32_t rows[SAMPLES], uint32_t first)
{
    for (uint32_t i = 0; i < SAMPLES; i++) rows[i] = first + i;
}

static void moments(const float *v, size_t count, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += v[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += (v[i] - *mean) * (v[i] - *mean);
    *variance = squares / (double)count;
}

Test(noise, dropout_keeps_the_rate_and_scales_by_its_inverse)
{
    struct device *device = open_device();
    uint32_t rows[SAMPLES];
    number(rows, 1000);
    float *x = ones(SAMPLES * FEATURES);
    const struct drawn d = { "Dropout", "{\"rate\": 0.3}", { 1, { FEATURES } }, 7, 2, false };
    float *y = draw(device, &d, x, rows, SAMPLES);
    size_t kept = 0;
    for (size_t i = 0; i < SAMPLES * FEATURES; i++) {
        cr_assert(y[i] == 0 || fabsf(y[i] - 1 / 0.7f) < 1e-6f, "%g", (double)y[i]);
        kept += y[i] != 0;
    }
    /* five standard deviations of a binomial */
    const double count = SAMPLES * FEATURES, off = fabs((double)kept - 0.7 * count);
    cr_expect(off < 5 * sqrt(count * 0.3 * 0.7), "%zu of %g kept", kept, count);
    free(x);
    free(y);
    strata_device_close(device);
}

Test(noise, the_mask_is_that_of_philox_on_the_host)
{
    struct device *device = open_device();
    const uint32_t rows[2] = { 123456, 3 };
    float *x = ones(2 * 10);
    const struct drawn d = { "Dropout", "{\"rate\": 0.5}", { 1, { 10 } }, 0x1234567890abcdefu, 9, false };
    float *y = draw(device, &d, x, rows, 2);
    const struct random_key key = { .seed = d.seed, .purpose = RANDOM_LAYER, .stream = 7, .epoch = 9 };
    for (size_t s = 0; s < 2; s++) {
        for (uint32_t i = 0; i < 10; i++) {
            uint32_t words[4];
            strata_random_block(&key, rows[s], i / 4, words);
            cr_expect_eq(y[s * 10 + i] != 0, (words[i % 4] >> 8) * 0x1p-24f >= 0.5f, "sample %zu, element %u",
                         s, i);
        }
    }
    free(x);
    free(y);
    strata_device_close(device);
}

/* Every random layer: samples drawn in another order and in two batches get what they got in one. */
Test(noise, does_not_depend_on_the_batch_or_the_order)
{
    static const struct {
        const char *class_name, *config;
        struct shape in;
    } layers[] = {
        { "Dropout", "{\"rate\": 0.5}", { 1, { 37 } } },
        { "Dropout", "{\"rate\": 0.5, \"noise_shape\": [null, 1, 3]}", { 2, { 5, 3 } } },
        { "SpatialDropout1D", "{\"rate\": 0.5}", { 2, { 5, 7 } } },
        { "SpatialDropout2D", "{\"rate\": 0.5}", { 3, { 2, 3, 9 } } },
        { "AlphaDropout", "{\"rate\": 0.5}", { 1, { 37 } } },
        { "GaussianDropout", "{\"rate\": 0.5}", { 1, { 37 } } },
        { "GaussianNoise", "{\"stddev\": 0.5}", { 1, { 37 } } },
        { "RandomFlip", "{}", { 3, { 4, 5, 2 } } },
        { "RandomTranslation", "{\"height_factor\": 0.4, \"width_factor\": [-0.2, 0.3]}", { 3, { 4, 5, 2 } } },
        { "RandomRotation", "{\"factor\": 0.5}", { 3, { 4, 5, 2 } } },
        { "RandomZoom", "{\"height_factor\": 0.5, \"width_factor\": 0.4}", { 3, { 4, 5, 2 } } },
        { "RandomBrightness", "{\"factor\": 0.5}", { 3, { 4, 5, 2 } } },
        { "RandomContrast", "{\"factor\": 0.5}", { 3, { 4, 5, 2 } } },
    };
    struct device *device = open_device();
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++) {
        const struct drawn d = { layers[l].class_name, layers[l].config, layers[l].in, 5, 1, false };
        const size_t count = strata_shape_count(&d.in);
        const uint32_t whole[6] = { 0, 1, 2, 3, 4, 5 }, first[2] = { 4, 1 }, second[4] = { 5, 3, 2, 0 };
        float *x = ones(6 * count);
        for (size_t i = 0; i < 6 * count; i++) x[i] += (float)(i % count * 5 % 7); /* the same in every sample */
        float *all = draw(device, &d, x, whole, 6), *a = draw(device, &d, x, first, 2),
              *b = draw(device, &d, x, second, 4);
        for (size_t s = 0; s < 6; s++) {
            const float *part = s < 2 ? a + s * count : b + (s - 2) * count;
            const uint32_t row = s < 2 ? first[s] : second[s - 2];
            cr_expect_arr_eq(part, all + row * count, count * sizeof *part, "%s %s, sample %u", d.class_name,
                             d.config, row);
        }
        free(x);
        free(all);
        free(a);
        free(b);
    }
    strata_device_close(device);
}

Test(noise, differs_by_seed_epoch_and_sample_and_not_from_forward_to_backward)
{
    struct device *device = open_device();
    const uint32_t rows[2] = { 1, 2 };
    float *x = ones(2 * FEATURES);
    const struct drawn d = { "Dropout", "{\"rate\": 0.5}", { 1, { FEATURES } }, 5, 1, false };
    struct drawn seeded = d, later = d, gradient = d, own = d;
    seeded.seed = 6;
    later.epoch = 2;
    gradient.gradient = true;
    own.config = "{\"rate\": 0.5, \"seed\": 3}";
    float *base = draw(device, &d, x, rows, 2);
    const struct drawn *others[] = { &seeded, &later, &own };
    for (size_t i = 0; i < 3; i++) {
        float *other = draw(device, others[i], x, rows, 2);
        cr_expect_neq(memcmp(base, other, FEATURES * sizeof *base), 0, "variation %zu draws the same", i);
        free(other);
    }
    cr_expect_neq(memcmp(base, base + FEATURES, FEATURES * sizeof *base), 0, "two samples draw the same");
    float *dx = draw(device, &gradient, x, rows, 2);
    cr_expect_arr_eq(base, dx, 2 * FEATURES * sizeof *base);
    free(base);
    free(dx);
    free(x);
    strata_device_close(device);
}

Test(noise, spatial_dropout_drops_whole_channels)
{
    struct device *device = open_device();
    const uint32_t rows[2] = { 8, 9 };
    float *x = ones(2 * 12 * 5);
    const struct drawn d = { "SpatialDropout2D", "{\"rate\": 0.5}", { 3, { 4, 3, 5 } }, 5, 1, false };
    float *y = draw(device, &d, x, rows, 2);
    size_t dropped = 0;
    for (size_t s = 0; s < 2; s++) {
        for (size_t c = 0; c < 5; c++) {
            dropped += y[s * 60 + c] == 0;
            for (size_t i = 0; i < 12; i++) cr_expect_eq(y[s * 60 + i * 5 + c], y[s * 60 + c]);
        }
    }
    cr_expect(dropped > 0 && dropped < 10, "%zu of 10 channels dropped", dropped);
    free(x);
    free(y);
    strata_device_close(device);
}

/* Means within five standard errors; variances within five of theirs for normal numbers. */
static void expect_moments(const struct drawn *d, const float *x, double mean, double variance)
{
    struct device *device = open_device();
    uint32_t rows[SAMPLES];
    number(rows, 0);
    float *y = draw(device, d, x, rows, SAMPLES);
    double got_mean, got_variance;
    const double count = SAMPLES * FEATURES;
    moments(y, SAMPLES * FEATURES, &got_mean, &got_variance);
    cr_expect(fabs(got_mean - mean) < 5 * sqrt(variance / count), "%s: mean %g, not %g", d->class_name,
              got_mean, mean);
    cr_expect(fabs(got_variance - variance) < 5 * variance * sqrt(2 / count), "%s: variance %g, not %g",
              d->class_name, got_variance, variance);
    free(y);
    strata_device_close(device);
}

Test(noise, gaussian_layers_have_their_mean_and_variance)
{
    float *x = ones(SAMPLES * FEATURES);
    const struct drawn added = { "GaussianNoise", "{\"stddev\": 0.5}", { 1, { FEATURES } }, 3, 1, false };
    const struct drawn times = { "GaussianDropout", "{\"rate\": 0.2}", { 1, { FEATURES } }, 3, 1, false };
    expect_moments(&added, x, 1, 0.25);
    expect_moments(&times, x, 1, 0.25); /* rate / (1 - rate) */
    free(x);
}

Test(noise, alpha_dropout_keeps_the_mean_and_variance_of_normal_inputs)
{
    const struct random_key key = { .seed = 1, .purpose = RANDOM_DATA };
    float *x = malloc(SAMPLES * FEATURES * sizeof *x);
    strata_random_normal(&key, 0, 1, x, SAMPLES * FEATURES);
    const struct drawn d = { "AlphaDropout", "{\"rate\": 0.2}", { 1, { FEATURES } }, 3, 1, false };
    expect_moments(&d, x, 0, 1);
    free(x);
}
