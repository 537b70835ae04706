#include "train/confusion.h"

#include <math.h>

size_t strata_confusion_size(size_t count)
{
    return 2 * (count + 1);
}

/* How many thresholds the prediction is above. Evenly spread ones are counted in single precision, as Keras does. */
static size_t bin_of(const struct thresholds *thresholds, float prediction)
{
    size_t bin = 0;
    if (thresholds->v) {
        while (bin < thresholds->count && prediction > (float)thresholds->v[bin]) bin++;
        return bin;
    }
    const float clipped = fminf(fmaxf(prediction, 0), 1);
    bin = (size_t)ceilf(clipped * (float)(thresholds->count - 1));
    return bin == 0 && thresholds->margin ? 1 : bin;
}

void strata_confusion_add(const struct thresholds *thresholds, bool label, float prediction, double weight,
                          double *sums)
{
    double *histogram = label ? sums : sums + thresholds->count + 1;
    histogram[bin_of(thresholds, prediction)] += weight;
}

struct confusion strata_confusion_at(const double *sums, size_t count, size_t i)
{
    struct confusion c = { 0 };
    for (size_t bin = 0; bin <= count; bin++) {
        const double yes = sums[bin], no = sums[count + 1 + bin];
        if (bin > i) {
            c.tp += yes;
            c.fp += no;
        } else {
            c.fn += yes;
            c.tn += no;
        }
    }
    return c;
}

double strata_divide_no_nan(double a, double b)
{
    return b != 0 ? a / b : 0;
}
