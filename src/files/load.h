/* Weights from a file into a model: which array goes where is decided first, then all are read, then all are set, so
 * that a failure leaves the model as it was. */
#ifndef STRATA_FILES_LOAD_H
#define STRATA_FILES_LOAD_H

#include <strata/files.h>

#include "files/h5.h"
#include "files/leaves.h"
#include "files/npz.h"

/* A load on its way. */
struct load {
    strata_model *model;
    strata_load_options options;
    struct leaves leaves;
    struct names unused; /* what the file has and nobody wanted, as "layer/weight" */
};

/* Each decides leaf->source and collects what is unused. Without by_name a weight that the file lacks is an error. */
bool strata_match_legacy(struct load *load, const struct h5 *file, const char *group, strata_error *err);
bool strata_match_store(struct load *load, const struct h5 *file, strata_error *err);
bool strata_match_npz(struct load *load, const struct npz *file, strata_error *err);

/* Where the weights of a legacy file are: "" of a weights file, "model_weights" of a whole model; NULL: it is not one. */
const char *strata_legacy_group(const struct h5 *file);
/* Whether the file is a .weights.h5 of Keras 3. */
bool strata_is_store(const struct h5 *file);

/* The whole way from an open file; report may be NULL. */
bool strata_load_h5(strata_model *model, const struct h5 *file, const strata_load_options *options,
                    strata_load_report *report, strata_error *err);
bool strata_load_npz(strata_model *model, const struct npz *file, const strata_load_options *options,
                     strata_load_report *report, strata_error *err);

#endif
