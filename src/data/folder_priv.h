/* The pictures of a folder of class folders. */
#ifndef STRATA_DATA_FOLDER_PRIV_H
#define STRATA_DATA_FOLDER_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct listed {
    char *path;     /* owned; begins with the folder's */
    size_t folder;  /* how much of it is the folder it lies in */
    int32_t label;
};

/* Starts as { 0 }. */
struct listing {
    struct listed *list;
    size_t count, room;
};

/* As Keras's image_dataset_from_directory lists it: a class is a folder whose name does not begin with a point, numbered in
 * the order of names; its pictures are the files in it and below that end in .bmp, .gif, .jpeg, .jpg or .png in any case,
 * ordered by folder, then by name. Without class folders the pictures have no labels, *classes stays NULL. STRATA_EFILE when
 * there are no pictures. */
bool strata_listing_make(struct listing *listing, const char *path, char ***classes, strata_error *err);
void strata_listing_free(struct listing *listing);

#endif
