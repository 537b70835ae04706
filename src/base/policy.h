/* Keras's dtype policies: weights, optimizers and sums are float32 in all of them; what layers hand on, and its gradients, is kept
 * as the policy says.
 * Source: DTypePolicy of Keras 3, Policy of Keras 2. */
#ifndef STRATA_BASE_POLICY_H
#define STRATA_BASE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

/* How the numbers of a tensor are kept. The kernels get it as a number; cl/half.h defines them alike. */
enum storage { STORAGE_FLOAT32, STORAGE_FLOAT16, STORAGE_BFLOAT16, STORAGE_KINDS };

static inline size_t strata_storage_size(enum storage storage)
{
    return storage == STORAGE_FLOAT32 ? sizeof(float) : sizeof(float) / 2;
}

const char *strata_storage_name(enum storage storage); /* "float32", "float16", "bfloat16" */
const char *strata_policy_name(enum storage storage);  /* "float32", "mixed_float16", "mixed_bfloat16" */

/* A policy's name, or the object in which Keras writes one. NULL and null leave *storage and give *stated false. Errors are
 * STRATA_EJOB and begin with `key`. */
bool strata_policy_read(const json_t *json, const char *key, enum storage *storage, bool *stated, strata_error *err);

#endif
