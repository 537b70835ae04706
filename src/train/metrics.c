/* The registry of metrics, and what is the same for all of them. */
#include "train/metric_fields.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static const struct class *const classes[] = {
    &strata_metric_accuracy.class,
    &strata_metric_binary_accuracy.class,
    &strata_metric_categorical_accuracy.class,
    &strata_metric_sparse_accuracy.class,
    &strata_metric_top_k.class,
    &strata_metric_sparse_top_k.class,
    &strata_metric_mse.class,
    &strata_metric_rmse.class,
    &strata_metric_mae.class,
    &strata_metric_mape.class,
    &strata_metric_msle.class,
    &strata_metric_log_cosh.class,
    &strata_metric_cosine.class,
    &strata_metric_r2.class,
    &strata_metric_pearson.class,
    &strata_metric_concordance.class,
    &strata_metric_hinge.class,
    &strata_metric_squared_hinge.class,
    &strata_metric_categorical_hinge.class,
    &strata_metric_kl.class,
    &strata_metric_poisson.class,
    &strata_metric_binary_crossentropy.class,
    &strata_metric_categorical_crossentropy.class,
    &strata_metric_sparse_crossentropy.class,
    &strata_metric_true_positives.class,
    &strata_metric_true_negatives.class,
    &strata_metric_false_positives.class,
    &strata_metric_false_negatives.class,
    &strata_metric_precision.class,
    &strata_metric_recall.class,
    &strata_metric_auc.class,
    &strata_metric_sensitivity_at_specificity.class,
    &strata_metric_specificity_at_sensitivity.class,
    &strata_metric_precision_at_recall.class,
    &strata_metric_recall_at_precision.class,
    &strata_metric_f1.class,
    &strata_metric_fbeta.class,
    &strata_metric_iou.class,
    &strata_metric_binary_iou.class,
    &strata_metric_mean_iou.class,
    &strata_metric_one_hot_iou.class,
    &strata_metric_one_hot_mean_iou.class,
    NULL,
};

const struct registry strata_metrics = { "metric", "keras.metrics", classes };

bool strata_metric_dtype_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                               strata_error *err)
{
    (void)field;
    (void)json;
    (void)flavour;
    (void)err;
    *(bool *)at = true;
    return true;
}

json_t *strata_metric_dtype_write(const struct field *field, const void *at, enum flavour flavour)
{
    (void)field;
    (void)at;
    (void)flavour;
    return json_string("float32");
}

static const struct metric_class *class_of(const struct object *metric)
{
    return (const struct metric_class *)metric->class;
}

const char *strata_metric_name(const struct object *metric)
{
    const struct metric_common *common = metric->config;
    return common->name ? common->name : metric->class->name;
}

/* ---- making one ------------------------------------------------------------------------------------------------- */

static size_t last_extent(const struct shape *shape)
{
    return shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
}

static bool is_one_of(const char *name, const char *a, const char *b)
{
    return strcasecmp(name, a) == 0 || strcasecmp(name, b) == 0;
}

/* The class that "accuracy" and "crossentropy" mean for these shapes, else the name itself. */
static const char *meant(const char *name, const struct shape *truth, const struct shape *pred)
{
    const bool binary = last_extent(pred) == 1;
    const bool sparse = truth->rank < pred->rank || last_extent(truth) == 1;
    if (is_one_of(name, "accuracy", "acc"))
        return binary ? "BinaryAccuracy" : sparse ? "SparseCategoricalAccuracy" : "CategoricalAccuracy";
    if (is_one_of(name, "crossentropy", "ce"))
        return binary ? "BinaryCrossentropy" : sparse ? "SparseCategoricalCrossentropy" : "CategoricalCrossentropy";
    return name;
}

static bool rename_to(struct object *metric, const char *name, strata_error *err)
{
    struct metric_common *common = metric->config;
    char *copy = strata_copy_text(name, err);
    if (!copy) return false;
    free(common->name);
    common->name = copy;
    return true;
}

static bool make(const json_t *spec, enum flavour flavour, const struct shape *truth, const struct shape *pred,
                 struct object *metric, strata_error *err)
{
    const char *name = json_string_value(spec);
    if (!name) return strata_object_parse(&strata_metrics, spec, flavour, metric, err);
    return strata_object_make(&strata_metrics, meant(name, truth, pred), metric, err)
           && rename_to(metric, name, err);
}

static bool fits(const struct object *metric, const struct shape *truth, const struct shape *pred, strata_error *err)
{
    char labels[STRATA_SHAPE_TEXT], outputs[STRATA_SHAPE_TEXT];
    const struct metric_class *class = class_of(metric);
    const size_t wanted = class->label_count ? class->label_count(metric->config, pred)
                                             : strata_shape_count(pred) / (class->index_labels ? last_extent(pred) : 1);
    if (strata_shape_count(truth) != wanted)
        return strata_fail(err, STRATA_ESHAPE, "%s: the labels have shape %s, the model's output %s; %s",
                           metric->class->name, strata_shape_text(truth, "None", labels),
                           strata_shape_text(pred, "None", outputs),
                           class->index_labels ? "class indices are needed" : "they must have the same shape");
    return !class->check || class->check(metric->config, pred, err) || strata_fail_in(err, "%s", metric->class->name);
}

bool strata_metric_resolve(const json_t *spec, enum flavour flavour, const struct shape *truth,
                           const struct shape *pred, struct object *metric, strata_error *err)
{
    *metric = (struct object){ 0 };
    if (json_is_null(spec)) return strata_fail(err, STRATA_EVALUE, "a metric is null");
    if (make(spec, flavour, truth, pred, metric, err) && fits(metric, truth, pred, err)) return true;
    strata_object_release(metric);
    return false;
}

/* ---- counting ----------------------------------------------------------------------------------------------------- */

double strata_metric_label(const struct metric_input *input, size_t i)
{
    return input->y_true ? (double)input->y_true[i] : (double)input->index[i];
}

/* The labels of a row as floats. Class indices stand beside one prediction each only where a row has one column. */
static const float *row_truth(const struct metric_input *in, size_t first, size_t columns, float *alone)
{
    if (in->y_true) return in->y_true + first;
    assert(columns == 1);
    (void)columns; /* without assertions nobody reads it */
    *alone = (float)in->index[first];
    return alone;
}

static double row_mean(const struct metric_class *class, const void *config, const struct metric_input *in,
                       size_t sample)
{
    const size_t columns = last_extent(&in->pred), rows = strata_shape_count(&in->pred) / columns;
    float alone;
    double sum = 0;
    for (size_t r = sample * rows; r < (sample + 1) * rows; r++) {
        struct metric_row row = { .pred = in->y_pred + r * columns, .columns = columns };
        if (class->index_labels)
            row.index = in->index ? in->index[r] : (int32_t)in->y_true[r];
        else
            row.truth = row_truth(in, r * columns, columns, &alone);
        sum += class->row(config, &row);
    }
    return sum / (double)rows;
}

/* A mean's sums: the weighted values, the weights. */
static void update_mean(const struct metric_class *class, const void *config, const struct metric_input *in,
                        double *sums)
{
    for (size_t i = 0; i < in->n; i++) {
        const double weight = in->weight ? (double)in->weight[i] : 1;
        sums[0] += weight * row_mean(class, config, in, i);
        sums[1] += weight;
    }
}

size_t strata_metric_size(const struct object *metric, const struct shape *pred)
{
    const struct metric_class *class = class_of(metric);
    return class->size ? class->size(metric->config, pred) : 2;
}

void strata_metric_update(const struct object *metric, const struct metric_input *input, double *sums)
{
    const struct metric_class *class = class_of(metric);
    if (class->update)
        class->update(metric->config, input, sums);
    else
        update_mean(class, metric->config, input, sums);
}

double strata_metric_result(const struct object *metric, const double *sums, size_t size)
{
    const struct metric_class *class = class_of(metric);
    if (class->result) return class->result(metric->config, sums, size);
    return sums[1] != 0 ? sums[0] / sums[1] : 0;
}
