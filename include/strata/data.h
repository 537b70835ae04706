/* Datasets: samples with labels, in memory. */
#ifndef STRATA_DATA_H
#define STRATA_DATA_H

#include <stddef.h>
#include <stdint.h>
#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strata_data strata_data;

typedef enum strata_type { STRATA_FLOAT32, STRATA_UINT8, STRATA_INT32, STRATA_INT64 } strata_type;

/* An array of the caller's: row-major, `rank` extents of which the first counts the samples. values NULL: none. */
typedef struct strata_array {
    strata_type type;
    int rank;
    size_t dim[6];
    const void *values;
} strata_array;

/* A dataset of copies of x, y and sample_weight (either may be without values). STRATA_ESHAPE when their first extents
 * differ. x: float32, uint8 or int32 (n, ...). y: float32 (n, ...) or integers (n) or (n, 1). */
STRATA_API STRATA_CHECKED strata_data *strata_data_from_arrays(const strata_array *x, const strata_array *y,
                                                               const strata_array *sample_weight, strata_error *err);

/* Reads a source: "fashion-mnist:train", "fashion-mnist:test", "idx:IMAGES,LABELS" (plain or .gz), FILE.h5 or FILE.npz
 * (arrays x, y, and sample_weight if there), FILE.csv (a header line; label column "label" or the last), or a JSON object
 *
 *   {"source": "...", "x": "images", "y": "labels", "limit": 1000, "scale": 0.00392, "one_hot": 10}
 *
 * idx images become (n, h, w, 1) uint8 with scale 1/255: models see 0..1. */
STRATA_API STRATA_CHECKED strata_data *strata_data_open(const char *source, strata_error *err);
STRATA_API void strata_data_free(strata_data *data); /* takes NULL */

STRATA_API size_t strata_data_count(const strata_data *data);
STRATA_API strata_array strata_data_x(const strata_data *data); /* borrowed */
STRATA_API strata_array strata_data_y(const strata_data *data); /* values NULL: no labels */
STRATA_API strata_array strata_data_sample_weight(const strata_data *data);
STRATA_API float strata_data_scale(const strata_data *data);    /* x is multiplied by it on its way into the model */
STRATA_API const char *strata_data_name(const strata_data *data); /* the source, for messages */

#ifdef __cplusplus
}
#endif
#endif
