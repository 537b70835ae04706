/* Datasets: samples with labels, in memory or read as they are needed. */
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
 * (arrays x, y, and sample_weight if there), FILE.csv (a header line; label column "label" or the last), a folder with a
 * folder of JPEG and PNG pictures a class, or a JSON object
 *
 *   {"source": "...", "x": "images", "y": "labels", "limit": 1000, "scale": 0.00392, "one_hot": 10,
 *    "resize": [64, 64], "channels": 3, "damaged": "skip", "memory": 512,
 *    "augment": {"RandomFlip": {"mode": "horizontal"}, "RandomRotation": {"factor": 0.05}}}
 *
 * x of more than "memory" MiB is read as it is needed, HDF5 and plain idx files from where it lies, the others through a
 * temporary file. "augment" names layers, by Keras's configs, through which samples go in training alone.
 *
 * idx images become (n, h, w, 1) uint8 with scale 1/255: models see 0..1. Pictures are 0..255, read as they are needed, and
 * as Keras's image_dataset_from_directory gives them: classes are the sorted names of the folders, the files of a class
 * sorted too; resized bilinearly to "resize" (height, width) as float32, or unchanged uint8 without it; channels 1 (grey),
 * 3 (the default) or 4 (with opacity). A picture that cannot be read stops what reads it; with "damaged": "skip" each is
 * read when the source is opened, and those that cannot be are left out, with a note. */
STRATA_API STRATA_CHECKED strata_data *strata_data_open(const char *source, strata_error *err);
STRATA_API void strata_data_free(strata_data *data); /* takes NULL */

STRATA_API size_t strata_data_count(const strata_data *data);
/* Borrowed. x has type and extents, but no values when its samples are read from their source as they are needed. */
STRATA_API strata_array strata_data_x(const strata_data *data);
STRATA_API strata_array strata_data_y(const strata_data *data); /* values NULL: no labels */
STRATA_API strata_array strata_data_sample_weight(const strata_data *data);
STRATA_API float strata_data_scale(const strata_data *data);    /* x is multiplied by it on its way into the model */
STRATA_API const char *strata_data_name(const strata_data *data); /* the source, for messages */

/* Copies x of the samples first .. first + count - 1 to `x`, wherever they are. STRATA_EFILE when their source is damaged. */
STRATA_API STRATA_CHECKED bool strata_data_read(const strata_data *data, size_t first, size_t count, void *x,
                                                strata_error *err);

/* Samples that can be made to fit do so: pictures of a folder take the shape (height, width, channels) of a model's input
 * where the source did not ask for one, when no extent is open. Other data stays as it is. */
STRATA_API void strata_data_suit(strata_data *data, const size_t *shape, int rank);

/* What the user should hear of the data, such as pictures that were left out; NULL after the last. */
STRATA_API const char *strata_data_note(const strata_data *data, size_t index);
/* The name of the class that a label stands for, where the source has names; NULL: none. */
STRATA_API const char *strata_data_class_name(const strata_data *data, size_t index);

#ifdef __cplusplus
}
#endif
#endif
