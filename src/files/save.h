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
/* The contents of a .weights.h5 of Keras 3. */
bool strata_store_put(struct h5 *file, const strata_model *model, const struct saved_training *training,
                      strata_error *err);

/* Where in the image of a store its numbers lie: the weights in the order in which they are put, then the variables. */
struct store_places {
    uint64_t *at;
    size_t count, room;
    float *bounce; /* room for a weight on its way */
    size_t largest;
};
void strata_store_places_release(struct store_places *places);
/* After strata_store_put of the same. */
bool strata_store_locate(struct h5 *file, const strata_model *model, const struct saved_training *training,
                         struct store_places *places, strata_error *err);
/* Puts the numbers as they are now into an image of `size` bytes, which is that of the same model with variables of the same shapes.
 * odd: as strata_keras_parts_again. */
bool strata_store_refill(void *image, size_t size, struct store_places *places, const strata_model *model,
                         const struct saved_training *training, char odd[STRATA_ODD_NAME], strata_error *err);

/* The training part of the files, in Keras 3's terms; *training is empty when there is none. */
bool strata_legacy_read_training(const struct h5 *file, struct saved_training *training, strata_error *err);
/* compile_config is read already. keras2: the archive is one of Keras 2. */
bool strata_store_read_training(const struct h5 *file, bool keras2, struct saved_training *training,
                                strata_error *err);

#endif
