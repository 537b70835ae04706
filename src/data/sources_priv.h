/* The readers of sources, and what they hand over. */
#ifndef STRATA_DATA_SOURCES_PRIV_H
#define STRATA_DATA_SOURCES_PRIV_H

#include "data/dataset.h"

/* `count` samples in a column; column.values NULL: not there. */
struct rows {
    size_t count;
    struct column column;
};

/* What a source holds. Starts as { .scale = 1 }. */
struct arrays {
    struct rows x, y, sample_weight;
    float scale;
    struct stream *stream; /* of x, whose values are NULL then; held */
    size_t first;
    bool later;            /* x may be a stream that is not there yet, and turn out damaged when it is read */
    size_t memory;         /* bytes up to which x is taken into memory when it could be a stream */
};

void strata_arrays_free(struct arrays *arrays);

/* Makes a dataset of the arrays, which it owns from then on, also when it fails. Checks that their counts agree; x
 * becomes float32, uint8 or int32 and sample_weight one float32 a sample. */
strata_data *strata_data_adopt(struct arrays *arrays, const char *name, strata_error *err);

/* The arrays to read from a file that names its arrays; NULL stands for "x", "y" and "sample_weight". x and what was
 * asked for by name must be there. */
enum { ARRAY_X, ARRAY_Y, ARRAY_WEIGHT, ARRAY_COUNT };
struct names {
    const char *of[ARRAY_COUNT];
};
const char *strata_names_get(const struct names *names, int which);
bool strata_names_optional(const struct names *names, int which);
struct rows *strata_arrays_get(struct arrays *arrays, int which);

/* Of an array of `rank` extents: the number of samples and their shape, with the bytes they take as `size` bytes an
 * element. STRATA_EFILE, naming `what`, for rank 0, more than STRATA_MAX_RANK, or sizes that overflow. */
bool strata_rows_shape(struct rows *rows, int rank, const uint64_t *dim, size_t size, size_t *bytes, const char *what,
                       strata_error *err);

/* IDX files, plain or compressed by gzip: images (n, h, w) or (n, h, w, c) of bytes, labels (n) of bytes. */
bool strata_read_idx(const char *images, const char *labels, struct arrays *arrays, strata_error *err);
bool strata_read_hdf5(const char *path, const struct names *names, struct arrays *arrays, strata_error *err);
bool strata_read_npz(const char *path, const struct names *names, struct arrays *arrays, strata_error *err);
/* A table of numbers under a line of column names: y is the column of that name (default "label", else the last),
 * sample_weight likewise if there, x all others. names->of[ARRAY_X] must be NULL. */
bool strata_read_csv(const char *path, const struct names *names, struct arrays *arrays, strata_error *err);

/* What is asked of images; zero: nothing. */
struct image_wish {
    size_t height, width, channels;
    bool skip_damaged;
};
/* A folder of class folders of pictures, as a stream. */
bool strata_read_folder(const char *path, const struct image_wish *wish, struct arrays *arrays, strata_error *err);
/* Puts a stream over x that makes float32 images of that size and those channels of it. STRATA_EJOB, naming the source,
 * unless x is images (height, width, channels). */
bool strata_arrays_resize(struct arrays *arrays, const struct image_wish *wish, const char *source, strata_error *err);

#endif
