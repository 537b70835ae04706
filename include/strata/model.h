/* Layers and models, under Keras's names.
 *
 * A layer is made from its Keras class name and config; a model adopts it. Weights exist once a model is built: at once
 * when its input shape is known, else at its first call or strata_model_build. */
#ifndef STRATA_MODEL_H
#define STRATA_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strata_layer strata_layer;
typedef struct strata_model strata_model;

/* The formats of Keras 3 and Keras 2 (tf-keras). */
typedef enum strata_flavour { STRATA_FLAVOUR_KERAS3, STRATA_FLAVOUR_KERAS2 } strata_flavour;

/* A shape without the batch axis; dim[0] varies slowest. An extent of 0 is Keras's None: the data settle it. */
typedef struct strata_shape {
    int rank;
    size_t dim[6];
} strata_shape;

/* ---- layers ---- */

/* class_name as Keras's ("Conv2D"); config is a JSON object of the constructor's arguments
 * ("{\"filters\": 32, \"kernel_size\": 3}"), NULL or "" for none. STRATA_EJOB names class and argument. */
STRATA_API STRATA_CHECKED strata_layer *strata_layer_create(const char *class_name, const char *config,
                                                            strata_error *err);
/* From Keras's {"class_name": .., "config": {..}} or the short form {"Dense": {"units": 3}}; nested models too. */
STRATA_API STRATA_CHECKED strata_layer *strata_layer_from_json(const char *json, strata_error *err);
/* A model as a layer of another. Adopts the model, also on failure. */
STRATA_API STRATA_CHECKED strata_layer *strata_layer_from_model(strata_model *adopted, strata_error *err);
STRATA_API void strata_layer_free(strata_layer *layer); /* a layer that no model adopted; takes NULL */

STRATA_API const char *strata_layer_name(const strata_layer *layer); /* "" before a model gave it one */
STRATA_API const char *strata_layer_class_name(const strata_layer *layer);
STRATA_API strata_model *strata_layer_model(const strata_layer *layer); /* the nested model, or NULL */
STRATA_API bool strata_layer_trainable(const strata_layer *layer);
/* Also for all layers inside a nested model, as in Keras. Takes effect when the model is compiled next. */
STRATA_API void strata_layer_set_trainable(strata_layer *layer, bool trainable);
STRATA_API bool strata_layer_built(const strata_layer *layer);
/* Of a built layer; the shape of a layer that is not built has rank -1. */
STRATA_API strata_shape strata_layer_output_shape(const strata_layer *layer);
STRATA_API STRATA_CHECKED bool strata_layer_count_params(const strata_layer *layer, size_t *count, strata_error *err);

/* Weights in Keras's order of layer.weights, (kernel, bias), (gamma, beta, moving_mean, moving_variance); of a nested
 * model: layer by layer. 0 before the layer is built. */
STRATA_API size_t strata_layer_weight_count(const strata_layer *layer);
typedef struct strata_weight_info {
    const char *name;    /* "kernel": the last part of Keras 3's name */
    const char *keras2;  /* Keras 2's last part, often the same */
    const char *layer;   /* name of the layer that owns it */
    strata_shape shape;
    size_t count;        /* elements */
    bool trainable;      /* by its kind and the flags of the layers around it */
} strata_weight_info;
STRATA_API strata_weight_info strata_layer_weight_info(const strata_layer *layer, size_t index);
STRATA_API STRATA_CHECKED bool strata_layer_get_weight(strata_layer *layer, size_t index, float *values, size_t count,
                                                       strata_error *err);
STRATA_API STRATA_CHECKED bool strata_layer_set_weight(strata_layer *layer, size_t index, const float *values,
                                                       size_t count, strata_error *err);

/* ---- models ---- */

/* An empty Sequential. name NULL: "sequential". */
STRATA_API STRATA_CHECKED strata_model *strata_sequential_create(const char *name, strata_error *err);
STRATA_API void strata_model_free(strata_model *model); /* takes NULL */

/* Appends; adopts the layer, also on failure. A first layer with an input shape (an Input, or `input_shape` in its config)
 * builds the model as it grows. */
STRATA_API STRATA_CHECKED bool strata_model_add(strata_model *model, strata_layer *adopted, strata_error *err);
STRATA_API STRATA_CHECKED bool strata_model_pop(strata_model *model, strata_error *err);

/* From Keras's to_json() of either flavour (Sequential, or Functional with one input and one output), the model_config
 * of a file, or a job's short list. */
STRATA_API STRATA_CHECKED strata_model *strata_model_from_json(const char *json, strata_error *err);
STRATA_API STRATA_CHECKED char *strata_model_to_json(const strata_model *model, strata_flavour flavour,
                                                     strata_error *err); /* free() it */

/* Makes the weights for an input of this shape (no batch axis). batch 0 is None. Building again with the same shape does nothing; with
 * another it is STRATA_ESHAPE. */
STRATA_API STRATA_CHECKED bool strata_model_build(strata_model *model, const strata_shape *input, size_t batch,
                                                  strata_error *err);
STRATA_API bool strata_model_built(const strata_model *model);
STRATA_API bool strata_model_is_sequential(const strata_model *model);
STRATA_API const char *strata_model_name(const strata_model *model);
STRATA_API strata_flavour strata_model_flavour(const strata_model *model); /* of the file it came from */
STRATA_API strata_shape strata_model_input_shape(const strata_model *model);  /* rank -1: not known yet */
STRATA_API strata_shape strata_model_output_shape(const strata_model *model); /* rank -1: not built */
/* The output shape of a layer, or with layer NULL of the model, for samples of shape `input`: another than the two above
 * where the model's input has extents that are None. STRATA_ESHAPE where such samples do not fit. */
STRATA_API STRATA_CHECKED bool strata_model_output_shape_for(strata_model *model, const strata_layer *layer,
                                                             const strata_shape *input, strata_shape *out,
                                                             strata_error *err);

/* model.layers: an Input of a Sequential is not listed. */
STRATA_API size_t strata_model_layer_count(const strata_model *model);
STRATA_API strata_layer *strata_model_layer(const strata_model *model, size_t index);
/* NULL with Keras's message that lists the names there are. */
STRATA_API STRATA_CHECKED strata_layer *strata_model_get_layer(const strata_model *model, const char *name,
                                                               strata_error *err);

/* model.weights: those of layer after layer. An error before the model is built. */
STRATA_API STRATA_CHECKED bool strata_model_weight_count(const strata_model *model, size_t *count, strata_error *err);
STRATA_API strata_weight_info strata_model_weight_info(const strata_model *model, size_t index);
STRATA_API STRATA_CHECKED bool strata_model_get_weight(strata_model *model, size_t index, float *values, size_t count,
                                                       strata_error *err);
STRATA_API STRATA_CHECKED bool strata_model_set_weight(strata_model *model, size_t index, const float *values,
                                                       size_t count, strata_error *err);
STRATA_API STRATA_CHECKED bool strata_model_count_params(const strata_model *model, size_t *total, size_t *trainable,
                                                         strata_error *err);

/* Ends a built model at one of its layers; those that lead only to others go. What it was compiled with is dropped. */
STRATA_API STRATA_CHECKED bool strata_model_cut(strata_model *model, const char *layer, strata_error *err);
/* Appends GlobalAveragePooling or GlobalMaxPooling: `pooling` of keras.applications. */
typedef enum strata_pooling { STRATA_POOLING_AVG, STRATA_POOLING_MAX } strata_pooling;
STRATA_API STRATA_CHECKED bool strata_model_pool(strata_model *model, strata_pooling pooling, strata_error *err);

/* trainable of the model and of every layer in it. */
STRATA_API void strata_model_set_trainable(strata_model *model, bool trainable);
/* A job's rules: pattern is a glob on layer names, "base/..." reaches into nested models. Counts the layers it matched. */
STRATA_API size_t strata_model_set_trainable_by_name(strata_model *model, const char *pattern, bool trainable);

/* The random numbers of initializers, dropout and noise come from this seed; 0 until set. Set before the model is built. */
STRATA_API void strata_model_set_seed(strata_model *model, uint64_t seed);

/* The text of Keras's summary(). line_length 0: Keras's default. */
typedef struct strata_summary_options {
    strata_flavour style;
    int line_length;
    bool show_trainable, expand_nested;
    size_t optimizer_params; /* numbers that the optimizer of a trained model holds, which Keras 3 lists; 0: none */
    size_t optimizer_bytes;
} strata_summary_options;
STRATA_API STRATA_CHECKED char *strata_model_summary(const strata_model *model, const strata_summary_options *options,
                                                     strata_error *err); /* free() it */

#ifdef __cplusplus
}
#endif
#endif
