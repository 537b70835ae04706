/* Metrics against Keras, in two batches, with and without sample weights. */
#include "train/metric.h"

#include "support.h"

enum { SAMPLES = 24, COLUMNS = 4, FIRST_BATCH = 10 };

enum kind { ONEHOT, INDEX, MULTI, REAL, POSITIVE, SIGNS };

struct known {
    const char *json;
    enum kind kind;
    bool weighted;
    double value;
};

#include "metrics.inc"

static void choose(enum kind kind, const float **y_true, const float **y_pred)
{
    *y_true = kind == ONEHOT ? onehot : kind == MULTI ? multi : kind == POSITIVE ? positive : kind == SIGNS ? signs : real;
    *y_pred = kind == ONEHOT || kind == INDEX ? softmax
              : kind == MULTI                 ? chances
              : kind == POSITIVE              ? near_positive
                                              : near_real;
    if (kind == INDEX) *y_true = NULL;
}

static struct object resolve(const char *json, enum kind kind)
{
    strata_error err = { 0 };
    struct object metric;
    const struct shape pred = { 1, { COLUMNS } }, alone = { 0 };
    json_t *spec = strata_json_parse(json, strlen(json), "test", &err);
    ok(spec);
    ok(strata_metric_resolve(spec, STRATA_KERAS3, kind == INDEX ? &alone : &pred, &pred, &metric, &err));
    json_decref(spec);
    return metric;
}

static void add(const struct object *metric, const struct known *k, size_t from, size_t to, double *sums)
{
    const float *y_true, *y_pred;
    choose(k->kind, &y_true, &y_pred);
    const struct metric_input input = {
        .n = to - from,
        .pred = { 1, { COLUMNS } },
        .truth = k->kind == INDEX ? (struct shape){ 0 } : (struct shape){ 1, { COLUMNS } },
        .y_pred = y_pred + from * COLUMNS,
        .y_true = y_true ? y_true + from * COLUMNS : NULL,
        .index = y_true ? NULL : classes + from,
        .weight = k->weighted ? weights + from : NULL,
    };
    strata_metric_update(metric, &input, sums);
}

Test(metrics, say_what_keras_says)
{
    const struct shape pred = { 1, { COLUMNS } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct object metric = resolve(known[i].json, known[i].kind);
        const size_t size = strata_metric_size(&metric, &pred);
        double *sums = calloc(size, sizeof *sums);
        add(&metric, &known[i], 0, FIRST_BATCH, sums);
        add(&metric, &known[i], FIRST_BATCH, SAMPLES, sums);
        const double value = strata_metric_result(&metric, sums, size);
        /* Keras adds in single precision */
        cr_expect_float_eq(value, known[i].value, 2e-5 * fmax(1, fabs(known[i].value)), "%s%s is %.9g, Keras has %.9g",
                           known[i].json, known[i].weighted ? " weighted" : "", value, known[i].value);
        free(sums);
        strata_object_release(&metric);
    }
}

Test(metrics, are_named_as_they_were_asked_for)
{
    struct object metric = resolve("\"mae\"", REAL);
    cr_assert_str_eq(strata_metric_name(&metric), "mae");
    strata_object_release(&metric);
    metric = resolve("{\"MeanAbsoluteError\": {}}", REAL);
    cr_assert_str_eq(strata_metric_name(&metric), "mean_absolute_error");
    strata_object_release(&metric);
    metric = resolve("{\"AUC\": {\"name\": \"area\"}}", MULTI);
    cr_assert_str_eq(strata_metric_name(&metric), "area");
    strata_object_release(&metric);
}

Test(metrics, called_accuracy_fit_the_shapes)
{
    struct object metric = resolve("\"accuracy\"", INDEX);
    cr_assert_str_eq(metric.class->name, "SparseCategoricalAccuracy");
    cr_assert_str_eq(strata_metric_name(&metric), "accuracy");
    strata_object_release(&metric);
    metric = resolve("\"acc\"", ONEHOT);
    cr_assert_str_eq(metric.class->name, "CategoricalAccuracy");
    strata_object_release(&metric);
}

static void expect_refusal(const char *json, const char *message)
{
    strata_error err = { 0 };
    struct object metric;
    const struct shape pred = { 1, { COLUMNS } }, alone = { 0 };
    json_t *spec = strata_json_parse(json, strlen(json), "test", &err);
    ok(spec);
    cr_assert_not(strata_metric_resolve(spec, STRATA_KERAS3, &alone, &pred, &metric, &err));
    cr_assert_str_eq(err.message, message);
    json_decref(spec);
}

Test(metrics, say_what_is_wrong)
{
    expect_refusal("\"mae\"", "MeanAbsoluteError: the labels have shape (None,), the model's output (None, 4); they must "
                              "have the same shape");
    expect_refusal("\"acuracy\"", "unknown name \"acuracy\"; did you mean \"Accuracy\"?");
    expect_refusal("{\"F1Score\": {}}", "F1Score: average is null, which gives a number for each class; it must be one of "
                                        "\"micro\", \"macro\", \"weighted\"");
    expect_refusal("{\"AUC\": {\"thresholds\": [2]}}", "AUC: thresholds[0] is 2; it must be from 0 to 1");
}
