/* HDF5 as Keras uses it: groups, arrays of numbers, text attributes. Files are read where they lie or from an image in
 * memory, and written as an image in memory.
 *
 * HDF5 is not thread-safe: of a process, one thread at a time may use these calls. The first one turns off HDF5's
 * printing of its error stack, because errors are reported here.
 *
 * Nothing in a file is believed: links that lead out of the file, arrays stored elsewhere, and extents that the
 * file's size cannot hold are errors (STRATA_EFILE). Paths are relative to the root: "model_weights/dense"; "" is the
 * root itself. */
#ifndef STRATA_FILES_H5_H
#define STRATA_FILES_H5_H

#include <stdint.h>
#include <strata/model.h>

#include "files/names.h"

struct h5;

/* `what` names the image in messages and is copied; the bytes are borrowed until close. */
struct h5 *strata_h5_open(const char *path, strata_error *err);
struct h5 *strata_h5_open_image(const void *bytes, size_t size, const char *what, strata_error *err);
void strata_h5_close(struct h5 *file); /* takes NULL */
const char *strata_h5_what(const struct h5 *file);

bool strata_h5_has(const struct h5 *file, const char *path);
bool strata_h5_has_attribute(const struct h5 *file, const char *object, const char *name);

/* What a group holds, in the order of names. */
bool strata_h5_children(const struct h5 *file, const char *group, struct names *names, strata_error *err);

/* Paths of all arrays in and below a group, depth first. */
bool strata_h5_arrays(const struct h5 *file, const char *group, struct names *paths, strata_error *err);

/* Extents of an array of numbers; rank 0 is a single number. */
bool strata_h5_shape(const struct h5 *file, const char *path, strata_shape *shape, strata_error *err);
/* Reads an array of numbers of any kind as float; it must have exactly `count` elements. */
bool strata_h5_floats(const struct h5 *file, const char *path, float *values, size_t count,
                      strata_error *err);
bool strata_h5_is_integer(const struct h5 *file, const char *path, bool *integer, strata_error *err);
bool strata_h5_integer(const struct h5 *file, const char *path, int64_t *value, strata_error *err);

/* A text attribute; *text is NULL when the object has no attribute of that name. Release with free. */
bool strata_h5_text(const struct h5 *file, const char *object, const char *name, char **text,
                    strata_error *err);
/* A list of texts, also one that Keras split into name0, name1, ... because it was too long for one attribute. */
bool strata_h5_texts(const struct h5 *file, const char *object, const char *name, struct names *texts,
                     strata_error *err);

/* ---- writing ---- */

struct h5 *strata_h5_create(const char *what, strata_error *err);
/* Makes the groups on the way, too. It is no error if there is one already. */
bool strata_h5_put_group(struct h5 *file, const char *path, strata_error *err);
bool strata_h5_put_floats(struct h5 *file, const char *path, const strata_shape *shape, const float *values,
                          strata_error *err);
bool strata_h5_put_integer(struct h5 *file, const char *path, int64_t value, strata_error *err);
/* utf8: the character set that h5py notes for str; false: for bytes. */
bool strata_h5_put_text(struct h5 *file, const char *object, const char *name, const char *text, bool utf8,
                        strata_error *err);
/* Split as Keras splits it; an empty list becomes what h5py makes of one: no float64 numbers. */
bool strata_h5_put_texts(struct h5 *file, const char *object, const char *name, const struct names *texts,
                         strata_error *err);

/* A file on disk instead of in memory, which is there to be overwritten; whole once it was closed. */
struct h5 *strata_h5_create_file(const char *path, strata_error *err);
/* An array of floats whose numbers come later, by rows along the first axis. */
bool strata_h5_put_empty(struct h5 *file, const char *path, const strata_shape *shape, strata_error *err);
bool strata_h5_put_rows(struct h5 *file, const char *path, size_t first, size_t count, const float *values,
                        strata_error *err);
/* An array of floats whose numbers are put into the image, where strata_h5_address says. */
bool strata_h5_put_place(struct h5 *file, const char *path, const strata_shape *shape, strata_error *err);
bool strata_h5_flush(struct h5 *file, strata_error *err);

/* Where in the file, as strata_h5_image gives it, the numbers of an array that was put begin; UINT64_MAX when it has none. */
bool strata_h5_address(const struct h5 *file, const char *path, uint64_t *at, strata_error *err);

/* The whole file as bytes; release with free. lasts: it will be written more than once, so that large pages are worth what they take
 * to come. */
bool strata_h5_image(struct h5 *file, bool lasts, void **bytes, size_t *size, strata_error *err);

#endif
