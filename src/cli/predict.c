/* strata predict: the model's outputs for every sample. */
#include <stdlib.h>
#include <strata/arrays.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

static size_t outputs(const strata_shape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

static bool print_json_rows(const float *values, size_t samples, size_t columns, strata_error *err)
{
    for (size_t i = 0; i < samples; i++) {
        json_t *row = json_array();
        for (size_t j = 0; row && j < columns; j++)
            json_array_append_new(row, json_real((double)values[i * columns + j]));
        if (!strata_print_json(json_pack("{s:I, s:o}", "sample", (json_int_t)i, "output", row), err))
            return false;
    }
    return true;
}

static bool print_rows(const float *values, size_t samples, size_t columns)
{
    for (size_t i = 0; i < samples; i++)
        for (size_t j = 0; j < columns; j++)
            strata_print("%.6g%s", (double)values[i * columns + j], j + 1 < columns ? "," : "\n");
    return true;
}

static bool save(const struct command *c, const struct session *s, const char *path, const strata_shape *shape,
                 const float *values, strata_error *err)
{
    strata_result result = { .name = "predictions", .rank = shape->rank + 1, .values = values };
    result.dim[0] = strata_data_count(s->data);
    for (int i = 0; i < shape->rank && i < 5; i++) result.dim[i + 1] = shape->dim[i];
    const bool ok = strata_launch_rank() != 0 || strata_results_save(path, &result, 1, err);
    if (!strata_session_agree(s, ok, err)) return false;
    strata_note(c, "%zu predictions of %zu numbers each are in %s", result.dim[0], outputs(shape), path);
    return true;
}

static bool predict(const struct command *c, const struct session *s, strata_error *err)
{
    const char *path = strata_command_option(c, "--output");
    const size_t samples = strata_data_count(s->data);
    strata_shape shape = { .rank = -1 };
    float *values = NULL;
    bool ok = strata_model_predict(s->model, s->context, s->data, s->batch_size, &values, err)
              && strata_session_shape(s, NULL, &shape, err);
    const size_t columns = outputs(&shape);
    if (ok && path)
        ok = save(c, s, path, &shape, values, err);
    else if (ok)
        ok = c->json ? print_json_rows(values, samples, columns, err) : print_rows(values, samples, columns);
    free(values);
    return ok;
}

static bool run(const struct command *c, strata_error *err)
{
    const char *path = strata_command_option(c, "--output");
    struct session s = { 0 };
    if (path && !strata_results_writable(path, 1, err)) return false;
    const bool ok = strata_session_open(c, &s, err) && predict(c, &s, err);
    strata_session_close(&s);
    return ok;
}

static const struct option options[] = {
    STRATA_DATA_OPTIONS,
    { "--output", 'o', "FILE", "a .h5 (array \"predictions\"), .npy or .csv; else the numbers go to stdout" },
    { 0 },
};

extern const struct verb strata_verb_predict;
const struct verb strata_verb_predict = {
    .name = "predict",
    .usage = "MODEL --data SOURCE -o OUT.h5|OUT.npy|OUT.csv",
    .summary = "the model's outputs for every sample",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
