/* Weights as NumPy's .npz: one array "layer/weight" for each, or arr_0, arr_1, ... in the order of model.weights, as
 * numpy.savez(file, *model.get_weights()) makes it. */
#ifndef STRATA_FILES_NPZ_H
#define STRATA_FILES_NPZ_H

#include <strata/model.h>

#include "files/names.h"

struct npz;

/* Reads all arrays of the file. */
struct npz *strata_npz_open(const char *path, strata_error *err);
void strata_npz_close(struct npz *file); /* takes NULL */
const char *strata_npz_what(const struct npz *file);
size_t strata_npz_count(const struct npz *file);
const char *strata_npz_name(const struct npz *file, size_t index);
bool strata_npz_has(const struct npz *file, const char *name);
bool strata_npz_shape(const struct npz *file, const char *name, strata_shape *shape, strata_error *err);
bool strata_npz_floats(const struct npz *file, const char *name, float *values, size_t count,
                       strata_error *err);

/* Replaces the file whole with the weights of a model. */
bool strata_npz_write(const strata_model *model, const char *path, strata_error *err);

#endif
