/* Intersection over union of classes. Source: keras/src/metrics/iou_metrics.py. Keras counts in whole numbers, so that
 * sample weights lose their fractions; so do they here. */
#include "train/metric_fields.h"

#include "train/numbers.h"

struct iou {
    struct metric_common common;
    long classes, ignored, axis;
    struct numbers targets; /* count 0: all classes */
    bool sparse_true, sparse_pred;
    double threshold; /* NAN: none; of BinaryIoU, which has two classes */
};

#define CLASSES                                                                                                      \
    { "num_classes", FIELD_INT, offsetof(struct iou, classes), .required = true, .min = 1, .max = 10000 },          \
        { "ignore_class", FIELD_INT, offsetof(struct iou, ignored), .nullable = true, .null_default = true },       \
        { "axis", FIELD_INT, offsetof(struct iou, axis), .otherwise = -1, .min = -1, .max = -1 },                   \
        { "threshold", FIELD_FLOAT, offsetof(struct iou, threshold), .nullable = true, .null_default = true,        \
          .silent = true }
#define SPARSE(key, member, value) { key, FIELD_BOOL, offsetof(struct iou, member), .otherwise = value }
#define TARGETS                                                                                                      \
    { "target_class_ids", FIELD_CUSTOM, offsetof(struct iou, targets), .required = true, .min = 0, .max = 10000,    \
      .parse = strata_numbers_parse, .write = strata_numbers_write, .release = strata_numbers_release }

static const struct field iou_fields[] = {
    METRIC_FIELDS("io_u"), CLASSES, TARGETS, SPARSE("sparse_y_true", sparse_true, true),
    SPARSE("sparse_y_pred", sparse_pred, true), { 0 }
};
static const struct field mean_fields[] = {
    METRIC_FIELDS("mean_io_u"), CLASSES, SPARSE("sparse_y_true", sparse_true, true),
    SPARSE("sparse_y_pred", sparse_pred, true), { 0 }
};
static const struct field one_hot_fields[] = {
    METRIC_FIELDS("one_hot_io_u"), CLASSES, TARGETS, SPARSE("sparse_y_pred", sparse_pred, false), { 0 }
};
static const struct field one_hot_mean_fields[] = {
    METRIC_FIELDS("one_hot_mean_io_u"), CLASSES, SPARSE("sparse_y_pred", sparse_pred, false), { 0 }
};
static const struct field binary_fields[] = {
    METRIC_FIELDS("binary_io_u"),
    { "target_class_ids", FIELD_CUSTOM, offsetof(struct iou, targets), .text = "[0, 1]", .max = 1,
      .parse = strata_numbers_parse, .write = strata_numbers_write, .release = strata_numbers_release },
    METRIC_NUMBER("threshold", iou, threshold, 0.5, 0, 0),
    { 0 },
};

static bool check_targets(void *config, enum flavour flavour, strata_error *err)
{
    const struct iou *c = config;
    (void)flavour;
    for (size_t i = 0; i < c->targets.count; i++)
        if (c->targets.v[i] >= (double)c->classes)
            return strata_fail(err, STRATA_EVALUE, "target_class_ids[%zu] is %g; there are %ld classes", i,
                               c->targets.v[i], c->classes);
    return true;
}

static bool make_binary(void *config, enum flavour flavour, strata_error *err)
{
    struct iou *c = config;
    c->classes = 2;
    c->ignored = STRATA_NO_INT;
    c->sparse_true = c->sparse_pred = true;
    return check_targets(config, flavour, err);
}

static size_t columns_of(const struct shape *pred)
{
    return pred->rank > 0 ? pred->dim[pred->rank - 1] : 1;
}

static size_t label_count(const void *config, const struct shape *pred)
{
    const struct iou *c = config;
    const size_t positions = strata_shape_count(pred) / (c->sparse_pred ? 1 : columns_of(pred));
    return positions * (c->sparse_true ? 1 : (size_t)c->classes);
}

static size_t size(const void *config, const struct shape *pred)
{
    const struct iou *c = config;
    (void)pred;
    return (size_t)(c->classes * c->classes);
}

static long largest_label(const struct metric_input *in, size_t first, size_t n)
{
    size_t at = first;
    for (size_t i = first + 1; i < first + n; i++)
        if (strata_metric_label(in, i) > strata_metric_label(in, at)) at = i;
    return (long)(at - first);
}

static long largest_prediction(const float *row, size_t n)
{
    size_t at = 0;
    for (size_t i = 1; i < n; i++)
        if (row[i] > row[at]) at = i;
    return (long)at;
}

static void update(const void *config, const struct metric_input *in, double *sums)
{
    const struct iou *c = config;
    const size_t columns = c->sparse_pred ? 1 : columns_of(&in->pred), each = c->sparse_true ? 1 : (size_t)c->classes;
    const size_t sample = strata_shape_count(&in->pred) / columns;
    for (size_t i = 0; i < in->n * sample; i++) {
        const float *row = in->y_pred + i * columns;
        long pred = c->sparse_pred ? (long)row[0] : largest_prediction(row, columns);
        if (!isnan(c->threshold)) pred = row[0] >= (float)c->threshold;
        const long label = c->sparse_true ? (long)strata_metric_label(in, i) : largest_label(in, i * each, each);
        const bool inside = label >= 0 && label < c->classes && pred >= 0 && pred < c->classes;
        if (inside && (c->ignored == STRATA_NO_INT || label != c->ignored))
            sums[label * c->classes + pred] += in->weight ? trunc((double)in->weight[i / sample]) : 1;
    }
}

/* Whether class k counts in the mean. */
static bool is_target(const struct iou *c, long k)
{
    for (size_t i = 0; i < c->targets.count; i++)
        if ((long)c->targets.v[i] == k) return true;
    return c->targets.count == 0;
}

static double result(const void *config, const double *sums, size_t all)
{
    const struct iou *c = config;
    double total = 0, valid = 0;
    (void)all;
    for (long k = 0; k < c->classes; k++) {
        double row = 0, column = 0;
        for (long j = 0; j < c->classes; j++) {
            row += sums[k * c->classes + j];
            column += sums[j * c->classes + k];
        }
        const double both = sums[k * c->classes + k], either = row + column - both;
        if (!is_target(c, k) || either <= 1e-9) continue;
        total += both / (either + 1e-7);
        valid += 1;
    }
    return total / (valid + 1e-7);
}

const struct metric_class strata_metric_iou = {
    .class = { .name = "IoU", .config_size = sizeof(struct iou), .fields = iou_fields, .check = check_targets,
               .help = "mean intersection over union of some classes" },
    .direction = DIRECTION_UP,
    .size = size, .update = update, .result = result, .label_count = label_count,
};
const struct metric_class strata_metric_mean_iou = {
    .class = { .name = "MeanIoU", .config_size = sizeof(struct iou), .fields = mean_fields, .check = check_targets,
               .help = "mean intersection over union of all classes" },
    .direction = DIRECTION_UP,
    .size = size, .update = update, .result = result, .label_count = label_count,
};
const struct metric_class strata_metric_binary_iou = {
    .class = { .name = "BinaryIoU", .config_size = sizeof(struct iou), .fields = binary_fields, .check = make_binary,
               .help = "intersection over union of what is above a threshold" },
    .direction = DIRECTION_UP,
    .size = size, .update = update, .result = result, .label_count = label_count,
};
const struct metric_class strata_metric_one_hot_iou = {
    .class = { .name = "OneHotIoU", .config_size = sizeof(struct iou), .fields = one_hot_fields,
               .check = check_targets, .help = "IoU for one-hot labels" },
    .direction = DIRECTION_UP,
    .size = size, .update = update, .result = result, .label_count = label_count,
};
const struct metric_class strata_metric_one_hot_mean_iou = {
    .class = { .name = "OneHotMeanIoU", .config_size = sizeof(struct iou), .fields = one_hot_mean_fields,
               .check = check_targets, .help = "MeanIoU for one-hot labels" },
    .direction = DIRECTION_UP,
    .size = size, .update = update, .result = result, .label_count = label_count,
};
