/* What real Keras saved, and what it says is in there. */
#ifndef STRATA_TESTS_FILES_GOLDEN_H
#define STRATA_TESTS_FILES_GOLDEN_H

#include <jansson.h>
#include <strata/files.h>

#include "files/h5.h"

/* Goes to a new folder, because tests run side by side: an .init for suites that write files. */
void own_folder(void);

/* "tests/golden/files/NAME"; buffer of 1024. */
const char *golden_path(const char *name, char *buffer);

/* Every expected file of tests/golden/files whose models Strata knows all layers of; at least one. */
void each_golden(void (*check)(const char *name, struct h5 *expected, void *context), void *context);

/* A JSON attribute of an expected file; NULL: it has none. */
json_t *golden_json(struct h5 *expected, const char *attribute);

/* All weights of a model must be those in the group, bit for bit. */
void check_weights(const char *what, const strata_model *model, struct h5 *expected, const char *group);

/* Two built models must have the same weights, bit for bit. */
void check_same_weights(const char *what, const strata_model *a, const strata_model *b);

#endif
