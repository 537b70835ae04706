/* Whether the structure of an HDF5 file can be believed, before HDF5 reads it.
 *
 * The format that Keras's files have (superblock 0 or 1) carries no checksums, and HDF5 follows its addresses and
 * lengths without looking: some damaged files make it write outside its buffers. So they are followed here first. Files
 * of the newer format have checksums that HDF5 compares itself; they pass.
 * Source: "HDF5 File Format Specification Version 2.0" of The HDF Group. */
#ifndef STRATA_DATA_H5_CHECK_H
#define STRATA_DATA_H5_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* STRATA_EFILE, naming `what` and where in it something is wrong. */
bool strata_h5_check(const void *bytes, size_t size, const char *what, strata_error *err);
bool strata_h5_check_file(const char *path, strata_error *err);

/* ---- files of data, which may hold what Keras never writes ---- */

/* A file's bytes, mapped. Starts as { 0 }. */
struct h5_map {
    const char *path; /* borrowed */
    void *bytes;
    size_t size;
};
bool strata_h5_map_open(struct h5_map *map, const char *path, strata_error *err);
void strata_h5_map_close(struct h5_map *map);

/* Looks at groups and the frames of objects alone, so that HDF5 finds its way to any object. */
bool strata_h5_check_groups(const struct h5_map *map, strata_error *err);

/* Where an array's numbers are. known false: the object is of the newer kind, with checksums; ask HDF5. */
struct h5_layout {
    bool known;
    enum { H5_COMPACT, H5_CONTIGUOUS, H5_CHUNKED } kind;
    uint64_t at, size; /* H5_CONTIGUOUS: the bytes; H5_CHUNKED: at is that of the tree; UINT64_MAX: nowhere */
};
/* Looks at all that HDF5 reads when it opens the array whose header is at that address. */
bool strata_h5_check_array(const struct h5_map *map, uint64_t address, struct h5_layout *layout, strata_error *err);

/* Calls visit(context, ...) for each chunk in the tree of an array of that rank: its place in the array in elements, in the
 * file in bytes, and the filters (by bits) that it went past. false of visit ends it. */
typedef bool h5_visit(void *context, const uint64_t *corner, uint64_t at, uint32_t size, uint32_t mask, strata_error *err);
bool strata_h5_visit_chunks(const struct h5_map *map, uint64_t tree, int rank, h5_visit *visit, void *context,
                            strata_error *err);

#endif
