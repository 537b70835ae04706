/* What the files of the check share. */
#ifndef STRATA_DATA_H5_CHECK_PRIV_H
#define STRATA_DATA_H5_CHECK_PRIV_H

#include <stdint.h>

#include "data/h5_check.h"

#define H5_NOWHERE UINT64_MAX /* the undefined address */

struct h5_image {
    const unsigned char *bytes;
    uint64_t size;
    const char *what;
    unsigned leaf_k, group_k, chunk_k; /* half the most entries of symbol nodes and of both kinds of trees */
    uint64_t *seen;                    /* addresses of object headers that were checked, sorted */
    size_t seen_count, seen_room;
    uint64_t nodes;                    /* of trees, seen so far: a tree that goes round has too many */
    enum { LOOK_AT_ALL, LOOK_AT_GROUPS, LOOK_AT_ARRAY } look; /* one array: without its attributes */
    struct h5_layout *layout;          /* of the array looked at; NULL: not wanted */
    h5_visit *visit;                   /* of chunks; NULL: none */
    void *context;
    strata_error *err;
};

/* A stretch of the file, or of something in it. */
struct h5_part {
    const unsigned char *at;
    uint64_t size;
};

/* Fails with "FILE: damaged HDF5 file: SOMETHING at byte N". */
bool strata_h5_damaged(const struct h5_image *image, uint64_t at, const char *something);

/* The part [at, at + size) of the file; false when the file ends before. */
bool strata_h5_part(const struct h5_image *image, uint64_t at, uint64_t size, struct h5_part *part,
                    const char *something);
/* The first `size` bytes of a part, which then begins after them; NULL when it has fewer. */
const unsigned char *strata_h5_take(struct h5_part *part, uint64_t size);

static inline uint64_t h5_number(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) value = value << 8 | at[i];
    return value;
}

/* Messages that say what an array or attribute is; `at` is where, for errors. */
bool strata_h5_check_space(const struct h5_image *image, struct h5_part part, uint64_t at, uint64_t *count);
bool strata_h5_check_attribute(const struct h5_image *image, struct h5_part part, uint64_t at);
bool strata_h5_check_type(const struct h5_image *image, struct h5_part *part, uint64_t at, int depth);
bool strata_h5_check_fill(const struct h5_image *image, struct h5_part part, uint64_t at, bool old);
bool strata_h5_check_filters(const struct h5_image *image, struct h5_part part, uint64_t at);
bool strata_h5_check_layout(struct h5_image *image, struct h5_part part, uint64_t at);

/* What follows the version numbers of superblocks 0 and 1. */
bool strata_h5_check_superblock(struct h5_image *image);

/* Goes through the tree of chunks of an array whose keys have `key` bytes. */
bool strata_h5_check_chunks(struct h5_image *image, uint64_t tree, uint64_t key);

/* A group's tree of names and the heap with their texts; calls back strata_h5_check_object for what they name. */
bool strata_h5_check_group(struct h5_image *image, uint64_t tree, uint64_t heap, int depth);
bool strata_h5_check_object(struct h5_image *image, uint64_t at, int depth);

#endif
