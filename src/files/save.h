/* Models as bytes of Keras's files. */
#ifndef STRATA_FILES_SAVE_H
#define STRATA_FILES_SAVE_H

#include "files/archive.h"
#include "files/h5.h"

/* What the files say they were written by: the versions whose formats they follow. */
#define STRATA_KERAS3_VERSION "3.15.1"
#define STRATA_KERAS2_VERSION "2.21.0"

/* The weights in a group of a legacy file: layer_names, and for each layer weight_names and arrays. */
bool strata_legacy_put_weights(struct h5 *file, const char *group, const strata_model *model,
                               strata_flavour flavour, strata_error *err);
/* The whole model: model_config, model_weights, and of training (may be NULL) training_config and optimizer_weights. */
bool strata_legacy_put_model(struct h5 *file, const strata_model *model, strata_flavour flavour,
                             const struct saved_training *training, strata_error *err);
/* The contents of a .weights.h5 of Keras 3. Without numbers the weights have their places alone, as variables without values have. */
bool strata_store_put(struct h5 *file, const strata_model *model, const struct saved_training *training, bool numbers,
                      strata_error *err);

/* Where in the image of a store its numbers lie. */
struct store_place {
    uint64_t at;
    size_t bytes;
    char *name; /* owned; of floats that must be finite, else NULL */
};
/* The weights in the order in which they are put, then the variables, then again those that are there twice. */
struct store_places {
    struct store_place *list;
    const struct store_place **by_address; /* owned; those that are not empty */
    size_t count, room, filled;
    size_t weights, variables, twice; /* how many of each */
};
void strata_store_places_release(struct store_places *places);
/* After strata_store_put of the same; the image has so many bytes. */
bool strata_store_locate(struct h5 *file, const strata_model *model, const struct saved_training *training, size_t size,
                         struct store_places *places, strata_error *err);

/* An image of a store, whose numbers are replaced where they lie. */
struct store_image {
    unsigned char *bytes;
    size_t size;
    const struct store_places *places;
};
/* Queues the weights to be read as strata_layer_queue_weight does. The model is the one that the places are of, now. */
bool strata_image_read(const struct store_image *image, const strata_model *model, bool moving, strata_error *err);
/* Puts the numbers of the variables that have some; they are those that the places are of. */
bool strata_image_put_variables(const struct store_image *image, const struct saved_training *training, strata_error *err);
/* Where the floats of a variable go that has none. */
float *strata_image_variable(const struct store_image *image, size_t variable);
/* Once all numbers are there; `odd` as strata_keras_parts_finish, the checksum as of strata_zip_checksum. */
void strata_image_finish(const struct store_image *image, char odd[STRATA_ODD_NAME], uint32_t *checksum);

/* The training part of the files, in Keras 3's terms; *training is empty when there is none. */
bool strata_legacy_read_training(const struct h5 *file, struct saved_training *training, strata_error *err);
/* compile_config is read already. keras2: the archive is one of Keras 2. */
bool strata_store_read_training(const struct h5 *file, bool keras2, struct saved_training *training,
                                strata_error *err);

#endif
