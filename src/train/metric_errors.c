/* How far predictions are off, and how alike they are. Source: keras/src/metrics/regression_metrics.py,
 * hinge_metrics.py, correlation_metrics.py and the losses of the same names. */
#include "train/metric_fields.h"

#include <float.h>

static const double least = 1e-7; /* Keras's epsilon */

/* The mean over a row of one element's value. */
static double mean_of(const struct metric_row *row, double (*value)(double t, double p))
{
    double sum = 0;
    for (size_t i = 0; i < row->columns; i++) sum += value((double)row->truth[i], (double)row->pred[i]);
    return sum / (double)row->columns;
}

static double squared(double t, double p)
{
    return (p - t) * (p - t);
}

static double absolute(double t, double p)
{
    return fabs(p - t);
}

static double percentage(double t, double p)
{
    return 100 * fabs((t - p) / fmax(fabs(t), least));
}

static double squared_log(double t, double p)
{
    return squared(log(fmax(t, least) + 1), log(fmax(p, least) + 1));
}

static double log_cosh(double t, double p)
{
    const double x = -2 * (p - t);
    return p - t + fmax(x, 0) + log1p(exp(-fabs(x))) - log(2);
}

static double poisson(double t, double p)
{
    return p - t * log(p + least);
}

/* Labels 0 and 1 stand for -1 and 1. */
static double hinge(double t, double p)
{
    return fmax(1 - (t == 0 ? -1 : t) * p, 0);
}

static double squared_hinge(double t, double p)
{
    return hinge(t, p) * hinge(t, p);
}

static double mse_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, squared);
}

static double mae_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, absolute);
}

static double mape_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, percentage);
}

static double msle_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, squared_log);
}

static double log_cosh_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, log_cosh);
}

static double poisson_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, poisson);
}

static double hinge_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, hinge);
}

static double squared_hinge_row(const void *config, const struct metric_row *row)
{
    (void)config;
    return mean_of(row, squared_hinge);
}

static double categorical_hinge_row(const void *config, const struct metric_row *row)
{
    double right = 0, wrong = -DBL_MAX;
    (void)config;
    for (size_t i = 0; i < row->columns; i++) {
        const double t = (double)row->truth[i], p = (double)row->pred[i];
        right += t * p;
        wrong = fmax(wrong, (1 - t) * p);
    }
    return fmax(wrong - right + 1, 0);
}

static double cosine_row(const void *config, const struct metric_row *row)
{
    double tt = 0, pp = 0, tp = 0;
    (void)config;
    for (size_t i = 0; i < row->columns; i++) {
        const double t = (double)row->truth[i], p = (double)row->pred[i];
        tt += t * t;
        pp += p * p;
        tp += t * p;
    }
    return tp / sqrt(fmax(tt, 1e-12)) / sqrt(fmax(pp, 1e-12));
}

/* Means and variances of a row's labels and predictions, and their covariance. */
struct moments {
    double t, p, tt, pp, tp;
};

static struct moments moments_of(const struct metric_row *row)
{
    const double n = (double)row->columns;
    struct moments m = { 0 };
    for (size_t i = 0; i < row->columns; i++) {
        m.t += (double)row->truth[i] / n;
        m.p += (double)row->pred[i] / n;
    }
    for (size_t i = 0; i < row->columns; i++) {
        const double t = (double)row->truth[i] - m.t, p = (double)row->pred[i] - m.p;
        m.tt += t * t / n;
        m.pp += p * p / n;
        m.tp += t * p / n;
    }
    return m;
}

static double pearson_row(const void *config, const struct metric_row *row)
{
    const struct moments m = moments_of(row);
    (void)config;
    return m.tp / sqrt(m.tt * m.pp);
}

/* Keras's covariance takes both from the mean of the predictions; over a row that is the same. */
static double concordance_row(const void *config, const struct metric_row *row)
{
    const struct moments m = moments_of(row);
    (void)config;
    return 2 * m.tp / (m.tt + m.pp + (m.t - m.p) * (m.t - m.p) + least);
}

struct along_axis {
    struct metric_common common;
    long axis;
};

#define AXIS { "axis", FIELD_INT, offsetof(struct along_axis, axis), .otherwise = -1, .min = -1, .max = -1 }

static const struct field mse_fields[] = { METRIC_FIELDS("mean_squared_error"), { 0 } };
static const struct field mae_fields[] = { METRIC_FIELDS("mean_absolute_error"), { 0 } };
static const struct field mape_fields[] = { METRIC_FIELDS("mean_absolute_percentage_error"), { 0 } };
static const struct field msle_fields[] = { METRIC_FIELDS("mean_squared_logarithmic_error"), { 0 } };
static const struct field log_cosh_fields[] = { METRIC_FIELDS("logcosh"), { 0 } };
static const struct field poisson_fields[] = { METRIC_FIELDS("poisson"), { 0 } };
static const struct field hinge_fields[] = { METRIC_FIELDS("hinge"), { 0 } };
static const struct field squared_hinge_fields[] = { METRIC_FIELDS("squared_hinge"), { 0 } };
static const struct field categorical_hinge_fields[] = { METRIC_FIELDS("categorical_hinge"), { 0 } };
static const struct field cosine_fields[] = { METRIC_FIELDS("cosine_similarity"), { 0 } };
static const struct field pearson_fields[] = { METRIC_FIELDS("pearson_correlation"), AXIS, { 0 } };
static const struct field concordance_fields[] = { METRIC_FIELDS("concordance_correlation"), AXIS, { 0 } };

static const char *const mse_names[] = { "mse", "MSE", NULL };
static const char *const mae_names[] = { "mae", "MAE", NULL };
static const char *const mape_names[] = { "mape", "MAPE", NULL };
static const char *const msle_names[] = { "msle", "MSLE", NULL };
static const char *const log_cosh_names[] = { "logcosh", "log_cosh", NULL };

const struct metric_class strata_metric_mse = {
    .class = { .name = "MeanSquaredError", .config_size = sizeof(struct metric_common), .fields = mse_fields,
               .aliases = mse_names, .help = "mean of (y - p)^2" },
    .row = mse_row,
};
const struct metric_class strata_metric_mae = {
    .class = { .name = "MeanAbsoluteError", .config_size = sizeof(struct metric_common), .fields = mae_fields,
               .aliases = mae_names, .help = "mean of |y - p|" },
    .row = mae_row,
};
const struct metric_class strata_metric_mape = {
    .class = { .name = "MeanAbsolutePercentageError", .config_size = sizeof(struct metric_common),
               .fields = mape_fields, .aliases = mape_names, .help = "100 times the mean of |y - p| / |y|" },
    .row = mape_row,
};
const struct metric_class strata_metric_msle = {
    .class = { .name = "MeanSquaredLogarithmicError", .config_size = sizeof(struct metric_common),
               .fields = msle_fields, .aliases = msle_names, .help = "mean of (log(y + 1) - log(p + 1))^2" },
    .row = msle_row,
};
const struct metric_class strata_metric_log_cosh = {
    .class = { .name = "LogCoshError", .config_size = sizeof(struct metric_common), .fields = log_cosh_fields,
               .aliases = log_cosh_names, .help = "mean of log(cosh(p - y))" },
    .row = log_cosh_row,
};
const struct metric_class strata_metric_poisson = {
    .class = { .name = "Poisson", .config_size = sizeof(struct metric_common), .fields = poisson_fields,
               .help = "mean of p - y log(p)" },
    .row = poisson_row,
};
const struct metric_class strata_metric_hinge = {
    .class = { .name = "Hinge", .config_size = sizeof(struct metric_common), .fields = hinge_fields,
               .help = "mean of max(1 - y p, 0)" },
    .row = hinge_row,
};
const struct metric_class strata_metric_squared_hinge = {
    .class = { .name = "SquaredHinge", .config_size = sizeof(struct metric_common), .fields = squared_hinge_fields,
               .help = "mean of max(1 - y p, 0)^2" },
    .row = squared_hinge_row,
};
const struct metric_class strata_metric_categorical_hinge = {
    .class = { .name = "CategoricalHinge", .config_size = sizeof(struct metric_common),
               .fields = categorical_hinge_fields, .help = "max(1 + max((1 - y) p) - sum(y p), 0)" },
    .row = categorical_hinge_row,
};
const struct metric_class strata_metric_cosine = {
    .class = { .name = "CosineSimilarity", .config_size = sizeof(struct metric_common), .fields = cosine_fields,
               .help = "cosine of the angle between y and p" },
    .direction = DIRECTION_UP,
    .row = cosine_row,
};
const struct metric_class strata_metric_pearson = {
    .class = { .name = "PearsonCorrelation", .config_size = sizeof(struct along_axis), .fields = pearson_fields,
               .help = "correlation of y and p within a row" },
    .direction = DIRECTION_UP,
    .row = pearson_row,
};
const struct metric_class strata_metric_concordance = {
    .class = { .name = "ConcordanceCorrelation", .config_size = sizeof(struct along_axis),
               .fields = concordance_fields, .help = "correlation of y and p that also asks for equal size" },
    .direction = DIRECTION_UP,
    .row = concordance_row,
};
