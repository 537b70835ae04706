/* What the rooms below may do with a model besides its public calls. */
#ifndef STRATA_MODEL_MODEL_H
#define STRATA_MODEL_MODEL_H

#include <strata/model.h>

#include "base/fields.h"
#include "base/policy.h"
#include "base/shape.h"
#include "device/device.h"

/* What compile and fit keep with a model; released with it or when replaced. */
void strata_model_set_training(strata_model *model, void *training, void (*release)(void *training));
void *strata_model_training(const strata_model *model);

/* Remembers which layers are trainable now: what a binding uses until the next call, as Keras's compile does. */
void strata_model_snapshot_trainable(strata_model *model);
/* Whether a trainable flag was changed since. */
bool strata_model_trainable_changed(const strata_model *model);

/* Gives the model and its layers, down into nested ones, this policy where their configs state none: what a model built under
 * Keras's set_dtype_policy has. */
void strata_model_set_policy(strata_model *model, enum storage policy);
enum storage strata_model_policy(const strata_model *model);
/* STRATA_EDEVICE, naming the layer, when one is to keep halves and the device has none. */
bool strata_model_fits_device(strata_model *model, struct device *device, strata_error *err);

/* As strata_layer_get_weight, of a model that is trained, without waiting. moving: what a step's forward moves, once what is queued on
 * QUEUE_COMPUTE is done; else the others alone, which only updates change, once what is queued on QUEUE_COPY is done. */
bool strata_layer_queue_weight(strata_layer *layer, size_t index, float *values, size_t count, bool moving, strata_error *err);

uint64_t strata_model_seed(const strata_model *model);

/* The shape of the output of a layer, or with layer NULL of the model, for samples of shape `input`, which settles what is
 * open in the model's. The model is built. */
bool strata_model_output_for(strata_model *model, const strata_layer *layer, const struct shape *input, struct shape *out,
                             strata_error *err);

/* The batch size of a model that was built by a call with one, as its summary shows it; 0: None. */
size_t strata_model_batch(const strata_model *model);

/* A short list of a job or any config of Keras, already parsed. */
strata_model *strata_model_from_parsed(const json_t *json, strata_error *err);
/* A layer in Keras's form or a job's short form. */
strata_layer *strata_layer_from_parsed(const json_t *json, enum flavour flavour, strata_error *err);
/* Keras 2 when the config says so by its version or by how its first input is written. */
enum flavour strata_config_flavour(const json_t *json);
/* Whether a glob means the layer: its path ("base/block1_conv"), or that of a model around it. */
bool strata_layer_matches(const strata_layer *layer, const char *pattern);
/* How many layers a rule's glob means, a model that it means as a whole counted once. */
size_t strata_model_count_matching(const strata_model *model, const char *pattern);
/* Before the model is part of another. */
bool strata_model_rename(strata_model *model, const char *name, strata_error *err);
json_t *strata_model_write(const strata_model *model, enum flavour flavour, strata_error *err);

/* Whether the model's input is integers (its first layer is an Embedding). */
bool strata_model_integer_input(const strata_model *model);

/* The same shape as the public headers have it, and back. */
static inline strata_shape strata_public_shape(const struct shape *shape)
{
    strata_shape out = { .rank = shape->rank };
    for (int i = 0; i < shape->rank; i++)
        out.dim[i] = shape->dim[i];
    return out;
}
static inline struct shape strata_private_shape(const strata_shape *shape)
{
    struct shape out = { .rank = shape->rank };
    for (int i = 0; i < shape->rank; i++)
        out.dim[i] = shape->dim[i];
    return out;
}

#endif
