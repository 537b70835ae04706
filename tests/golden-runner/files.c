/* Cases of golden/files: a model that Keras saved predicts what it predicted there, from each of its files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>
#include <strata/train.h>

#include "base/json.h"
#include "golden_file.h"
#include "resume.h"
#include "runner.h"

struct files_case {
    const struct runner *runner;
    hid_t file;
    struct golden_array x, y;
    strata_data *data;
    char *message;
    size_t size;
};

static bool say(struct files_case *c, const char *file, const strata_error *err)
{
    snprintf(c->message, c->size, "%s: %s", file, err->message);
    return false;
}

/* Deep models: the tolerance of the README for files, which is relative to the largest number whatever its size. */
static double tolerance_of(const struct golden_array *expected)
{
    double largest = 0;
    for (size_t i = 0; i < expected->count; i++) largest = fmax(largest, fabs(expected->values[i]));
    const double rounding = isnan(expected->f64_dev) ? 0 : 20 * expected->f64_dev;
    return fmax(2e-5 * largest, rounding);
}

static bool compare(struct files_case *c, const char *what, const float *got, const struct golden_array *expected)
{
    const double tolerance = tolerance_of(expected);
    for (size_t i = 0; i < expected->count; i++)
        if (!(fabs((double)got[i] - expected->values[i]) <= tolerance)) {
            snprintf(c->message, c->size, "%s: number %zu is %.9g, Keras has %.9g (tolerance %.2g)", what, i,
                     (double)got[i], (double)expected->values[i], tolerance);
            return false;
        }
    return true;
}

static size_t outputs(const strata_shape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

static bool predict(struct files_case *c, const char *file, strata_model *model)
{
    strata_error err = { 0 };
    float *got = NULL;
    strata_shape shape;
    if (!golden_output_shape(model, c->data, &shape, &err)) return say(c, file, &err);
    if (outputs(&shape) * c->x.shape.dim[0] != c->y.count) {
        snprintf(c->message, c->size, "%s: %zu outputs for a sample, in Keras %zu", file, outputs(&shape),
                 c->y.count / c->x.shape.dim[0]);
        return false;
    }
    strata_context *context = golden_context(c->runner, &err);
    bool ok = context && strata_model_predict(model, context, c->data, c->x.shape.dim[0], &got, &err);
    ok = ok ? compare(c, file, got, &c->y) : say(c, file, &err);
    free(got);
    return ok;
}

/* The outputs of inner layers, where the case has them. */
static bool extract(struct files_case *c, const char *file, strata_model *model)
{
    strata_error err = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && i < strata_model_layer_count(model); i++) {
        const strata_layer *layer = strata_model_layer(model, i);
        struct golden_array expected;
        char name[256];
        float *got = NULL;
        snprintf(name, sizeof name, "outputs/%s", strata_layer_name(layer));
        if (!golden_has(c->file, "outputs") || !golden_has(c->file, name)) continue;
        ok = golden_read(c->file, name, &expected);
        if (ok) {
            ok = strata_model_extract(model, golden_context(c->runner, &err), c->data, c->x.shape.dim[0],
                                      &layer, 1, &got, &err)
                     ? compare(c, name, got, &expected)
                     : say(c, file, &err);
            golden_free(&expected);
        }
        free(got);
    }
    return ok;
}

static bool is_weights_file(const char *file)
{
    const char *end = strstr(file, "weights.h5");
    return end && end[10] == '\0';
}

static bool run_file(struct files_case *c, const char *folder, const char *file)
{
    char path[2048];
    strata_error err = { 0 };
    if (is_weights_file(file)) return true;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    strata_model *model = strata_model_load(path, &err);
    const bool ok = model ? predict(c, file, model) && extract(c, file, model) : say(c, file, &err);
    strata_model_free(model);
    return ok
           && (!golden_has(c->file, "resume_x") || golden_go_on(c->runner, c->file, path, file, c->message, c->size));
}

static bool run_files(struct files_case *c, const char *path)
{
    char folder[1024];
    const char *slash = strrchr(path, '/');
    char *text = golden_attr(c->file, "files");
    json_t *files = text ? json_loads(text, 0, NULL) : NULL;
    bool ok = files != NULL;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    for (size_t i = 0; ok && i < json_array_size(files); i++)
        ok = run_file(c, folder, json_string_value(json_array_get(files, i)));
    json_decref(files);
    free(text);
    return ok;
}

static bool make_data(struct files_case *c)
{
    strata_error err = { 0 };
    strata_array x = { .type = c->x.integer ? STRATA_INT32 : STRATA_FLOAT32,
                       .rank = c->x.shape.rank,
                       .values = c->x.integer ? (const void *)c->x.ints : c->x.values };
    for (int i = 0; i < x.rank; i++) x.dim[i] = c->x.shape.dim[i];
    c->data = strata_data_from_arrays(&x, NULL, NULL, &err);
    return c->data || say(c, "x", &err);
}

static bool run(struct runner *runner, const char *path, char *message, size_t size)
{
    struct files_case c = { .runner = runner, .file = golden_open(path), .message = message, .size = size };
    snprintf(message, size, "cannot be read");
    const bool ok = c.file >= 0 && golden_read(c.file, "x", &c.x) && golden_read(c.file, "y", &c.y)
                    && make_data(&c) && run_files(&c, path);
    strata_data_free(c.data);
    golden_free(&c.x);
    golden_free(&c.y);
    if (c.file >= 0) H5Fclose(c.file);
    return ok;
}

static bool matches(const char *path)
{
    const char *end = strstr(path, ".expected.h5");
    return end && end[12] == '\0';
}

const struct case_kind golden_files = { "files", matches, run };
