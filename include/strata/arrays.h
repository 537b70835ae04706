/* Results as files: predictions, features. */
#ifndef STRATA_ARRAYS_H
#define STRATA_ARRAYS_H

#include <stddef.h>
#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* float32 numbers, row-major; the first extent counts the samples. */
typedef struct strata_result {
    const char *name; /* of the array in an .h5; "/" makes groups */
    int rank;
    size_t dim[6];
    const float *values;
} strata_result;

/* Whether a result of `count` arrays can be written under that name: .h5 holds any number, .npy and .csv one. STRATA_EUSAGE
 * says what can. Ask before the work. */
STRATA_API STRATA_CHECKED bool strata_results_writable(const char *path, size_t count, strata_error *err);

/* Writes the file whole or not at all. A .csv has a row a sample under the line "0,1,2,...", and as many digits as a
 * float32 needs to be read back the same. */
STRATA_API STRATA_CHECKED bool strata_results_save(const char *path, const strata_result *results, size_t count,
                                                   strata_error *err);

/* The same in pieces, for results that memory does not hold: values of `results` are not looked at. Rows come in order, without
 * gaps. What was appended appears whole under the path at commit, which ends it, done or not; close discards it. */
typedef struct strata_results_file strata_results_file;
STRATA_API STRATA_CHECKED strata_results_file *strata_results_open(const char *path, const strata_result *results,
                                                                   size_t count, strata_error *err);
STRATA_API STRATA_CHECKED bool strata_results_append(strata_results_file *file, size_t result, size_t first, size_t count,
                                                     const float *values, strata_error *err);
STRATA_API STRATA_CHECKED bool strata_results_commit(strata_results_file *file, strata_error *err);
STRATA_API void strata_results_close(strata_results_file *file); /* takes NULL */

#ifdef __cplusplus
}
#endif
#endif
