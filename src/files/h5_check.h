/* Whether the structure of an HDF5 file can be believed, before HDF5 reads it.
 *
 * The format that Keras's files have (superblock 0 or 1) carries no checksums, and HDF5 follows its addresses and
 * lengths without looking: some damaged files make it write outside its buffers. So they are followed here first. Files
 * of the newer format have checksums that HDF5 compares itself; they pass.
 * Source: "HDF5 File Format Specification Version 2.0" of The HDF Group. */
#ifndef STRATA_FILES_H5_CHECK_H
#define STRATA_FILES_H5_CHECK_H

#include <stddef.h>

#include "base/error.h"

/* STRATA_EFILE, naming `what` and where in it something is wrong. */
bool strata_h5_check(const void *bytes, size_t size, const char *what, strata_error *err);
bool strata_h5_check_file(const char *path, strata_error *err);

#endif
