/* A model of golden/files that Keras saved in the middle of training goes on here as it does there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>
#include <strata/train.h>

#include "resume.h"

enum { BATCH = 4, MOST_STEPS = 64 };

struct losses {
    double mean[MOST_STEPS];
    size_t count;
};

static bool keep(void *memory, const strata_progress *p)
{
    struct losses *losses = memory;
    if (losses->count < MOST_STEPS) losses->mean[losses->count++] = p->values[0];
    return true;
}

static bool say(char *message, size_t size, const char *file, const strata_error *err)
{
    snprintf(message, size, "%s: %s", file, err->message);
    return false;
}

static bool check_losses(hid_t file, const struct losses *losses, const char *name, char *message, size_t size)
{
    struct golden_array expected;
    char what[300];
    float each[MOST_STEPS];
    if (!golden_read(file, "resume_loss", &expected)) return false;
    for (size_t i = 0; i < losses->count; i++)
        each[i] = (float)(losses->mean[i] * (double)(i + 1) - (i ? losses->mean[i - 1] * (double)i : 0));
    snprintf(what, sizeof what, "%s: resume_loss", name);
    const bool ok = expected.count == losses->count && golden_close(what, each, &expected, false, message, size);
    golden_free(&expected);
    return ok;
}

static bool is_named(const strata_model *model, size_t index, const char *name)
{
    return strcmp(strata_model_weight_info(model, index).name, name) == 0;
}

/* A bias before a normalization has no gradient but rounding, of which Adam makes steps of full size; the moving mean
 * follows it. */
static bool is_noise(const strata_model *model, size_t index, size_t count)
{
    const bool bias = index + 1 < count && is_named(model, index, "bias") && is_named(model, index + 1, "gamma");
    return bias || (index >= 3 && is_named(model, index, "moving_mean") && is_named(model, index - 3, "bias"));
}

static bool check_weights(hid_t file, strata_model *model, const char *name, char *message, size_t size)
{
    strata_error err = { 0 };
    size_t count;
    bool ok = strata_model_weight_count(model, &count, &err) || say(message, size, name, &err);
    for (size_t i = 0; ok && i < count; i++) {
        struct golden_array expected;
        char dataset[64], what[300];
        if (is_noise(model, i, count)) continue;
        snprintf(dataset, sizeof dataset, "weights_after/%03zu", i);
        snprintf(what, sizeof what, "%s: %s", name, dataset);
        ok = golden_read(file, dataset, &expected);
        float *values = ok ? calloc(expected.count + 1, sizeof *values) : NULL;
        ok = values && (strata_model_get_weight(model, i, values, expected.count, &err) || say(message, size, what, &err))
             && golden_close(what, values, &expected, false, message, size);
        free(values);
        golden_free(&expected);
    }
    return ok;
}

static strata_data *read_batches(hid_t file, strata_error *err)
{
    struct golden_array x = { 0 }, y = { 0 };
    strata_data *data = NULL;
    if (golden_read(file, "resume_x", &x) && golden_read(file, "resume_y", &y)) {
        strata_array xs = { .type = STRATA_FLOAT32, .rank = x.shape.rank, .values = x.values };
        strata_array ys = { .type = y.integer ? STRATA_INT32 : STRATA_FLOAT32, .rank = y.shape.rank,
                            .values = y.integer ? (const void *)y.ints : y.values };
        for (int i = 0; i < x.shape.rank; i++) xs.dim[i] = x.shape.dim[i];
        for (int i = 0; i < y.shape.rank; i++) ys.dim[i] = y.shape.dim[i];
        data = strata_data_from_arrays(&xs, &ys, NULL, err);
    }
    golden_free(&x);
    golden_free(&y);
    return data;
}

bool golden_go_on(const struct runner *runner, hid_t file, const char *path, const char *name, char *message,
                  size_t size)
{
    strata_error err = { 0 };
    struct losses losses = { 0 };
    strata_context *context = golden_context(runner, &err);
    strata_model *model = context ? strata_model_open(path, &err) : NULL;
    strata_data *data = model ? read_batches(file, &err) : NULL;
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = BATCH;
    config.shuffle = false;
    config.progress = keep;
    config.progress_seconds = 0;
    config.progress_context = &losses;
    const bool ok = (data && strata_model_fit(model, context, data, &config, NULL, &err)) || say(message, size, name, &err);
    const bool good = ok && check_losses(file, &losses, name, message, size)
                      && check_weights(file, model, name, message, size);
    strata_data_free(data);
    strata_model_free(model);
    return good;
}
