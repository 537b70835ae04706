/* Keras's files. What is written appears under its name whole or not at all. */
#ifndef STRATA_FILES_H
#define STRATA_FILES_H

#include <strata/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model from .json, .h5 / .hdf5 (Keras 2 and 3), .keras (both), with its weights where the file has them. A folder is
 * a run folder: best.keras, else last.keras, else its newest good checkpoint. */
STRATA_API STRATA_CHECKED strata_model *strata_model_load(const char *path, strata_error *err);

typedef struct strata_save_options {
    strata_flavour flavour; /* of .h5 and .json; .keras and .weights.h5 are Keras 3's, _weights.h5 Keras 2's */
} strata_save_options;

/* By the name's end: .keras, .weights.h5 (Keras 3), .h5, .json, .npz (weights). options NULL: Keras 3. Of a compiled
 * model with the optimizer's state. */
STRATA_API STRATA_CHECKED bool strata_model_save(strata_model *model, const char *path,
                                                 const strata_save_options *options, strata_error *err);

/* How weights go from a file to a model's layers, and what became of each; free with strata_load_report_free. */
typedef struct strata_load_options {
    bool by_name;       /* match layers by name; else by order */
    bool skip_mismatch; /* leave out weights of another shape, with by_name */
} strata_load_options;
typedef struct strata_load_report {
    char **loaded, **missing, **unused, **mismatched; /* "layer/weight", NULL-terminated */
    size_t optimizer_variables; /* of the file, left there: they come with a whole model alone */
} strata_load_report;

/* Weights of .h5 (weights or whole model, Keras 2 or 3), .weights.h5, .keras, .npz into a built model. The model is
 * unchanged on failure. report may be NULL. */
STRATA_API STRATA_CHECKED bool strata_model_load_weights(strata_model *model, const char *path,
                                                         const strata_load_options *options,
                                                         strata_load_report *report, strata_error *err);
STRATA_API void strata_load_report_free(strata_load_report *report);

#ifdef __cplusplus
}
#endif
#endif
