/* How often predictions are right. Source: keras/src/metrics/accuracy_metrics.py. */
#include "train/metric_fields.h"

struct accuracy {
    struct metric_common common;
    double threshold;
    long k;
    bool sorted_ids;
};

static size_t largest(const float *v, size_t n)
{
    size_t at = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[at]) at = i;
    return at;
}

/* Whether fewer than k classes are likelier, as TensorFlow's in_top_k. */
static bool in_top(const struct metric_row *row, size_t label, long k)
{
    long likelier = 0;
    if (label >= row->columns || !isfinite(row->pred[label])) return false;
    for (size_t i = 0; i < row->columns; i++) {
        if (!isfinite(row->pred[i])) return false;
        likelier += row->pred[i] > row->pred[label];
    }
    return likelier < k;
}

static double equal_row(const void *config, const struct metric_row *row)
{
    double equal = 0;
    (void)config;
    for (size_t i = 0; i < row->columns; i++) equal += row->pred[i] == row->truth[i];
    return equal / (double)row->columns;
}

static double binary_row(const void *config, const struct metric_row *row)
{
    const float threshold = (float)((const struct accuracy *)config)->threshold;
    double right = 0;
    for (size_t i = 0; i < row->columns; i++) right += (row->pred[i] > threshold ? 1.0f : 0.0f) == row->truth[i];
    return right / (double)row->columns;
}

static double categorical_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return largest(row->pred, row->columns) == largest(row->truth, row->columns);
}

static double sparse_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return row->index >= 0 && largest(row->pred, row->columns) == (size_t)row->index;
}

static double top_k_row(const void *config, const struct metric_row *row)
{
    return in_top(row, largest(row->truth, row->columns), ((const struct accuracy *)config)->k);
}

static double sparse_top_k_row(const void *config, const struct metric_row *row)
{
    const struct accuracy *c = config;
    if (!c->sorted_ids) return row->index >= 0 && in_top(row, (size_t)row->index, c->k);
    for (size_t i = 0; i < row->columns && (long)i < c->k; i++)
        if (row->pred[i] == (float)row->index) return 1;
    return 0;
}

static const struct field accuracy_fields[] = { METRIC_FIELDS("accuracy"), { 0 } };
static const struct field binary_fields[] = {
    METRIC_FIELDS("binary_accuracy"), METRIC_NUMBER("threshold", accuracy, threshold, 0.5, 0, 0), { 0 }
};
static const struct field categorical_fields[] = { METRIC_FIELDS("categorical_accuracy"), { 0 } };
static const struct field sparse_fields[] = { METRIC_FIELDS("sparse_categorical_accuracy"), { 0 } };
static const struct field top_k_fields[] = {
    METRIC_FIELDS("top_k_categorical_accuracy"), METRIC_INT("k", accuracy, k, 5, 1), { 0 }
};
static const struct field sparse_top_k_fields[] = {
    METRIC_FIELDS("sparse_top_k_categorical_accuracy"),
    METRIC_INT("k", accuracy, k, 5, 1),
    { "from_sorted_ids", FIELD_BOOL, offsetof(struct accuracy, sorted_ids), .otherwise = false },
    { 0 },
};

const struct metric_class strata_metric_accuracy = {
    .class = { .name = "Accuracy", .config_size = sizeof(struct accuracy), .fields = accuracy_fields,
               .help = "how often y equals p; the string \"accuracy\" means the accuracy that fits the shapes" },
    .direction = DIRECTION_UP,
    .row = equal_row,
};
const struct metric_class strata_metric_binary_accuracy = {
    .class = { .name = "BinaryAccuracy", .config_size = sizeof(struct accuracy), .fields = binary_fields,
               .help = "how often p > threshold equals y" },
    .direction = DIRECTION_UP,
    .row = binary_row,
};
const struct metric_class strata_metric_categorical_accuracy = {
    .class = { .name = "CategoricalAccuracy", .config_size = sizeof(struct accuracy), .fields = categorical_fields,
               .help = "how often the likeliest class is that of a one-hot label" },
    .direction = DIRECTION_UP,
    .row = categorical_row,
};
const struct metric_class strata_metric_sparse_accuracy = {
    .class = { .name = "SparseCategoricalAccuracy", .config_size = sizeof(struct accuracy), .fields = sparse_fields,
               .help = "how often the likeliest class is the label" },
    .direction = DIRECTION_UP,
    .index_labels = true, .row = sparse_row,
};
const struct metric_class strata_metric_top_k = {
    .class = { .name = "TopKCategoricalAccuracy", .config_size = sizeof(struct accuracy), .fields = top_k_fields,
               .help = "how often a one-hot label's class is among the k likeliest" },
    .direction = DIRECTION_UP,
    .row = top_k_row,
};
const struct metric_class strata_metric_sparse_top_k = {
    .class = { .name = "SparseTopKCategoricalAccuracy", .config_size = sizeof(struct accuracy),
               .fields = sparse_top_k_fields, .help = "how often the label is among the k likeliest classes" },
    .direction = DIRECTION_UP,
    .index_labels = true, .row = sparse_top_k_row,
};
