/* Initializers: Keras's classes, drawn on the host, a function of (seed, tensor).
 * Source: Keras 3 keras/src/initializers; fans as in compute_fans. */
#ifndef STRATA_LAYERS_INITIALIZER_H
#define STRATA_LAYERS_INITIALIZER_H

#include "base/fields.h"
#include "base/random.h"
#include "base/shape.h"

struct initializer_class {
    struct class class;
    /* Fills the strata_shape_count(shape) elements of out. key is the tensor's own. */
    bool (*fill)(const void *config, const struct shape *shape, const struct random_key *key, float *out,
                 strata_error *err);
};

extern const struct registry strata_initializers;

/* An empty object is Keras's default for the role: zeros. An initializer with a `seed` of its own uses that. */
bool strata_initialize(const struct object *initializer, const struct shape *shape, const struct random_key *key,
                       float *out, strata_error *err);

#endif
