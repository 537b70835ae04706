/* True and false positives over thresholds. A prediction above j of the ascending thresholds falls into bin j: what is
 * above threshold i are the bins from i + 1 on. So one histogram of the weights of each label gives all counts.
 * Source: keras/src/metrics/metrics_utils.py. */
#ifndef STRATA_TRAIN_CONFUSION_H
#define STRATA_TRAIN_CONFUSION_H

#include "train/metric.h"

struct thresholds {
    size_t count;
    const double *v;  /* ascending; NULL: evenly over [0, 1] */
    bool margin;      /* the first lies a little below 0 and the last above 1, so that none is missed */
};

struct confusion {
    double tp, fp, tn, fn;
};

/* Sums that `count` thresholds take. */
size_t strata_confusion_size(size_t count);
void strata_confusion_add(const struct thresholds *thresholds, bool label, float prediction, double weight,
                          double *sums);
/* Of threshold i. */
struct confusion strata_confusion_at(const double *sums, size_t count, size_t i);

/* a / b, 0 where b is */
double strata_divide_no_nan(double a, double b);

#endif
