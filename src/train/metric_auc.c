/* Areas under curves over thresholds. Source: keras/src/metrics/confusion_metrics.py, class AUC; the interpolation
 * between points of a precision-recall curve: Davis & Goadrich, 2006. */
#include "train/metric_fields.h"

#include <stdlib.h>

#include "base/order.h"
#include "train/confusion.h"
#include "train/numbers.h"

enum curve { ROC, PR, PR_GAIN };
enum summation { INTERPOLATION, MAJORING, MINORING };

static const char *const curves[] = { "ROC", "PR", "PRGAIN", NULL };
static const char *const summations[] = { "interpolation", "majoring", "minoring", NULL };

struct auc {
    struct metric_common common;
    long count;
    int curve, summation;
    struct numbers thresholds; /* as given; after check with an end below 0 and one above 1 */
    bool multi_label, from_logits;
    long num_labels;
    struct numbers label_weights;
};

#define NUMBERS(key, member, text)                                                                                   \
    { key, FIELD_CUSTOM, offsetof(struct auc, member), .nullable = true, .parse = strata_numbers_parse,             \
      .write = strata_numbers_write, .release = strata_numbers_release, .help = text }

static const struct field fields[] = {
    METRIC_FIELDS("auc"),
    { "num_thresholds", FIELD_INT, offsetof(struct auc, count), .otherwise = 200, .min = 2, .max = 100000 },
    { "curve", FIELD_CHOICE, offsetof(struct auc, curve), .choices = curves },
    { "summation_method", FIELD_CHOICE, offsetof(struct auc, summation), .choices = summations },
    NUMBERS("thresholds", thresholds, "instead of num_thresholds even ones"),
    { "multi_label", FIELD_BOOL, offsetof(struct auc, multi_label), .otherwise = false,
      .help = "the mean of an area for each label" },
    { "num_labels", FIELD_INT, offsetof(struct auc, num_labels), .nullable = true, .null_default = true, .min = 1,
      .max = INFINITY },
    NUMBERS("label_weights", label_weights, "of the labels' areas, or of the labels"),
    { "from_logits", FIELD_BOOL, offsetof(struct auc, from_logits), .otherwise = false },
    { 0 },
};

static bool check_config(void *config, enum flavour flavour, strata_error *err)
{
    struct auc *c = config;
    (void)flavour;
    for (size_t i = 0; i < c->thresholds.count; i++)
        if (!(c->thresholds.v[i] >= 0 && c->thresholds.v[i] <= 1))
            return strata_fail(err, STRATA_EVALUE, "thresholds[%zu] is %g; it must be from 0 to 1", i,
                               c->thresholds.v[i]);
    if (c->thresholds.count) qsort(c->thresholds.v, c->thresholds.count, sizeof(double), strata_ascending);
    return true;
}

static size_t columns_of(const struct shape *pred)
{
    return pred->rank > 0 ? pred->dim[pred->rank - 1] : 1;
}

static bool check(const void *config, const struct shape *pred, strata_error *err)
{
    const struct auc *c = config;
    if (c->multi_label && pred->rank != 1)
        return strata_fail(err, STRATA_ESHAPE, "multi_label needs outputs of one axis");
    if (c->label_weights.count && c->label_weights.count != columns_of(pred))
        return strata_fail(err, STRATA_EVALUE, "label_weights has %zu numbers; the model has %zu labels",
                           c->label_weights.count, columns_of(pred));
    return true;
}

/* How many thresholds there are, ends included. */
static size_t count_of(const struct auc *c)
{
    return c->thresholds.count ? c->thresholds.count + 2 : (size_t)c->count;
}

static size_t size(const void *config, const struct shape *pred)
{
    const struct auc *c = config;
    return strata_confusion_size(count_of(c)) * (c->multi_label ? columns_of(pred) : 1);
}

/* With thresholds of one's own, the two ends are below and above all predictions: only the inner ones are compared. */
static void add(const struct auc *c, bool label, float p, double weight, double *sums)
{
    if (!c->thresholds.count) {
        const struct thresholds even = { .count = (size_t)c->count, .margin = true };
        strata_confusion_add(&even, label, p, weight, sums);
        return;
    }
    size_t bin = 1;
    while (bin <= c->thresholds.count && p > (float)c->thresholds.v[bin - 1]) bin++;
    sums[bin + (label ? 0 : count_of(c) + 1)] += weight;
}

static void update(const void *config, const struct metric_input *in, double *sums)
{
    const struct auc *c = config;
    const size_t sample = strata_shape_count(&in->pred), columns = columns_of(&in->pred);
    for (size_t i = 0; i < in->n * sample; i++) {
        const size_t column = i % columns;
        const float p = c->from_logits ? 1 / (1 + expf(-in->y_pred[i])) : in->y_pred[i];
        double weight = in->weight ? (double)in->weight[i / sample] : 1;
        if (c->label_weights.count && !c->multi_label) weight *= c->label_weights.v[column];
        add(c, strata_metric_label(in, i) != 0, p, weight,
            sums + (c->multi_label ? column * strata_confusion_size(count_of(c)) : 0));
    }
}

struct point {
    double x, y;
};

static struct point gain_point(struct confusion c)
{
    const double scale = strata_divide_no_nan(c.tp + c.fn, c.tn + c.fp);
    if (c.tp == 0) return (struct point){ 0, 1 };
    return (struct point){ fmax(1 - scale * c.fn / c.tp, 0), 1 - scale * c.fp / c.tp };
}

static struct point point_of(enum curve curve, struct confusion c)
{
    const double recall = strata_divide_no_nan(c.tp, c.tp + c.fn);
    if (curve == ROC) return (struct point){ strata_divide_no_nan(c.fp, c.fp + c.tn), recall };
    if (curve == PR) return (struct point){ recall, strata_divide_no_nan(c.tp, c.tp + c.fp) };
    return gain_point(c);
}

static double height(enum summation summation, double a, double b)
{
    return summation == INTERPOLATION ? (a + b) / 2 : summation == MAJORING ? fmax(a, b) : fmin(a, b);
}

/* The area between two thresholds of a precision-recall curve along which tp and fp grow in proportion. */
static double pr_area(struct confusion a, struct confusion b)
{
    const double p_a = a.tp + a.fp, p_b = b.tp + b.fp, dtp = a.tp - b.tp;
    const double slope = strata_divide_no_nan(dtp, fmax(p_a - p_b, 0)), intercept = b.tp - slope * p_b;
    const double ratio = p_a > 0 && p_b > 0 ? p_a / p_b : 1;
    return strata_divide_no_nan(slope * (dtp + intercept * log(ratio)), fmax(b.tp + b.fn, 0));
}

static double area(const struct auc *c, const double *sums)
{
    const size_t count = count_of(c);
    double total = 0;
    struct confusion before = strata_confusion_at(sums, count, 0);
    for (size_t i = 1; i < count; i++) {
        const struct confusion at = strata_confusion_at(sums, count, i);
        if (c->curve == PR && c->summation == INTERPOLATION) {
            total += pr_area(before, at);
        } else {
            const struct point a = point_of(c->curve, before), b = point_of(c->curve, at);
            total += (a.x - b.x) * height(c->summation, a.y, b.y);
        }
        before = at;
    }
    return total;
}

static double result(const void *config, const double *sums, size_t all)
{
    const struct auc *c = config;
    const size_t one = strata_confusion_size(count_of(c)), labels = all / one;
    double total = 0, weights = 0;
    if (!c->multi_label) return area(c, sums);
    for (size_t i = 0; i < labels; i++) {
        const double weight = c->label_weights.count ? c->label_weights.v[i] : 1;
        total += weight * area(c, sums + i * one);
        weights += weight;
    }
    return strata_divide_no_nan(total, weights);
}

const struct metric_class strata_metric_auc = {
    .class = { .name = "AUC", .config_size = sizeof(struct auc), .fields = fields, .check = check_config,
               .help = "area under the ROC or the precision-recall curve" },
    .direction = DIRECTION_UP,
    .size = size, .update = update, .result = result, .check = check,
};
