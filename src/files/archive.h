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

/* A .keras in two steps. The first reads the model and needs HDF5, which may be used by one thread at a time; what it makes
 * holds all there is to write, so any thread may do the second while the model is trained on. */
struct keras_parts;
struct keras_parts *strata_keras_parts(const strata_model *model, const char *path, const struct saved_training *training,
                                       strata_error *err);
/* The same, for another file of the same model with the same variables: without HDF5, into the memory that there is. odd: the name
 * of the first weight or variable that holds numbers which are not finite, or "". */
enum { STRATA_ODD_NAME = 300 };
bool strata_keras_parts_again(struct keras_parts *parts, const strata_model *model, const char *path,
                              const struct saved_training *training, char odd[STRATA_ODD_NAME], strata_error *err);
bool strata_keras_parts_write(const struct keras_parts *parts, strata_error *err); /* replaces the file whole */
void strata_keras_parts_free(struct keras_parts *parts);                           /* takes NULL */

/* Replaces a file whole: writes aside, flushes, fsyncs, renames, fsyncs the folder. */
bool strata_file_replace(const char *path, const void *bytes, size_t size, strata_error *err);

/* The same in steps: what is written between begin and commit, also by others under the name `aside`, appears whole under the
 * path at commit, or not at all. */
struct replacing {
    char *path, *aside; /* owned */
    int file;           /* aside, open for writing */
};
bool strata_replacing_begin(struct replacing *replacing, const char *path, strata_error *err);
bool strata_replacing_write(struct replacing *replacing, const void *bytes, size_t size, strata_error *err);
bool strata_replacing_commit(struct replacing *replacing, strata_error *err); /* ends it, done or not */
void strata_replacing_cancel(struct replacing *replacing);                    /* takes one that is ended */

#endif
