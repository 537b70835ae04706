/* Orthogonal: rows or columns of unit length, each orthogonal to the others.
 * Source: Saxe et al. 2014, as in Keras 3: the Q of the QR decomposition of a normal matrix, with the signs that make
 * the diagonal of R positive, which is what Gram-Schmidt gives. */
#include "layers/initializers_priv.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"

struct orthogonal {
    double gain;
    long seed;
};

static const struct field fields[] = {
    { "gain", FIELD_FLOAT, offsetof(struct orthogonal, gain), .otherwise = 1, .help = "a factor" },
    STRATA_FIELD_SEED(struct orthogonal, seed),
    { 0 },
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Makes `count` vectors of n numbers orthonormal, one after the other; twice, so that rounding leaves no rest. */
static void orthonormalize(double *vectors, size_t count, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        double *v = vectors + i * n;
        for (int pass = 0; pass < 2; pass++) {
            for (size_t j = 0; j < i; j++) {
                const double along = dot(v, vectors + j * n, n);
                for (size_t k = 0; k < n; k++) v[k] -= along * vectors[j * n + k];
            }
        }
        const double length = sqrt(dot(v, v, n));
        for (size_t k = 0; k < n; k++) v[k] /= length > 0 ? length : 1;
    }
}

static bool fill(const void *config, const struct shape *shape, const struct random_key *key, float *out,
                 strata_error *err)
{
    const struct orthogonal *c = config;
    const struct random_key own = strata_initializer_key(c->seed, key);
    char text[STRATA_SHAPE_TEXT];
    if (shape->rank < 2)
        return strata_fail(err, STRATA_ESHAPE,
                           "the weight has shape %s; the initializer Orthogonal needs two axes",
                           strata_shape_text(shape, NULL, text));
    const size_t columns = shape->dim[shape->rank - 1],
                 rows = columns ? strata_shape_count(shape) / columns : 0;
    const bool wide = rows < columns;
    const size_t count = wide ? rows : columns, n = wide ? columns : rows;
    double *vectors = strata_alloc(count * n, sizeof *vectors, err);
    if (!vectors) return false;
    strata_random_normal(&own, 0, 1, out, count * n);
    for (size_t i = 0; i < count * n; i++) vectors[i] = out[i];
    orthonormalize(vectors, count, n);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < n; k++)
            out[wide ? i * n + k : k * count + i] = (float)(c->gain * vectors[i * n + k]);
    free(vectors);
    return true;
}

static const char *const aliases[] = { "OrthogonalInitializer", NULL };
const struct initializer_class strata_initializer_orthogonal = {
    .class = { .name = "Orthogonal",
               .config_size = sizeof(struct orthogonal),
               .fields = fields,
               .aliases = aliases,
               .help = "orthonormal rows or columns" },
    .fill = fill,
};
