/* RootMeanSquaredError, R2Score, FBetaScore and F1Score.
 * Source: keras/src/metrics/regression_metrics.py, f_score_metrics.py. */
#include "train/metric_fields.h"

static size_t columns_of(const struct shape *pred)
{
    return pred->rank > 0 ? pred->dim[pred->rank - 1] : 1;
}

/* ---- RootMeanSquaredError ------------------------------------------------------------------------------------------ */

static const struct field rmse_fields[] = { METRIC_FIELDS("root_mean_squared_error"), { 0 } };
static const char *const rmse_names[] = { "rmse", NULL };

static size_t rmse_size(const void *config, const struct shape *pred)
{
    (void)config;
    (void)pred;
    return 2;
}

static void rmse_update(const void *config, const struct metric_input *in, double *sums)
{
    const size_t sample = strata_shape_count(&in->pred);
    (void)config;
    for (size_t i = 0; i < in->n; i++) {
        const double weight = in->weight ? (double)in->weight[i] : 1;
        double squares = 0;
        for (size_t j = i * sample; j < (i + 1) * sample; j++) {
            const double error = (double)in->y_pred[j] - strata_metric_label(in, j);
            squares += error * error;
        }
        sums[0] += weight * squares / (double)sample;
        sums[1] += weight;
    }
}

static double rmse_result(const void *config, const double *sums, size_t size)
{
    (void)config;
    (void)size;
    return sums[1] != 0 ? sqrt(sums[0] / sums[1]) : 0;
}

const struct metric_class strata_metric_rmse = {
    .class = { .name = "RootMeanSquaredError", .config_size = sizeof(struct metric_common), .fields = rmse_fields,
               .aliases = rmse_names, .help = "root of the mean of (y - p)^2" },
    .size = rmse_size, .update = rmse_update, .result = rmse_result,
};

/* ---- R2Score --------------------------------------------------------------------------------------------------------- */

enum { UNIFORM, BY_VARIANCE };
static const char *const aggregations[] = { "uniform_average", "variance_weighted_average", NULL };

struct r2 {
    struct metric_common common;
    int aggregation;
    long regressors;
};

static const struct field r2_fields[] = {
    METRIC_FIELDS("r2_score"),
    { "class_aggregation", FIELD_CHOICE, offsetof(struct r2, aggregation), .choices = aggregations },
    METRIC_INT("num_regressors", r2, regressors, 0, 0),
    { 0 },
};

static bool one_axis(const void *config, const struct shape *pred, strata_error *err)
{
    (void)config;
    return pred->rank == 1 || strata_fail(err, STRATA_ESHAPE, "the model's output must have one axis");
}

/* By column: sum and sum of squares of labels, sum of squared errors, weights; last the number of labels. */
static size_t r2_size(const void *config, const struct shape *pred)
{
    (void)config;
    return 4 * columns_of(pred) + 1;
}

static void r2_update(const void *config, const struct metric_input *in, double *sums)
{
    const size_t columns = columns_of(&in->pred);
    (void)config;
    for (size_t i = 0; i < in->n * columns; i++) {
        const double weight = in->weight ? (double)in->weight[i / columns] : 1, y = strata_metric_label(in, i);
        const double error = y - (double)in->y_pred[i];
        double *column = sums + 4 * (i % columns);
        column[0] += weight * y;
        column[1] += weight * y * y;
        column[2] += weight * error * error;
        column[3] += weight;
    }
    sums[4 * columns] += (double)(in->n * columns);
}

static double r2_result(const void *config, const double *sums, size_t size)
{
    const struct r2 *c = config;
    const size_t columns = size / 4;
    double total = 0, weights = 0;
    for (size_t i = 0; i < columns; i++) {
        const double *column = sums + 4 * i;
        const double variance = column[1] - column[0] * column[0] / column[3];
        const double raw = 1 - column[2] / variance, weight = c->aggregation == UNIFORM ? 1 : variance;
        total += weight * (isinf(raw) ? 0 : raw);
        weights += weight;
    }
    const double score = total / weights, samples = sums[4 * columns], p = (double)c->regressors;
    return c->regressors == 0 || p >= samples - 1 ? score : 1 - (1 - score) * (samples - 1) / (samples - p - 1);
}

const struct metric_class strata_metric_r2 = {
    .class = { .name = "R2Score", .config_size = sizeof(struct r2), .fields = r2_fields,
               .help = "how much of the labels' variance the predictions explain" },
    .direction = DIRECTION_UP,
    .size = r2_size, .update = r2_update, .result = r2_result, .check = one_axis,
};

/* ---- FBetaScore, F1Score ------------------------------------------------------------------------------------------------ */

enum { MICRO, MACRO, WEIGHTED };
static const char *const averages[] = { "micro", "macro", "weighted", NULL };

struct fbeta {
    struct metric_common common;
    int average;      /* -1: null */
    double threshold; /* NAN: the largest of a row is positive */
    double beta;
};

#define F_FIELDS                                                                                                     \
    { "average", FIELD_CHOICE, offsetof(struct fbeta, average), .choices = averages, .nullable = true,              \
      .null_default = true, .help = "how the classes' scores become one number" },                                  \
        { "threshold", FIELD_FLOAT, offsetof(struct fbeta, threshold), .nullable = true, .null_default = true,      \
          .min = 0, .max = 1, .above_min = true, .help = "above it a prediction is positive; null: the largest is" }

static const struct field fbeta_fields[] = {
    METRIC_FIELDS("fbeta_score"),
    F_FIELDS,
    { "beta", FIELD_FLOAT, offsetof(struct fbeta, beta), .otherwise = 1, .min = 0, .max = INFINITY, .above_min = true },
    { 0 },
};
static const struct field f1_fields[] = { METRIC_FIELDS("f1_score"), F_FIELDS, { 0 } };

static bool check_average(void *config, enum flavour flavour, strata_error *err)
{
    (void)flavour;
    return ((const struct fbeta *)config)->average >= 0
           || strata_fail(err, STRATA_EVALUE,
                          "average is null, which gives a number for each class; it must be one of \"micro\", \"macro\", "
                          "\"weighted\"");
}

/* By class: true positives, false positives, false negatives, labels. */
static size_t f_size(const void *config, const struct shape *pred)
{
    (void)config;
    return 4 * columns_of(pred);
}

static void f_update(const void *config, const struct metric_input *in, double *sums)
{
    const struct fbeta *c = config;
    const size_t columns = columns_of(&in->pred);
    for (size_t i = 0; i < in->n; i++) {
        const float *row = in->y_pred + i * columns;
        const double weight = in->weight ? (double)in->weight[i] : 1;
        float largest = row[0];
        for (size_t j = 1; j < columns; j++) largest = fmaxf(largest, row[j]);
        for (size_t j = 0; j < columns; j++) {
            const bool positive = isnan(c->threshold) ? row[j] >= largest && fabsf(row[j]) > 1e-9f
                                                      : row[j] > (float)c->threshold;
            const double y = strata_metric_label(in, i * columns + j);
            sums[4 * j] += weight * positive * y;
            sums[4 * j + 1] += weight * positive * (1 - y);
            sums[4 * j + 2] += weight * !positive * y;
            sums[4 * j + 3] += weight * y;
        }
    }
}

static double f_of(double tp, double fp, double fn, double beta)
{
    static const double least = 1e-7;
    const double precision = tp / (tp + fp + least), recall = tp / (tp + fn + least);
    return (1 + beta * beta) * precision * recall / (beta * beta * precision + recall + least);
}

static double f_result(const struct fbeta *c, double beta, const double *sums, size_t size)
{
    const size_t columns = size / 4;
    double tp = 0, fp = 0, fn = 0, total = 0, labels = 0;
    for (size_t j = 0; j < columns; j++) labels += sums[4 * j + 3];
    for (size_t j = 0; j < columns; j++) {
        const double *of = sums + 4 * j;
        const double weight = c->average == WEIGHTED ? of[3] / (labels + 1e-7) : 1 / (double)columns;
        total += weight * f_of(of[0], of[1], of[2], beta);
        tp += of[0];
        fp += of[1];
        fn += of[2];
    }
    return c->average == MICRO ? f_of(tp, fp, fn, beta) : total;
}

static double fbeta_result(const void *config, const double *sums, size_t size)
{
    const struct fbeta *c = config;
    return f_result(c, c->beta, sums, size);
}

static double f1_result(const void *config, const double *sums, size_t size)
{
    return f_result(config, 1, sums, size);
}

const struct metric_class strata_metric_fbeta = {
    .class = { .name = "FBetaScore", .config_size = sizeof(struct fbeta), .fields = fbeta_fields,
               .check = check_average, .help = "mean of precision and recall that favours one by beta" },
    .direction = DIRECTION_UP,
    .size = f_size, .update = f_update, .result = fbeta_result, .check = one_axis,
};
const struct metric_class strata_metric_f1 = {
    .class = { .name = "F1Score", .config_size = sizeof(struct fbeta), .fields = f1_fields, .check = check_average,
               .help = "harmonic mean of precision and recall" },
    .direction = DIRECTION_UP,
    .size = f_size, .update = f_update, .result = f1_result, .check = one_axis,
};
