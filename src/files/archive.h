/* The parts of Keras files that training adds: the optimizer's state and our own entry. */
#ifndef STRATA_FILES_ARCHIVE_H
#define STRATA_FILES_ARCHIVE_H

#include <strata/files.h>
#include <stdint.h>

#include "base/json.h"

/* The optimizer as Keras saves it. Variables in Keras 3's order, whichever Keras wrote the file: "iteration" (int64),
 * "learning_rate" (unless it is a schedule), then the slots of each trainable weight in model order
 * ("dense_kernel_momentum", ...). A .keras has no names for the slots: there they are called "2", "3", ... */
struct saved_variable {
    char *name;
    bool integer; /* integers holds the value instead of values */
    int64_t integers;
    strata_shape shape;
    float *values; /* owned */
};
struct saved_training {
    json_t *compile_config; /* get_compile_config(): {"optimizer": .., "loss": .., ...}; may be NULL */
    struct saved_variable *variables;
    size_t count;
    json_t *strata; /* strata.json of a checkpoint: step, epoch, seed, ...; may be NULL */
};
size_t strata_saved_variable_count(const struct saved_variable *variable); /* how many floats it has; one that is an integer: 1 */
void strata_saved_training_release(struct saved_training *training); /* takes NULL */

/* What strata_model_set_training hangs on a model begins with this: saving a compiled model calls it for the state. */
struct training_state {
    bool (*collect)(strata_model *model, struct saved_training *training, strata_error *err);
};

/* As strata_model_load and strata_model_save, with the training part (out: may be NULL; empty when the file has
 * none; in: NULL writes none). Every array of a .keras is checked against the zip's checksums. */
strata_model *strata_archive_load(const char *path, struct saved_training *training, strata_error *err);
bool strata_archive_save(strata_model *model, const char *path, strata_flavour flavour,
                         const struct saved_training *training, strata_error *err);

/* A .keras that is written again and again of one model with one list of variables, while the model is trained on. Making it needs HDF5,
 * which may be used by one thread at a time; what comes after does not. `what` names it in messages. Variables without values have theirs
 * put in place by the caller. */
struct keras_parts;
struct keras_parts *strata_keras_parts(const strata_model *model, const char *what, const struct saved_training *training,
                                       strata_error *err);
float *strata_keras_parts_variable(struct keras_parts *parts, size_t variable); /* where these are put */
/* The numbers as they are now, of the variables that have some and of weights that a step's forward moves, which are queued to be read and
 * there once what is queued on QUEUE_COMPUTE is done. */
bool strata_keras_parts_read_moving(struct keras_parts *parts, const strata_model *model, const struct saved_training *training,
                                    strata_error *err);
/* The other weights, which only updates change: once what is queued on QUEUE_COPY is done. */
bool strata_keras_parts_read_updated(struct keras_parts *parts, const strata_model *model, strata_error *err);
/* All else as it is now, and the path. */
bool strata_keras_parts_describe(struct keras_parts *parts, const strata_model *model, const char *path,
                                 const struct saved_training *training, strata_error *err);
/* On any thread, once all numbers are there: looks through them, and makes the checksum of what is written then. odd: the name of the first
 * weight or variable that holds some which are not finite, or "". */
enum { STRATA_ODD_NAME = 300 };
void strata_keras_parts_finish(struct keras_parts *parts, char odd[STRATA_ODD_NAME]);
bool strata_keras_parts_write(const struct keras_parts *parts, strata_error *err); /* then; replaces the file whole */
/* The same as a file of its own that no run goes on from. */
bool strata_keras_parts_write_model(const struct keras_parts *parts, const char *path, strata_error *err);
void strata_keras_parts_free(struct keras_parts *parts);                           /* takes NULL */

/* Replaces a file whole: writes aside, flushes, fsyncs, renames, fsyncs the folder. */
bool strata_file_replace(const char *path, const void *bytes, size_t size, strata_error *err);

/* The same in steps: what is written between begin and commit, also by others under the name `aside`, appears whole under the
 * path at commit, or not at all. */
struct replacing {
    char *path, *aside; /* owned */
    int file;           /* aside, open for writing */
    bool indirect;      /* the file system wants all through the page cache */
};
enum { STRATA_FILE_PAGE = 4096 };
bool strata_replacing_begin(struct replacing *replacing, const char *path, strata_error *err);
/* At the file's offset. Where `bytes` has the same place in a page of memory as that offset has in a page of the file, whole pages go past the
 * page cache, which takes less of the processor. */
bool strata_replacing_write(struct replacing *replacing, const void *bytes, size_t size, strata_error *err);
bool strata_replacing_commit(struct replacing *replacing, strata_error *err); /* ends it, done or not */
void strata_replacing_cancel(struct replacing *replacing);                    /* takes one that is ended */

#endif
