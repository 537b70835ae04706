/* An array of an HDF5 file as its readers know it. HDF5 is asked for names, types and extents when a source is opened; the
 * numbers are read without it, by any thread, and what the file says of them is checked on the way. */
#ifndef STRATA_DATA_HDF5_PRIV_H
#define STRATA_DATA_HDF5_PRIV_H

#include <hdf5.h>

#include "data/h5_check.h"
#include "data/rows_priv.h"

enum { STRATA_MOST_FILTERS = 8 };

struct h5_array {
    const char *path, *what; /* borrowed; what names file and array in messages */
    const struct h5_map *map;
    hid_t dataset;
    struct number number;
    strata_type as;
    int rank;
    uint64_t dim[STRATA_MAX_RANK], chunk[STRATA_MAX_RANK]; /* samples first; chunk: when the layout is H5_CHUNKED */
    struct h5_layout layout;
    int filter[STRATA_MOST_FILTERS]; /* H5Z_FILTER_..., in the order of writing */
    int filters;
};

/* The number that a type of HDF5 holds; false with an error when it is none that Strata reads. */
bool strata_hdf5_number(hid_t type, struct number *number, const char *what, strata_error *err);

/* A stream over an array in chunks. Reads where each chunk is; NULL on failure, also when one is not there. */
struct stream *strata_hdf5_chunks_open(const struct h5_array *array, strata_error *err);

/* Undoes the filters of a chunk that are not in `mask`. *bytes (owned) of *size becomes what was filtered, exactly
 * `whole` bytes. `element`: size of a number. */
bool strata_hdf5_unfilter(const struct h5_array *array, uint32_t mask, size_t whole, unsigned char **bytes, size_t *size,
                          strata_error *err);

#endif
