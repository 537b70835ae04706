/* The weights of a model on a device: one flat arena, and one for the gradients with the same offsets.
 *
 * First come the trainable weights, layer by layer in the order in which backward finishes them (the last layer
 * first); then all others (frozen ones, moving statistics) in forward order. Every tensor starts at a multiple of
 * 16 elements; the gaps are zero and stay zero. Behind a trainable tensor whose gradient comes with squares there is a gap
 * of its size: in the arena of the gradients the squares are there. */
#ifndef STRATA_MODEL_PARAMS_H
#define STRATA_MODEL_PARAMS_H

#include <strata/model.h>

#include "layers/layer.h"
#include "ops/view.h"

struct param {
    const strata_layer *layer;
    int index;            /* in the layer's weights */
    const char *name;     /* spec name: "kernel" */
    struct shape shape;
    size_t offset, count; /* elements of the arena */
    bool trainable;
    bool statistic;       /* forward of training moves it, on each rank for its own samples */
    bool synchronized;    /* .. by those of all ranks, where it had any itself */
    size_t squares;       /* offset of the squares; 0: none */
    const struct object *regularizer, *constraint; /* borrowed; NULL or class NULL: none */
};

/* Consecutive trainable tensors that are reduced together; ends at a layer's border. */
struct bucket {
    size_t begin, end; /* elements */
};

struct params {
    struct device *device;
    struct buffer *weights;   /* total elements */
    struct buffer *gradients; /* trainable elements; NULL unless asked for or when nothing is trainable */
    size_t total, trainable;  /* elements, gaps counted */
    struct param *list;       /* in arena order: the trainable ones first */
    size_t count, trainable_params;
    size_t *model_order;      /* list indices of the trainable ones in the order of model.trainable_variables */
    struct bucket *buckets;
    size_t bucket_count;
    uint64_t version; /* counts how often weights that nobody trains were written */
};

/* Lays the built model's weights out on the device and copies them there; from now on the model's own get_weight and
 * set_weight work on the arena. Replaces an earlier binding of the model. bucket_bytes 0: one bucket. STRATA_EDEVICE as
 * strata_model_fits_device says. */
struct params *strata_params_bind(strata_model *model, struct device *device, bool gradients, size_t bucket_bytes,
                                  strata_error *err);
/* The model's binding, or NULL. */
struct params *strata_model_params(strata_model *model);
/* Copies the weights back to the model and releases the arenas; takes an unbound model too. */
bool strata_params_unbind(strata_model *model, strata_error *err);
/* Releases the arenas without copying; the values on the host are zero afterwards. */
void strata_params_discard(strata_model *model);

struct view strata_param_view(const struct params *params, const struct param *param);
struct view strata_param_gradient(const struct params *params, const struct param *param);

/* Hashes all weights in model order (trainable or not): the same for every layout. */
bool strata_model_fingerprint(strata_model *model, uint64_t *fingerprint, strata_error *err);

#endif
