/* Counts of right and wrong predictions, and what is made of them at one threshold or at the best of many.
 * Source: keras/src/metrics/confusion_metrics.py. */
#include "train/metric_fields.h"

#include "train/confusion.h"
#include "train/numbers.h"

/* ---- one threshold: counts, Precision, Recall -------------------------------------------------------------------- */

struct at_threshold {
    struct metric_common common;
    struct numbers thresholds;
    long top_k, class_id; /* STRATA_NO_INT: none */
};

#define THRESHOLD                                                                                                    \
    { "thresholds", FIELD_CUSTOM, offsetof(struct at_threshold, thresholds), .nullable = true, .max = 1,            \
      .parse = strata_numbers_parse, .write = strata_numbers_write, .release = strata_numbers_release,              \
      .help = "above it a prediction is positive; null: 0.5" }

static const struct field tp_fields[] = { METRIC_FIELDS("true_positives"), THRESHOLD, { 0 } };
static const struct field tn_fields[] = { METRIC_FIELDS("true_negatives"), THRESHOLD, { 0 } };
static const struct field fp_fields[] = { METRIC_FIELDS("false_positives"), THRESHOLD, { 0 } };
static const struct field fn_fields[] = { METRIC_FIELDS("false_negatives"), THRESHOLD, { 0 } };

#define CHOSEN_CLASSES                                                                                               \
    { "top_k", FIELD_INT, offsetof(struct at_threshold, top_k), .nullable = true, .null_default = true, .min = 1,   \
      .max = INFINITY, .help = "only the k largest of a row are positive" },                                        \
        { "class_id", FIELD_INT, offsetof(struct at_threshold, class_id), .nullable = true, .null_default = true,   \
          .max = INFINITY, .help = "only this class counts" }

static const struct field precision_fields[] = { METRIC_FIELDS("precision"), THRESHOLD, CHOSEN_CLASSES, { 0 } };
static const struct field recall_fields[] = { METRIC_FIELDS("recall"), THRESHOLD, CHOSEN_CLASSES, { 0 } };

static bool check_one(void *config, enum flavour flavour, strata_error *err)
{
    (void)flavour;
    return ((const struct at_threshold *)config)->thresholds.count <= 1
           || strata_fail(err, STRATA_EVALUE, "several thresholds give several numbers; name one threshold a metric");
}

static bool check_classes(const void *config, const struct shape *pred, strata_error *err)
{
    const struct at_threshold *c = config;
    const long columns = pred->rank > 0 ? (long)pred->dim[pred->rank - 1] : 1;
    if (c->class_id != STRATA_NO_INT && c->class_id >= columns)
        return strata_fail(err, STRATA_EVALUE, "class_id is %ld; the model has %ld classes", c->class_id, columns);
    if (c->top_k != STRATA_NO_INT && c->top_k > columns)
        return strata_fail(err, STRATA_EVALUE, "top_k is %ld; the model has %ld classes", c->top_k, columns);
    return true;
}

static size_t one_size(const void *config, const struct shape *pred)
{
    (void)config;
    (void)pred;
    return strata_confusion_size(1);
}

/* Whether fewer than k predictions of the row come before this one; of equal ones the first comes first. */
static bool among_top(const float *row, size_t columns, size_t at, long k)
{
    long before = 0;
    for (size_t i = 0; i < columns; i++) before += row[i] > row[at] || (row[i] == row[at] && i < at);
    return before < k;
}

/* Counts' configs end before top_k and class_id, so those come from the caller. */
static void count(const struct at_threshold *c, long top_k, long class_id, const struct metric_input *in, double *sums)
{
    static const float never = -1e10f;
    const double threshold = c->thresholds.count ? c->thresholds.v[0] : top_k == STRATA_NO_INT ? 0.5 : (double)never;
    const struct thresholds one = { .count = 1, .v = &threshold };
    const size_t size = strata_shape_count(&in->pred), columns = in->pred.rank > 0 ? in->pred.dim[in->pred.rank - 1] : 1;
    for (size_t i = 0; i < in->n * size; i++) {
        const size_t column = i % columns;
        if (class_id != STRATA_NO_INT && column != (size_t)class_id) continue;
        const bool out = top_k != STRATA_NO_INT && !among_top(in->y_pred + i - column, columns, column, top_k);
        strata_confusion_add(&one, strata_metric_label(in, i) != 0, out ? never : in->y_pred[i],
                             in->weight ? (double)in->weight[i / size] : 1, sums);
    }
}

static void count_all(const void *config, const struct metric_input *in, double *sums)
{
    count(config, STRATA_NO_INT, STRATA_NO_INT, in, sums);
}

static void count_chosen(const void *config, const struct metric_input *in, double *sums)
{
    const struct at_threshold *c = config;
    count(c, c->top_k, c->class_id, in, sums);
}

static double true_positives(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return strata_confusion_at(sums, 1, 0).tp;
}

static double true_negatives(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return strata_confusion_at(sums, 1, 0).tn;
}

static double false_positives(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return strata_confusion_at(sums, 1, 0).fp;
}

static double false_negatives(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return strata_confusion_at(sums, 1, 0).fn;
}

static double precision_of(struct confusion c)
{
    return strata_divide_no_nan(c.tp, c.tp + c.fp);
}

static double recall_of(struct confusion c)
{
    return strata_divide_no_nan(c.tp, c.tp + c.fn);
}

static double specificity_of(struct confusion c)
{
    return strata_divide_no_nan(c.tn, c.tn + c.fp);
}

static double precision(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return precision_of(strata_confusion_at(sums, 1, 0));
}

static double recall(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return recall_of(strata_confusion_at(sums, 1, 0));
}

const struct metric_class strata_metric_true_positives = {
    .class = { .name = "TruePositives", .config_size = sizeof(struct at_threshold), .fields = tp_fields,
               .check = check_one, .help = "how many are positive and predicted so" },
    .direction = DIRECTION_UNKNOWN,
    .size = one_size, .update = count_all, .result = true_positives,
};
const struct metric_class strata_metric_true_negatives = {
    .class = { .name = "TrueNegatives", .config_size = sizeof(struct at_threshold), .fields = tn_fields,
               .check = check_one, .help = "how many are negative and predicted so" },
    .direction = DIRECTION_UNKNOWN,
    .size = one_size, .update = count_all, .result = true_negatives,
};
const struct metric_class strata_metric_false_positives = {
    .class = { .name = "FalsePositives", .config_size = sizeof(struct at_threshold), .fields = fp_fields,
               .check = check_one, .help = "how many are negative but predicted positive" },
    .direction = DIRECTION_UNKNOWN,
    .size = one_size, .update = count_all, .result = false_positives,
};
const struct metric_class strata_metric_false_negatives = {
    .class = { .name = "FalseNegatives", .config_size = sizeof(struct at_threshold), .fields = fn_fields,
               .check = check_one, .help = "how many are positive but predicted negative" },
    .direction = DIRECTION_UNKNOWN,
    .size = one_size, .update = count_all, .result = false_negatives,
};
const struct metric_class strata_metric_precision = {
    .class = { .name = "Precision", .config_size = sizeof(struct at_threshold), .fields = precision_fields,
               .check = check_one, .help = "how many of those predicted positive are" },
    .direction = DIRECTION_UP,
    .size = one_size, .update = count_chosen, .result = precision, .check = check_classes,
};
const struct metric_class strata_metric_recall = {
    .class = { .name = "Recall", .config_size = sizeof(struct at_threshold), .fields = recall_fields,
               .check = check_one, .help = "how many of the positive ones are predicted so" },
    .direction = DIRECTION_UP,
    .size = one_size, .update = count_chosen, .result = recall, .check = check_classes,
};

/* ---- the best of many thresholds ------------------------------------------------------------------------------------ */

struct best {
    struct metric_common common;
    double least; /* what the other measure must reach */
    long thresholds, class_id;
};

#define BEST_FIELDS(title, other)                                                                                    \
    METRIC_FIELDS(title),                                                                                           \
        { "num_thresholds", FIELD_INT, offsetof(struct best, thresholds), .otherwise = 200, .min = 1,               \
          .max = 100000 },                                                                                          \
        { other, FIELD_FLOAT, offsetof(struct best, least), .required = true, .min = 0, .max = 1 },                 \
        { "class_id", FIELD_INT, offsetof(struct best, class_id), .nullable = true, .null_default = true,           \
          .max = INFINITY }

static const struct field sensitivity_fields[] = { BEST_FIELDS("sensitivity_at_specificity", "specificity"), { 0 } };
static const struct field specificity_fields[] = { BEST_FIELDS("specificity_at_sensitivity", "sensitivity"), { 0 } };
static const struct field precision_at_fields[] = { BEST_FIELDS("precision_at_recall", "recall"), { 0 } };
static const struct field recall_at_fields[] = { BEST_FIELDS("recall_at_precision", "precision"), { 0 } };

static bool check_best(const void *config, const struct shape *pred, strata_error *err)
{
    const struct best *c = config;
    const long columns = pred->rank > 0 ? (long)pred->dim[pred->rank - 1] : 1;
    return c->class_id == STRATA_NO_INT || c->class_id < columns
           || strata_fail(err, STRATA_EVALUE, "class_id is %ld; the model has %ld classes", c->class_id, columns);
}

static size_t best_size(const void *config, const struct shape *pred)
{
    (void)pred;
    return strata_confusion_size((size_t)((const struct best *)config)->thresholds);
}

static void best_update(const void *config, const struct metric_input *in, double *sums)
{
    static const double half = 0.5;
    const struct best *c = config;
    const struct thresholds thresholds = { .count = (size_t)c->thresholds, .v = c->thresholds == 1 ? &half : NULL };
    const size_t size = strata_shape_count(&in->pred), columns = in->pred.rank > 0 ? in->pred.dim[in->pred.rank - 1] : 1;
    for (size_t i = 0; i < in->n * size; i++)
        if (c->class_id == STRATA_NO_INT || i % columns == (size_t)c->class_id)
            strata_confusion_add(&thresholds, strata_metric_label(in, i) != 0, in->y_pred[i],
                                 in->weight ? (double)in->weight[i / size] : 1, sums);
}

static double best_of(const struct best *c, const double *sums, double (*wanted)(struct confusion),
                      double (*other)(struct confusion))
{
    double most = 0;
    for (size_t i = 0; i < (size_t)c->thresholds; i++) {
        const struct confusion counts = strata_confusion_at(sums, (size_t)c->thresholds, i);
        if (other(counts) >= c->least) most = fmax(most, wanted(counts));
    }
    return most;
}

static double best_sensitivity(const void *config, const double *sums, size_t size)
{
    (void)size;
    return best_of(config, sums, recall_of, specificity_of);
}

static double best_specificity(const void *config, const double *sums, size_t size)
{
    (void)size;
    return best_of(config, sums, specificity_of, recall_of);
}

static double best_precision(const void *config, const double *sums, size_t size)
{
    (void)size;
    return best_of(config, sums, precision_of, recall_of);
}

static double best_recall(const void *config, const double *sums, size_t size)
{
    (void)size;
    return best_of(config, sums, recall_of, precision_of);
}

const struct metric_class strata_metric_sensitivity_at_specificity = {
    .class = { .name = "SensitivityAtSpecificity", .config_size = sizeof(struct best), .fields = sensitivity_fields,
               .help = "the best recall at a specificity of at least so much" },
    .direction = DIRECTION_UP,
    .size = best_size, .update = best_update, .result = best_sensitivity, .check = check_best,
};
const struct metric_class strata_metric_specificity_at_sensitivity = {
    .class = { .name = "SpecificityAtSensitivity", .config_size = sizeof(struct best), .fields = specificity_fields,
               .help = "the best specificity at a recall of at least so much" },
    .direction = DIRECTION_UP,
    .size = best_size, .update = best_update, .result = best_specificity, .check = check_best,
};
const struct metric_class strata_metric_precision_at_recall = {
    .class = { .name = "PrecisionAtRecall", .config_size = sizeof(struct best), .fields = precision_at_fields,
               .help = "the best precision at a recall of at least so much" },
    .direction = DIRECTION_UP,
    .size = best_size, .update = best_update, .result = best_precision, .check = check_best,
};
const struct metric_class strata_metric_recall_at_precision = {
    .class = { .name = "RecallAtPrecision", .config_size = sizeof(struct best), .fields = recall_at_fields,
               .help = "the best recall at a precision of at least so much" },
    .direction = DIRECTION_UP,
    .size = best_size, .update = best_update, .result = best_recall, .check = check_best,
};
