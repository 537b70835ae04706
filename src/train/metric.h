/* Metrics, computed on the host from predictions and labels while the device goes on. Every metric is a set of sums
 * over samples, so ranks add theirs.
 * Source: Keras 3 keras/src/metrics. */
#ifndef STRATA_TRAIN_METRIC_H
#define STRATA_TRAIN_METRIC_H

#include "base/fields.h"
#include "base/shape.h"

/* Some samples: y_pred (n, pred) floats; y_true (n, true) floats, or int32 when index; weight (n) or NULL. */
struct metric_input {
    size_t n;
    struct shape pred, truth; /* without batch axis */
    const float *y_pred, *y_true;
    const int32_t *index;
    const float *weight;
};

struct metric_class {
    struct class class;
    size_t (*size)(const void *config, const struct shape *pred); /* how many sums */
    void (*update)(const void *config, const struct metric_input *input, double *sums);
    double (*result)(const void *config, const double *sums, size_t size);
    bool (*check)(const void *config, const struct shape *truth, bool index, const struct shape *pred,
                  strata_error *err); /* may be NULL */
};

extern const struct registry strata_metrics;

/* "accuracy" and "crossentropy" stand for a class that depends on the shapes and the loss, as in Keras. */
bool strata_metric_resolve(const json_t *spec, const struct shape *truth, bool index, const struct shape *pred,
                           struct object *metric, strata_error *err);

/* The name under which logs show it: its `name`, else Keras's default ("accuracy", "mean_absolute_error"). */
const char *strata_metric_name(const struct object *metric);

#endif
