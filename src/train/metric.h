/* Metrics, computed on the host from predictions and labels while the device goes on. Every metric is a set of sums
 * over samples, so ranks add theirs.
 * Source: Keras 3 keras/src/metrics. */
#ifndef STRATA_TRAIN_METRIC_H
#define STRATA_TRAIN_METRIC_H

#include <stdint.h>

#include "base/fields.h"
#include "base/shape.h"

/* Some samples: y_pred (n, pred) floats; labels either floats, y_true (n, truth), or class indices, index (n, truth);
 * weight (n) or NULL. */
struct metric_input {
    size_t n;
    struct shape pred, truth; /* without batch axis */
    const float *y_pred, *y_true;
    const int32_t *index;
    const float *weight;
};

/* The last axis of one position: columns predictions, and as many labels or one class index. */
struct metric_row {
    const float *pred, *truth;
    size_t columns;
    int32_t index;
};

/* Which way is better; for callbacks that watch a metric. */
enum direction { DIRECTION_DOWN, DIRECTION_UP, DIRECTION_UNKNOWN };

struct metric_class {
    struct class class;
    enum direction direction;
    bool index_labels;   /* a label is one class index a row; else there is one for every prediction */

    /* The common kind: a mean over samples of the mean over their rows of this. With it, size, update and result are
     * NULL. */
    double (*row)(const void *config, const struct metric_row *row);

    size_t (*size)(const void *config, const struct shape *pred); /* how many sums */
    void (*update)(const void *config, const struct metric_input *input, double *sums);
    double (*result)(const void *config, const double *sums, size_t size);
    /* Labels a sample has, where it depends on the config; NULL: as index_labels says. */
    size_t (*label_count)(const void *config, const struct shape *pred);
    bool (*check)(const void *config, const struct shape *pred, strata_error *err); /* may be NULL */
};

/* Every metric config begins with this; see metric_fields.h. */
struct metric_common {
    char *name;
    bool dtype; /* read and written as "float32", as Keras's metrics have one; not used */
};

extern const struct registry strata_metrics;

/* A metric in any form in which Keras or a job names one; named by a string, that string is its name. "accuracy" (or
 * "acc") and "crossentropy" ("ce") stand for a class that depends on the shapes, as in Keras. Fails when the shapes do
 * not fit. */
bool strata_metric_resolve(const json_t *spec, enum flavour flavour, const struct shape *truth,
                           const struct shape *pred, struct object *metric, strata_error *err);

/* The name under which logs show it: its `name`, else Keras's default ("accuracy", "mean_absolute_error"). */
const char *strata_metric_name(const struct object *metric);

size_t strata_metric_size(const struct object *metric, const struct shape *pred);
/* Adds the samples to the sums, which start at zero. */
void strata_metric_update(const struct object *metric, const struct metric_input *input, double *sums);
double strata_metric_result(const struct object *metric, const double *sums, size_t size);

/* For metrics with an update of their own: the label of element i (row-major over n and pred) as a number. */
double strata_metric_label(const struct metric_input *input, size_t i);

#endif
