/* What the two halves of the HDF5 layer share. */
#ifndef STRATA_FILES_H5_PRIV_H
#define STRATA_FILES_H5_PRIV_H

#include <hdf5.h>

#include "files/h5.h"

struct h5 {
    hid_t id;
    hsize_t size; /* bytes of the file; bounds what an array in it may claim to hold */
    char *what;
};

/* Fails with "FILE: message", and HDF5's own words for its innermost error where there are any. */
bool strata_h5_fail(const struct h5 *file, strata_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An empty handle; turns HDF5's printing off. */
struct h5 *strata_h5_new(const char *what, strata_error *err);

/* "" is the root. */
const char *strata_h5_path(const char *path);

#endif
