/* What layers compute, in double and as plain as can be: what the devices are tested against. */
#ifndef STRATA_CLI_REFERENCE_H
#define STRATA_CLI_REFERENCE_H

#include <jansson.h>

#include "cli/cli.h"

/* Batch first, channels last. */
struct host_tensor {
    int rank;
    size_t dim[4];
    double *values; /* owned */
};
size_t strata_host_count(const struct host_tensor *tensor);
void strata_host_release(struct host_tensor *tensor);

/* Runs a job's list of layers over x (borrowed). weights: the values of all weights in the order of model.weights. *y is the
 * caller's to release. Knows Dense, Conv2D, DepthwiseConv2D, MaxPooling2D, AveragePooling2D, GlobalMaxPooling2D,
 * GlobalAveragePooling2D, Flatten, Activation, BatchNormalization and LayerNormalization with the arguments that the
 * self-test uses; all else is STRATA_EBUG. Entries named Input are passed over. */
bool strata_host_forward(const json_t *layers, const double *const *weights, const struct host_tensor *x,
                         bool training, struct host_tensor *y, strata_error *err);

/* Mean over the samples of the crossentropy of softmax(logits), labels in 0..classes-1. */
double strata_host_crossentropy(const struct host_tensor *logits, const int *labels);

#endif
