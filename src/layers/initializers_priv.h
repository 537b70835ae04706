/* The initializer classes; initializer.c lists them. */
#ifndef STRATA_LAYERS_INITIALIZERS_PRIV_H
#define STRATA_LAYERS_INITIALIZERS_PRIV_H

#include "layers/initializer.h"

/* The key to draw with: the tensor's own, or one made of the initializer's `seed` alone, so that the same seed gives
 * the same numbers wherever it stands, as in Keras. seed is STRATA_NO_INT when there is none. */
struct random_key strata_initializer_key(long seed, const struct random_key *key);

#define STRATA_FIELD_SEED(type, member)                                                                              \
    {                                                                                                                \
        "seed", FIELD_INT, offsetof(type, member), .nullable = true, .null_default = true,                          \
                .help = "null: drawn from the seed of the model"                                                     \
    }

extern const struct initializer_class strata_initializer_zeros, strata_initializer_ones, strata_initializer_constant,
    strata_initializer_identity, strata_initializer_random_normal, strata_initializer_random_uniform,
    strata_initializer_truncated_normal, strata_initializer_variance_scaling, strata_initializer_glorot_uniform,
    strata_initializer_glorot_normal, strata_initializer_he_uniform, strata_initializer_he_normal,
    strata_initializer_lecun_uniform, strata_initializer_lecun_normal, strata_initializer_orthogonal;

#endif
