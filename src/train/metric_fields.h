/* What the metrics share: the fields with which every config begins, and the registry's members. */
#ifndef STRATA_TRAIN_METRIC_FIELDS_H
#define STRATA_TRAIN_METRIC_FIELDS_H

#include <math.h>

#include "train/metric.h"

bool strata_metric_dtype_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                               strata_error *err);
json_t *strata_metric_dtype_write(const struct field *field, const void *at, enum flavour flavour);

/* Fields of struct metric_common. */
#define METRIC_FIELDS(title)                                                                                         \
    { "name", FIELD_STRING, offsetof(struct metric_common, name), .text = title, .nullable = true },                \
    {                                                                                                                \
        "dtype", FIELD_CUSTOM, offsetof(struct metric_common, dtype), .parse = strata_metric_dtype_parse,           \
        .write = strata_metric_dtype_write, .text = "\"float32\""                                                   \
    }

#define METRIC_INT(key, config, member, value, least)                                                                \
    { key, FIELD_INT, offsetof(struct config, member), .otherwise = value, .min = least, .max = INFINITY }
#define METRIC_NUMBER(key, config, member, value, least, most)                                                       \
    { key, FIELD_FLOAT, offsetof(struct config, member), .otherwise = value, .min = least, .max = most }

extern const struct metric_class strata_metric_accuracy, strata_metric_binary_accuracy,
    strata_metric_categorical_accuracy, strata_metric_sparse_accuracy, strata_metric_top_k, strata_metric_sparse_top_k,
    strata_metric_mse, strata_metric_mae, strata_metric_mape, strata_metric_msle, strata_metric_rmse,
    strata_metric_log_cosh, strata_metric_cosine, strata_metric_r2, strata_metric_pearson, strata_metric_concordance,
    strata_metric_hinge, strata_metric_squared_hinge, strata_metric_categorical_hinge, strata_metric_kl,
    strata_metric_poisson, strata_metric_binary_crossentropy, strata_metric_categorical_crossentropy,
    strata_metric_sparse_crossentropy, strata_metric_true_positives, strata_metric_true_negatives,
    strata_metric_false_positives, strata_metric_false_negatives, strata_metric_precision, strata_metric_recall,
    strata_metric_auc, strata_metric_sensitivity_at_specificity, strata_metric_specificity_at_sensitivity,
    strata_metric_precision_at_recall, strata_metric_recall_at_precision, strata_metric_f1, strata_metric_fbeta,
    strata_metric_iou, strata_metric_binary_iou, strata_metric_mean_iou, strata_metric_one_hot_iou,
    strata_metric_one_hot_mean_iou;

#endif
