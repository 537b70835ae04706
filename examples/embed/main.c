/* Strata inside another program: learns which points of a square lie in a circle, and saves the model for Keras. */
#include <stdio.h>
#include <stdlib.h>
#include <strata/files.h>
#include <strata/train.h>

enum { POINTS = 2000 };

static strata_data *circle(strata_error *err)
{
    static float x[POINTS][2], y[POINTS][1];
    for (int i = 0; i < POINTS; i++) {
        x[i][0] = 2.0f * (float)rand() / (float)RAND_MAX - 1;
        x[i][1] = 2.0f * (float)rand() / (float)RAND_MAX - 1;
        y[i][0] = x[i][0] * x[i][0] + x[i][1] * x[i][1] < 0.5f;
    }
    const strata_array points = { STRATA_FLOAT32, 2, { POINTS, 2 }, x };
    const strata_array inside = { STRATA_FLOAT32, 2, { POINTS, 1 }, y };
    return strata_data_from_arrays(&points, &inside, NULL, err);
}

static bool add(strata_model *model, const char *class_name, const char *config, strata_error *err)
{
    strata_layer *layer = strata_layer_create(class_name, config, err);
    return layer && strata_model_add(model, layer, err);
}

int main(void)
{
    strata_error err = { 0 };
    strata_logs logs = { 0 };
    strata_fit_config fit = strata_fit_defaults();
    fit.epochs = 20;

    strata_model *model = NULL;
    strata_data *data = NULL;
    strata_context *context = strata_context_create(NULL, &err);
    bool ok = context && (data = circle(&err)) && (model = strata_sequential_create("circle", &err))
           && add(model, "Input", "{\"shape\": [2]}", &err)
           && add(model, "Dense", "{\"units\": 32, \"activation\": \"relu\"}", &err)
           && add(model, "Dense", "{\"units\": 1, \"activation\": \"sigmoid\"}", &err)
           && strata_model_compile(model, "{\"optimizer\": {\"Adam\": {\"learning_rate\": 0.01}},"
                                          " \"loss\": \"binary_crossentropy\", \"metrics\": [\"accuracy\"]}", &err)
           && strata_model_fit(model, context, data, &fit, NULL, &err)
           && strata_model_evaluate(model, context, data, 100, &logs, &err)
           && strata_model_save(model, "circle.keras", NULL, &err);

    if (!ok) fprintf(stderr, "error: %s\n", err.message);
    for (size_t i = 0; i < logs.count; i++) printf("%s %.4f\n", logs.names[i], logs.values[i]);
    strata_logs_free(&logs);
    strata_model_free(model);
    strata_data_free(data);
    strata_context_free(context);
    return strata_exit_code(err.code);
}
