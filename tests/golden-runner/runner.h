/* The golden runner: main.c finds the case files and hands each to the kind that knows it. To add a kind, write its file
 * and list it in main.c. */
#ifndef STRATA_TESTS_GOLDEN_RUNNER_H
#define STRATA_TESTS_GOLDEN_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <strata/train.h>

struct device;

struct runner {
    struct device *device; /* open, of the class that was asked for */
};

struct case_kind {
    const char *name;
    /* Whether the file is a case of this kind; cheap, may open it. */
    bool (*matches)(const char *path);
    /* Runs the case. When it fails, message says what differed first. */
    bool (*run)(struct runner *runner, const char *path, char *message, size_t size);
};

/* The one context of the run, on a device of the runner's class; not to be freed. */
strata_context *golden_context(const struct runner *runner, strata_error *err);
void golden_context_free(void); /* before main returns: OpenCL runtimes do not work in exit handlers */
/* The shape of the model's output for samples of the data. */
bool golden_output_shape(strata_model *model, const strata_data *data, strata_shape *shape, strata_error *err);

extern const struct case_kind golden_layers, golden_training, golden_summary, golden_files;

#endif
