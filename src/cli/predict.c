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

/* Where the rows go, on rank 0. Starts as { 0 }. */
struct writing {
    strata_results_file *file; /* NULL: stdout */
    bool json;
    size_t columns;
};

static bool print_json_rows(size_t first, size_t count, size_t columns, const float *values, strata_error *err)
{
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_array();
        for (size_t j = 0; row && j < columns; j++)
            json_array_append_new(row, strata_json_number((double)values[i * columns + j]));
        if (!strata_print_json(json_pack("{s:I, s:o}", "sample", (json_int_t)(first + i), "output", row), err))
            return false;
    }
    return true;
}

static bool put_rows(void *context, size_t output, size_t first, size_t count, const float *values, strata_error *err)
{
    const struct writing *w = context;
    if (strata_launch_rank() != 0) return true;
    if (w->file) return strata_results_append(w->file, output, first, count, values, err);
    if (w->json) return print_json_rows(first, count, w->columns, values, err);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < w->columns; j++)
            strata_print("%.6g%s", (double)values[i * w->columns + j], j + 1 < w->columns ? "," : "\n");
    return true;
}

static bool begin(const struct command *c, const struct session *s, struct writing *w, strata_error *err)
{
    const char *path = strata_command_option(c, "--output");
    strata_shape shape = { .rank = -1 };
    if (!strata_session_shape(s, NULL, &shape, err)) return false;
    strata_result result = { .name = "predictions", .rank = shape.rank + 1 };
    result.dim[0] = strata_data_count(s->data);
    for (int i = 0; i < shape.rank && i < 5; i++) result.dim[i + 1] = shape.dim[i];
    w->json = c->json;
    w->columns = outputs(&shape);
    if (path && strata_launch_rank() == 0) w->file = strata_results_open(path, &result, 1, err);
    return !path || strata_launch_rank() != 0 || w->file;
}

static bool predict(const struct command *c, const struct session *s, strata_error *err)
{
    const char *path = strata_command_option(c, "--output");
    struct writing w = { 0 };
    bool ok = strata_session_agree(s, begin(c, s, &w, err), err)
              && strata_model_predict_rows(s->model, s->context, s->data, s->batch_size, put_rows, &w, err);
    if (ok && path) {
        ok = strata_session_agree(s, !w.file || strata_results_commit(w.file, err), err);
        w.file = NULL;
        if (ok)
            strata_note(c, "%zu predictions of %zu numbers each are in %s", strata_data_count(s->data), w.columns, path);
    }
    strata_results_close(w.file);
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
    STRATA_MEMORY_OPTION,
    { "--output", 'o', "FILE", "a .h5 (array \"predictions\"), .npy or .csv; else the numbers go to stdout" },
    { 0 },
};

extern const struct verb strata_verb_predict;
const struct verb strata_verb_predict = {
    .name = "predict",
    .usage = "MODEL --data SOURCE -o OUT.h5|OUT.npy|OUT.csv [--max-memory SIZE]",
    .summary = "the model's outputs for every sample",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
