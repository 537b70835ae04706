/* Labels as a loss reads them, and the weights of samples. */
#ifndef STRATA_DATA_LABELS_PRIV_H
#define STRATA_DATA_LABELS_PRIV_H

#include "data/batches.h"

/* Writes the label of a dataset's sample, its elements as float32 or int32, to `out`. STRATA_EFILE names the sample
 * when an int32 was asked for and the label is not an integer of 32 bits. */
bool strata_label_copy(const strata_data *data, strata_type as, size_t sample, void *out, strata_error *err);

/* The weight of a sample: its sample_weight times that of its class, as Keras does: a class is a label of one element,
 * rounded, or the index of a label's largest element, and a class beyond the list weighs 1. */
bool strata_sample_weight(const struct batches_config *config, size_t sample, float *weight, strata_error *err);

#endif
