/* Mistakes in compile, and in the data and numbers that training and prediction get. */
#include "mistakes.h"

#include <strata/job.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 8, MOST = 512 };

static const float ones[MOST] = { 1, 1, 1, 1, 1, 1, 1, 1 };

static strata_data *data_of(strata_array x, strata_array y, strata_error *err)
{
    return strata_data_from_arrays(&x, &y, NULL, err);
}

static strata_array floats(int rank, size_t n, size_t h, size_t w, size_t c)
{
    return (strata_array){ STRATA_FLOAT32, rank, { n, h, w, c }, ones };
}

/* Model a predicts for samples of the shape that b spells: digits, the batch first. */
static bool predict(const struct mistake *row, strata_error *err)
{
    strata_array x = { STRATA_FLOAT32, 0, { 0 }, ones };
    for (const char *digit = row->b; *digit; digit++) x.dim[x.rank++] = (size_t)(*digit - '0');
    strata_model *model = mistakes_model(row->a);
    strata_data *data = data_of(x, (strata_array){ 0 }, err);
    float *values = NULL;
    const bool passed = data && strata_model_predict(model, mistakes_context(), data, 2, &values, err);
    free(values);
    strata_data_free(data);
    strata_model_free(model);
    return passed;
}

static bool rebuild(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const strata_shape four = { 1, { 4 } }, five = { 1, { 5 } };
    cr_expect(strata_model_build(model, &four, 2, err), "%s", err->message);
    const bool passed = strata_model_build(model, &five, 2, err);
    strata_model_free(model);
    return passed;
}

static bool compile(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(MLP);
    const bool passed = strata_model_compile(model, row->a, err);
    strata_model_free(model);
    return passed;
}

#define OF_THREE(last) "[{\"Input\": {\"shape\": [4]}}, {\"Dense\": {\"units\": 3, \"activation\": \"" last "\"}}]"
#define LOSS(loss) "{\"optimizer\": \"sgd\", \"loss\": \"" loss "\"}"

/* One epoch of model a, compiled with b (NULL: not at all), on data that the functions below make. */
static bool fit_on(const struct mistake *row, strata_array x, strata_array y, const strata_fit_config *config,
                   strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    strata_data *data = data_of(x, y, err);
    const bool passed = data && (!row->b || strata_model_compile(model, row->b, err))
                        && strata_model_fit(model, mistakes_context(), data, config, NULL, err);
    strata_data_free(data);
    strata_model_free(model);
    return passed;
}

static bool fit_width(const struct mistake *row, size_t samples, size_t width, strata_error *err)
{
    const strata_fit_config config = strata_fit_defaults();
    return fit_on(row, floats(2, SAMPLES, 4, 0, 0), floats(2, samples, width, 0, 0), &config, err);
}

static bool fit_2(const struct mistake *row, strata_error *err)
{
    return fit_width(row, SAMPLES, 2, err);
}

static bool fit_3(const struct mistake *row, strata_error *err)
{
    return fit_width(row, SAMPLES, 3, err);
}

static bool fit_1(const struct mistake *row, strata_error *err)
{
    return fit_width(row, SAMPLES, 1, err);
}

static bool fit_7_samples(const struct mistake *row, strata_error *err)
{
    return fit_width(row, SAMPLES - 1, 3, err);
}

static bool fit_indices(const struct mistake *row, int label, strata_error *err)
{
    int32_t labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) labels[i] = label;
    const strata_fit_config config = strata_fit_defaults();
    return fit_on(row, floats(2, SAMPLES, 4, 0, 0), (strata_array){ STRATA_INT32, 1, { SAMPLES }, labels }, &config, err);
}

static bool fit_label_1(const struct mistake *row, strata_error *err)
{
    return fit_indices(row, 1, err);
}

static bool fit_label_3(const struct mistake *row, strata_error *err)
{
    return fit_indices(row, 3, err);
}

static bool fit_label_negative(const struct mistake *row, strata_error *err)
{
    return fit_indices(row, -1, err);
}

static bool evaluate(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    strata_data *data = data_of(floats(2, SAMPLES, 4, 0, 0), floats(2, SAMPLES, 2, 0, 0), err);
    strata_logs logs;
    const bool passed = data && strata_model_evaluate(model, mistakes_context(), data, 4, &logs, err);
    strata_data_free(data);
    strata_model_free(model);
    return passed;
}

static bool fit_with(const struct mistake *row, strata_fit_config config, size_t samples, strata_error *err)
{
    return fit_on(row, floats(2, samples, 4, 0, 0), floats(2, samples, 3, 0, 0), &config, err);
}

static bool fit_batch_0(const struct mistake *row, strata_error *err)
{
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = 0;
    return fit_with(row, config, SAMPLES, err);
}

static bool fit_split_1(const struct mistake *row, strata_error *err)
{
    strata_fit_config config = strata_fit_defaults();
    config.validation_split = 1;
    return fit_with(row, config, SAMPLES, err);
}

static bool fit_nothing(const struct mistake *row, strata_error *err)
{
    return fit_with(row, strata_fit_defaults(), 0, err);
}

/* The job file has what the C API's unsigned numbers cannot hold. */
static bool job(const struct mistake *row, strata_error *err)
{
    FILE *file = fopen("job.json", "w");
    cr_assert_not_null(file);
    fprintf(file, "{\"model\": [{\"Dense\": {\"units\": 3}}], \"data\": {\"train\": \"x.csv\"}, \"compile\": {\"loss\": \"mse\"}, %s}",
            row->a);
    fclose(file);
    strata_job *loaded = strata_job_load("job.json", NULL, 0, err);
    strata_job_free(loaded);
    return loaded != NULL;
}

#define LINEAR OF_THREE("linear"), LOSS("mse")
#define SOFTMAX(loss) OF_THREE("softmax"), LOSS(loss)
#define CNN "[{\"Input\": {\"shape\": [8, 8, 3]}}, {\"Conv2D\": {\"filters\": 2, \"kernel_size\": 3}}]"

const struct mistake mistakes_of_training[] = {
    { "predict on an empty model", predict, "[]", "84", "has no layers", 0 },
    { "predict, wrong last dimension", predict, MLP, "25", "samples have shape (None, 5)", 0 },
    { "predict, wrong number of dimensions", predict, MLP, "2441", "samples have shape (None, 4, 4, 1)", 0 },
    { "predict, one dimension only", predict, MLP, "4", "samples have shape (None,)", 0 },
    { "call, wrong last dimension", predict, MLP, "25", "samples have shape (None, 5)", 0 },
    { "call after a build for another shape", rebuild, "[{\"Dense\": {\"units\": 2}}]", 0, "takes inputs of shape (None, 4)", 0 },
    { "convolution model, wrong size", predict, CNN, "1983", "takes (None, 8, 8, 3)", 0 },
    { "convolution model, wrong channels", predict, CNN, "1881", "takes (None, 8, 8, 3)", 0 },
    { "fit before compile", fit_2, MLP, 0, "compile", 0 },
    { "evaluate before compile", evaluate, MLP, 0, "compile", 0 },
    { "compile without loss, then fit", fit_2, MLP, "{\"optimizer\": \"sgd\"}", "without a loss", 0 },
    { "unknown optimizer", compile, "{\"optimizer\": \"adamm\", \"loss\": \"mse\"}", 0, "did you mean", 0 },
    { "unknown loss", compile, LOSS("mean_square"), 0, "mean_square", 0 },
    { "halves", compile, "{\"optimizer\": \"sgd\", \"loss\": \"mse\", \"dtype_policy\": \"float16\"}", 0,
      "dtype_policy is float16; weights are kept in float32: give \"float32\", \"mixed_float16\"", 0 },
    { "unknown metric", compile, "{\"optimizer\": \"sgd\", \"loss\": \"mse\", \"metrics\": [\"acuracy\"]}", 0, "did you mean", 0 },
    { "target of another width, mse", fit_2, LINEAR, "(None, 2)", 0 },
    { "target of another width, categorical_crossentropy", fit_2, SOFTMAX("categorical_crossentropy"), "(None, 2)", 0 },
    { "target of one column, mse (broadcasts)", fit_1, LINEAR, "(None, 1)", 0 },
    { "x and y of different length", fit_7_samples, LINEAR, "7", 0 },
    { "integer labels with categorical_crossentropy", fit_label_1, SOFTMAX("categorical_crossentropy"), "SparseCategoricalCrossentropy", 0 },
    { "one-hot labels with sparse_categorical_crossentropy", fit_3, SOFTMAX("sparse_categorical_crossentropy"), "(None, 3)", 0 },
    { "label out of range", fit_label_3, SOFTMAX("sparse_categorical_crossentropy"), "the label of sample 0 is 3", 0 },
    { "label negative", fit_label_negative, SOFTMAX("sparse_categorical_crossentropy"), "the label of sample 0 is -1", 0 },
    { "NaN in the input", 0, 0, 0, 0, "no error in Keras: the loss is NaN, which TerminateOnNaN stops at" },
    { "batch_size 0", fit_batch_0, LINEAR, "batch_size is 0", 0 },
    { "batch_size negative", job, "\"fit\": {\"batch_size\": -1}", 0, "batch_size is -1", 0 },
    { "epochs 0", 0, 0, 0, 0, "no error in Keras 3: training that has reached its last epoch goes on for none" },
    { "validation_split 1.0", fit_split_1, LINEAR, "validation_split", 0 },
    { "validation_split leaves nothing", 0, 0, 0, 0, "no error in Keras: one of the two samples validates" },
    { "no samples in fit", fit_nothing, LINEAR, "no samples", 0 },
    { "no samples in predict", predict, MLP, "04", "no samples", 0 },
    { "every layer frozen", 0, 0, 0, 0, "no error in Keras: training changes nothing" },
    { "clipnorm and clipvalue", compile, "{\"optimizer\": {\"SGD\": {\"clipnorm\": 1, \"clipvalue\": 1}}, \"loss\": \"mse\"}", 0,
      "clipnorm", 0 },
    { "momentum above 1", compile, "{\"optimizer\": {\"SGD\": {\"momentum\": 1.5}}, \"loss\": \"mse\"}", 0, "momentum is 1.5", 0 },
    { "negative clipnorm", compile, "{\"optimizer\": {\"SGD\": {\"clipnorm\": -1}}, \"loss\": \"mse\"}", 0, "clipnorm is -1", 0 },
    { 0 },
};
