/* A limit of device memory: what is planned is what is taken at most. */
#include <stdio.h>
#include <strata/train.h>
#include <string.h>

#include "device/buffer.h"
#include "dist/context.h"
#include "support.h"

enum { SAMPLES = 50, SIDE = 24 };

static void keep(void *context, const char *message)
{
    snprintf(context, 400, "%s", message);
}

/* The number before a word of a message. */
static double number_before(const char *message, const char *word)
{
    double value = -1;
    const char *at = strstr(message, word);
    cr_assert(at, "%s", message);
    while (at > message && at[-1] == ' ') at--;
    while (at > message && strchr("0123456789.", at[-1])) at--;
    cr_assert_eq(sscanf(at, "%lf", &value), 1, "%s", message);
    return value;
}

static strata_data *make_data(void)
{
    static float x[SAMPLES * SIDE * SIDE], y[SAMPLES];
    strata_error err = { 0 };
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)(i * 37 % 101) / 101;
    for (size_t i = 0; i < SAMPLES; i++) y[i] = (float)(i % 7);
    const strata_array xs = { STRATA_FLOAT32, 4, { SAMPLES, SIDE, SIDE, 1 }, x }, ys = { STRATA_FLOAT32, 2, { SAMPLES, 1 }, y };
    strata_data *data = strata_data_from_arrays(&xs, &ys, NULL, &err);
    ok(data);
    return data;
}

static strata_model *make_model(void)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(
        "[{\"Input\": {\"shape\": [24, 24, 1]}}, {\"Conv2D\": {\"filters\": 8, \"kernel_size\": 3, \"activation\": \"relu\"}}, "
        "{\"Conv2D\": {\"filters\": 8, \"kernel_size\": 3, \"activation\": \"relu\"}}, {\"Flatten\": {}}, {\"Dense\": {\"units\": 1}}]",
        &err);
    ok(model);
    ok(strata_model_compile(model, "{\"optimizer\": \"adam\", \"loss\": \"mse\"}", &err));
    return model;
}

/* Trains and validates within so many bytes, and compares what that took with what was planned. */
static void train_within(size_t bytes)
{
    strata_error err = { 0 };
    char told[400] = "";
    strata_data *data = make_data();
    strata_model *model = make_model();
    strata_context *context = strata_context_create(NULL, &err);
    ok(context);
    strata_context_limit_memory(context, bytes, keep, told);
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = 40;
    config.epochs = 2;
    config.validation_data = data;
    ok(strata_model_fit(model, context, data, &config, NULL, &err));
    const double mib = 1024 * 1024, took = (double)strata_buffers_most(strata_context_device_of(context)) / mib;
    const double planned = number_before(told, " MiB of device memory");
    cr_assert_leq(planned, (double)bytes / mib, "%s", told);
    cr_assert_leq(took, planned + 0.01, "took %.2f MiB: %s", took, told); /* it is told in hundredths */
    cr_assert_geq(took, 0.3 * planned, "took %.2f MiB: %s", took, told);
    cr_assert_lt(number_before(told, " at once"), 40, "%s", told);
    strata_context_free(context);
    strata_model_free(model);
    strata_data_free(data);
}

Test(limit, is_kept_by_what_fit_takes)
{
    train_within((size_t)2 << 20);
    train_within((size_t)1 << 20);
}

Test(limit, that_is_too_small_says_what_is_needed)
{
    strata_error err = { 0 };
    strata_data *data = make_data();
    strata_model *model = make_model();
    strata_context *context = strata_context_create(NULL, &err);
    ok(context);
    strata_context_limit_memory(context, (size_t)200 << 10, NULL, NULL);
    const strata_fit_config config = strata_fit_defaults();
    cr_assert_not(strata_model_fit(model, context, data, &config, NULL, &err));
    cr_assert_eq(err.code, STRATA_EMEMORY);
    const double least = number_before(err.message, " MiB are needed");
    err = (strata_error){ 0 };
    strata_context_limit_memory(context, (size_t)((least + 0.01) * 1024 * 1024), NULL, NULL);
    ok(strata_model_fit(model, context, data, &config, NULL, &err));
    strata_context_free(context);
    strata_model_free(model);
    strata_data_free(data);
}
