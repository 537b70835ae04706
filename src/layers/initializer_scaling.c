/* VarianceScaling, and Glorot, He and LeCun, which are VarianceScaling with fixed settings. */
#include "layers/initializers_priv.h"

#include <math.h>
#include <stddef.h>

#include "layers/fields_common.h"

enum fan_mode { FAN_IN, FAN_OUT, FAN_AVG };
enum distribution { UNIFORM, TRUNCATED_NORMAL, UNTRUNCATED_NORMAL, NORMAL };

struct scaling {
    double scale;
    int mode, distribution;
    long seed;
};

/* Source: compute_fans of Keras 3. */
static void fans(const struct shape *shape, double *in, double *out)
{
    double field = 1;
    for (int i = 0; i + 2 < shape->rank; i++) field *= (double)shape->dim[i];
    *out = shape->rank > 0 ? (double)shape->dim[shape->rank - 1] * field : 1;
    *in = shape->rank > 1 ? (double)shape->dim[shape->rank - 2] * field : *out;
}

static bool fill(const struct scaling *c, const struct shape *shape, const struct random_key *key, float *out)
{
    double in, outgoing;
    const size_t count = strata_shape_count(shape);
    const struct random_key own = strata_initializer_key(c->seed, key);
    fans(shape, &in, &outgoing);
    const double fan = c->mode == FAN_IN ? in : c->mode == FAN_OUT ? outgoing : (in + outgoing) / 2;
    const double scale = c->scale / fmax(1, fan);
    /* 0.8796... is the standard deviation of a standard normal cut at two. */
    if (c->distribution == UNIFORM)
        strata_random_uniform(&own, (float)-sqrt(3 * scale), (float)sqrt(3 * scale), out, count);
    else if (c->distribution == UNTRUNCATED_NORMAL)
        strata_random_normal(&own, 0, (float)sqrt(scale), out, count);
    else
        strata_random_truncated_normal(&own, 0, (float)(sqrt(scale) / 0.87962566103423978), out, count);
    return true;
}

/* ---- VarianceScaling ---- */

static const char *const modes[] = { "fan_in", "fan_out", "fan_avg", NULL };
static const char *const distributions[] = { "uniform", "truncated_normal", "untruncated_normal", "normal",
                                             NULL };

static const struct field scaling_fields[] = {
    { "scale", FIELD_FLOAT, offsetof(struct scaling, scale), .otherwise = 1, .min = 0, .max = 1e30,
      .above_min = true, .help = "the variance times the fan" },
    { "mode", FIELD_CHOICE, offsetof(struct scaling, mode), .choices = modes, .help = "which fan" },
    { "distribution", FIELD_CHOICE, offsetof(struct scaling, distribution), .choices = distributions,
      .otherwise = TRUNCATED_NORMAL, .help = "normal stands for truncated_normal" },
    STRATA_FIELD_SEED(struct scaling, seed),
    STRATA_FIELD_UNSET("input_axes"),
    STRATA_FIELD_UNSET("output_axes"),
    { 0 },
};

static bool fill_scaling(const void *config, const struct shape *shape, const struct random_key *key,
                         float *out, strata_error *err)
{
    (void)err;
    return fill(config, shape, key, out);
}

const struct initializer_class strata_initializer_variance_scaling = {
    .class = { .name = "VarianceScaling",
               .config_size = sizeof(struct scaling),
               .fields = scaling_fields,
               .help = "variance scale / fan" },
    .fill = fill_scaling,
};

/* ---- the named ones ---- */

struct named {
    long seed;
};

static const struct field named_fields[] = {
    STRATA_FIELD_SEED(struct named, seed),
    STRATA_FIELD_UNSET("input_axes"),
    STRATA_FIELD_UNSET("output_axes"),
    { 0 },
};

static bool fill_named(double scale, enum fan_mode mode, enum distribution distribution, const void *config,
                       const struct shape *shape, const struct random_key *key, float *out)
{
    const struct named *c = config;
    const struct scaling scaling = { scale, mode, distribution, c->seed };
    return fill(&scaling, shape, key, out);
}

static bool fill_glorot_uniform(const void *config, const struct shape *shape, const struct random_key *key,
                                float *out, strata_error *err)
{
    (void)err;
    return fill_named(1, FAN_AVG, UNIFORM, config, shape, key, out);
}

static bool fill_glorot_normal(const void *config, const struct shape *shape, const struct random_key *key,
                               float *out, strata_error *err)
{
    (void)err;
    return fill_named(1, FAN_AVG, TRUNCATED_NORMAL, config, shape, key, out);
}

static bool fill_he_uniform(const void *config, const struct shape *shape, const struct random_key *key,
                            float *out, strata_error *err)
{
    (void)err;
    return fill_named(2, FAN_IN, UNIFORM, config, shape, key, out);
}

static bool fill_he_normal(const void *config, const struct shape *shape, const struct random_key *key,
                           float *out, strata_error *err)
{
    (void)err;
    return fill_named(2, FAN_IN, TRUNCATED_NORMAL, config, shape, key, out);
}

static bool fill_lecun_uniform(const void *config, const struct shape *shape, const struct random_key *key,
                               float *out, strata_error *err)
{
    (void)err;
    return fill_named(1, FAN_IN, UNIFORM, config, shape, key, out);
}

static bool fill_lecun_normal(const void *config, const struct shape *shape, const struct random_key *key,
                              float *out, strata_error *err)
{
    (void)err;
    return fill_named(1, FAN_IN, TRUNCATED_NORMAL, config, shape, key, out);
}

const struct initializer_class strata_initializer_glorot_uniform = {
    .class = { .name = "GlorotUniform",
               .config_size = sizeof(struct named),
               .fields = named_fields,
               .help = "uniform, variance 2 / (fan in + fan out)" },
    .fill = fill_glorot_uniform,
};

const struct initializer_class strata_initializer_glorot_normal = {
    .class = { .name = "GlorotNormal",
               .config_size = sizeof(struct named),
               .fields = named_fields,
               .help = "truncated normal, variance 2 / (fan in + fan out)" },
    .fill = fill_glorot_normal,
};

const struct initializer_class strata_initializer_he_uniform = {
    .class = { .name = "HeUniform",
               .config_size = sizeof(struct named),
               .fields = named_fields,
               .help = "uniform, variance 2 / fan in" },
    .fill = fill_he_uniform,
};

const struct initializer_class strata_initializer_he_normal = {
    .class = { .name = "HeNormal",
               .config_size = sizeof(struct named),
               .fields = named_fields,
               .help = "truncated normal, variance 2 / fan in" },
    .fill = fill_he_normal,
};

const struct initializer_class strata_initializer_lecun_uniform = {
    .class = { .name = "LecunUniform",
               .config_size = sizeof(struct named),
               .fields = named_fields,
               .help = "uniform, variance 1 / fan in" },
    .fill = fill_lecun_uniform,
};

const struct initializer_class strata_initializer_lecun_normal = {
    .class = { .name = "LecunNormal",
               .config_size = sizeof(struct named),
               .fields = named_fields,
               .help = "truncated normal, variance 1 / fan in" },
    .fill = fill_lecun_normal,
};
