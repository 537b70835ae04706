/* Initializers: the registry and drawing. */
#include "layers/initializer.h"
#include "layers/initializers_priv.h"

#include <string.h>

static const struct class *const classes[] = {
    &strata_initializer_zeros.class,
    &strata_initializer_ones.class,
    &strata_initializer_constant.class,
    &strata_initializer_identity.class,
    &strata_initializer_random_normal.class,
    &strata_initializer_random_uniform.class,
    &strata_initializer_truncated_normal.class,
    &strata_initializer_variance_scaling.class,
    &strata_initializer_glorot_uniform.class,
    &strata_initializer_glorot_normal.class,
    &strata_initializer_he_uniform.class,
    &strata_initializer_he_normal.class,
    &strata_initializer_lecun_uniform.class,
    &strata_initializer_lecun_normal.class,
    &strata_initializer_orthogonal.class,
    NULL,
};

const struct registry strata_initializers = { .kind = "initializer",
                                              .module = "keras.initializers",
                                              .classes = classes };

struct random_key strata_initializer_key(long seed, const struct random_key *key)
{
    if (seed == STRATA_NO_INT) return *key;
    return (struct random_key){ .seed = (uint64_t)seed, .purpose = RANDOM_WEIGHTS };
}

bool strata_initialize(const struct object *initializer, const struct shape *shape,
                       const struct random_key *key, float *out, strata_error *err)
{
    if (!initializer || !initializer->class) {
        memset(out, 0, strata_shape_count(shape) * sizeof(float));
        return true;
    }
    const struct initializer_class *class = (const struct initializer_class *)initializer->class;
    return class->fill(initializer->config, shape, key, out, err);
}
