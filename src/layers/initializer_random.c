/* RandomNormal, TruncatedNormal and RandomUniform. */
#include "layers/initializers_priv.h"

#include <stddef.h>

struct normal {
    double mean, stddev;
    long seed;
};

struct uniform {
    double low, high;
    long seed;
};

static const struct field normal_fields[] = {
    { "mean", FIELD_FLOAT, offsetof(struct normal, mean), .help = "the mean" },
    { "stddev", FIELD_FLOAT, offsetof(struct normal, stddev), .otherwise = 0.05, .min = 0, .max = 1e30,
      .help = "the standard deviation" },
    STRATA_FIELD_SEED(struct normal, seed),
    { 0 },
};

static bool fill_normal(const void *config, const struct shape *shape, const struct random_key *key,
                        float *out, strata_error *err)
{
    const struct normal *c = config;
    const struct random_key own = strata_initializer_key(c->seed, key);
    (void)err;
    strata_random_normal(&own, (float)c->mean, (float)c->stddev, out, strata_shape_count(shape));
    return true;
}

static bool fill_truncated(const void *config, const struct shape *shape, const struct random_key *key,
                           float *out, strata_error *err)
{
    const struct normal *c = config;
    const struct random_key own = strata_initializer_key(c->seed, key);
    (void)err;
    strata_random_truncated_normal(&own, (float)c->mean, (float)c->stddev, out, strata_shape_count(shape));
    return true;
}

static const char *const normal_aliases[] = { "normal", NULL };
const struct initializer_class strata_initializer_random_normal = {
    .class = { .name = "RandomNormal",
               .config_size = sizeof(struct normal),
               .fields = normal_fields,
               .aliases = normal_aliases,
               .help = "a normal distribution" },
    .fill = fill_normal,
};

const struct initializer_class strata_initializer_truncated_normal = {
    .class = { .name = "TruncatedNormal",
               .config_size = sizeof(struct normal),
               .fields = normal_fields,
               .help = "a normal distribution, redrawn beyond two standard deviations" },
    .fill = fill_truncated,
};

static const struct field uniform_fields[] = {
    { "minval", FIELD_FLOAT, offsetof(struct uniform, low), .otherwise = -0.05, .help = "the lower end" },
    { "maxval", FIELD_FLOAT, offsetof(struct uniform, high), .otherwise = 0.05, .help = "the upper end" },
    STRATA_FIELD_SEED(struct uniform, seed),
    { 0 },
};

static bool fill_uniform(const void *config, const struct shape *shape, const struct random_key *key,
                         float *out, strata_error *err)
{
    const struct uniform *c = config;
    const struct random_key own = strata_initializer_key(c->seed, key);
    (void)err;
    strata_random_uniform(&own, (float)c->low, (float)c->high, out, strata_shape_count(shape));
    return true;
}

static const char *const uniform_aliases[] = { "uniform", NULL };
const struct initializer_class strata_initializer_random_uniform = {
    .class = { .name = "RandomUniform",
               .config_size = sizeof(struct uniform),
               .fields = uniform_fields,
               .aliases = uniform_aliases,
               .help = "a uniform distribution" },
    .fill = fill_uniform,
};
