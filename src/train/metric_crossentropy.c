/* Crossentropies and divergences as metrics. Source: keras/src/metrics/probabilistic_metrics.py. */
#include "train/metric_fields.h"

struct crossentropy {
    struct metric_common common;
    bool from_logits;
    double smoothing;
    long axis, ignore_class;
};

static const double least = 1e-7; /* Keras's epsilon */

static double clip(double p)
{
    return fmin(fmax(p, least), 1 - least);
}

/* log(sum(exp(x))) */
static double log_sum_exp(const float *x, size_t n)
{
    double largest = (double)x[0], sum = 0;
    for (size_t i = 1; i < n; i++) largest = fmax(largest, (double)x[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - largest);
    return largest + log(sum);
}

static double binary_row(const void *config, const struct metric_row *row)
{
    const struct crossentropy *c = config;
    double sum = 0;
    for (size_t i = 0; i < row->columns; i++) {
        const double x = (double)row->pred[i];
        const double t = (double)row->truth[i] * (1 - c->smoothing) + 0.5 * c->smoothing;
        if (c->from_logits)
            sum += fmax(x, 0) - x * t + log1p(exp(-fabs(x)));
        else
            sum -= t * log(clip(x)) + (1 - t) * log(1 - clip(x));
    }
    return sum / (double)row->columns;
}

static double categorical_row(const void *config, const struct metric_row *row)
{
    const struct crossentropy *c = config;
    double loss = 0, total = 0;
    const double norm = c->from_logits ? log_sum_exp(row->pred, row->columns) : 0;
    for (size_t i = 0; i < row->columns; i++) total += (double)row->pred[i];
    for (size_t i = 0; i < row->columns; i++) {
        const double x = (double)row->pred[i];
        const double t = (double)row->truth[i] * (1 - c->smoothing) + c->smoothing / (double)row->columns;
        loss -= t * (c->from_logits ? x - norm : log(clip(x / total)));
    }
    return loss;
}

static double sparse_row(const void *config, const struct metric_row *row)
{
    const struct crossentropy *c = config;
    if (row->index < 0 || (size_t)row->index >= row->columns) return NAN;
    const double x = (double)row->pred[row->index];
    if (c->from_logits) return log_sum_exp(row->pred, row->columns) - x;
    double total = 0;
    for (size_t i = 0; i < row->columns; i++) total += clip((double)row->pred[i]);
    return log(total) - log(clip(x));
}

static double kl_row(const void *config, const struct metric_row *row)
{
    double sum = 0;
    (void)config;
    for (size_t i = 0; i < row->columns; i++) {
        const double t = fmin(fmax((double)row->truth[i], least), 1), p = fmin(fmax((double)row->pred[i], least), 1);
        sum += t * log(t / p);
    }
    return sum;
}

static bool check_sparse(void *config, enum flavour flavour, strata_error *err)
{
    (void)flavour;
    return ((const struct crossentropy *)config)->ignore_class == STRATA_NO_INT
           || strata_fail(err, STRATA_EVALUE, "ignore_class is not offered; leave it out and give those samples the weight 0");
}

#define LOGITS { "from_logits", FIELD_BOOL, offsetof(struct crossentropy, from_logits), .otherwise = false }
#define SMOOTHING METRIC_NUMBER("label_smoothing", crossentropy, smoothing, 0, 0, 1)
#define AXIS { "axis", FIELD_INT, offsetof(struct crossentropy, axis), .otherwise = -1, .min = -1, .max = -1 }

static const struct field binary_fields[] = { METRIC_FIELDS("binary_crossentropy"), LOGITS, SMOOTHING, { 0 } };
static const struct field categorical_fields[] = {
    METRIC_FIELDS("categorical_crossentropy"), LOGITS, SMOOTHING, AXIS, { 0 }
};
static const struct field sparse_fields[] = {
    METRIC_FIELDS("sparse_categorical_crossentropy"),
    LOGITS,
    { "ignore_class", FIELD_INT, offsetof(struct crossentropy, ignore_class), .nullable = true, .null_default = true },
    AXIS,
    { 0 },
};
static const struct field kl_fields[] = { METRIC_FIELDS("kl_divergence"), { 0 } };

static const char *const binary_names[] = { "bce", "BCE", NULL };
static const char *const kl_names[] = { "kl_divergence", "kld", "KLD", NULL };

const struct metric_class strata_metric_binary_crossentropy = {
    .class = { .name = "BinaryCrossentropy", .config_size = sizeof(struct crossentropy), .fields = binary_fields,
               .aliases = binary_names, .help = "crossentropy of chances that are each for themselves" },
    .row = binary_row,
};
const struct metric_class strata_metric_categorical_crossentropy = {
    .class = { .name = "CategoricalCrossentropy", .config_size = sizeof(struct crossentropy),
               .fields = categorical_fields, .help = "crossentropy; labels one-hot or chances" },
    .row = categorical_row,
};
const struct metric_class strata_metric_sparse_crossentropy = {
    .class = { .name = "SparseCategoricalCrossentropy", .config_size = sizeof(struct crossentropy),
               .fields = sparse_fields, .check = check_sparse, .help = "crossentropy; labels are class indices" },
    .index_labels = true, .row = sparse_row,
};
const struct metric_class strata_metric_kl = {
    .class = { .name = "KLDivergence", .config_size = sizeof(struct crossentropy), .fields = kl_fields,
               .aliases = kl_names, .help = "sum of y log(y / p)" },
    .row = kl_row,
};
