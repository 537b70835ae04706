/* Zeros, Ones, Constant and Identity. */
#include "layers/initializers_priv.h"

#include <stddef.h>

struct constant {
    double value;
};

static bool fill_all(float value, const struct shape *shape, float *out)
{
    const size_t count = strata_shape_count(shape);
    for (size_t i = 0; i < count; i++) out[i] = value;
    return true;
}

/* ---- Zeros, Ones ---- */

static bool fill_zeros(const void *config, const struct shape *shape, const struct random_key *key,
                       float *out, strata_error *err)
{
    (void)config;
    (void)key;
    (void)err;
    return fill_all(0, shape, out);
}

static bool fill_ones(const void *config, const struct shape *shape, const struct random_key *key, float *out,
                      strata_error *err)
{
    (void)config;
    (void)key;
    (void)err;
    return fill_all(1, shape, out);
}

static const char *const zeros_aliases[] = { "zero", NULL };
const struct initializer_class strata_initializer_zeros = {
    .class = { .name = "Zeros", .aliases = zeros_aliases, .help = "all 0" },
    .fill = fill_zeros,
};

static const char *const ones_aliases[] = { "one", NULL };
const struct initializer_class strata_initializer_ones = {
    .class = { .name = "Ones", .aliases = ones_aliases, .help = "all 1" },
    .fill = fill_ones,
};

/* ---- Constant ---- */

static const struct field constant_fields[] = {
    { "value", FIELD_FLOAT, offsetof(struct constant, value), .help = "the value of every element" },
    { 0 },
};

static bool fill_constant(const void *config, const struct shape *shape, const struct random_key *key,
                          float *out, strata_error *err)
{
    const struct constant *c = config;
    (void)key;
    (void)err;
    return fill_all((float)c->value, shape, out);
}

const struct initializer_class strata_initializer_constant = {
    .class = { .name = "Constant",
               .config_size = sizeof(struct constant),
               .fields = constant_fields,
               .help = "all of one value" },
    .fill = fill_constant,
};

/* ---- Identity ---- */

static const struct field identity_fields[] = {
    { "gain", FIELD_FLOAT, offsetof(struct constant, value), .otherwise = 1,
      .help = "the value on the diagonal" },
    { 0 },
};

static bool fill_identity(const void *config, const struct shape *shape, const struct random_key *key,
                          float *out, strata_error *err)
{
    const struct constant *c = config;
    char text[STRATA_SHAPE_TEXT];
    (void)key;
    if (shape->rank != 2)
        return strata_fail(err, STRATA_ESHAPE,
                           "the weight has shape %s; the initializer Identity makes matrices only",
                           strata_shape_text(shape, NULL, text));
    fill_all(0, shape, out);
    for (size_t i = 0; i < shape->dim[0] && i < shape->dim[1]; i++)
        out[i * shape->dim[1] + i] = (float)c->value;
    return true;
}

static const char *const identity_aliases[] = { "IdentityInitializer", NULL };
const struct initializer_class strata_initializer_identity = {
    .class = { .name = "Identity",
               .config_size = sizeof(struct constant),
               .fields = identity_fields,
               .aliases = identity_aliases,
               .help = "the identity matrix times gain" },
    .fill = fill_identity,
};
