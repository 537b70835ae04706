/* A model as a flat list of operations: nested models opened, activations split off or fused, what does nothing left out. */
#ifndef STRATA_MODEL_LOWER_H
#define STRATA_MODEL_LOWER_H

#include "model/model_priv.h"

enum flat_kind {
    FLAT_LAYER,      /* the layer's forward and backward */
    FLAT_ACTIVATION, /* an activation function; its forward is left out when the node before applies it (fused) */
    FLAT_PENALTY,    /* an activity regularizer: adds to the loss, and to the gradient that passes through */
    FLAT_CAST,       /* makes floats of what is kept otherwise, for whoever reads it outside */
};

struct flat {
    enum flat_kind kind;
    const strata_layer *layer;       /* whose work it is */
    enum activation_kind activation; /* FLAT_ACTIVATION: the function; FLAT_LAYER: what it applies while storing */
    const strata_layer *affine;      /* FLAT_LAYER: the layer whose multiplication and addition it applies while storing, or NULL */
    struct rim rim;                  /* FLAT_LAYER: zeros around its input, which a layer would put there that is passed by .. */
    int passed;                      /* .. 1 + the index of that; 0: none */
    bool fused;                      /* an activation, or an `affine` layer: done by a node before, whose output it is */
    const struct object *regularizer; /* FLAT_PENALTY */
    int *inputs;                     /* flat indices or MODEL_INPUT */
    int input_count;
    struct shape *in;                /* one an input, then one of rank -1; owned */
    struct shape out;                /* without batch axis, as in: nothing is open in them */
    enum storage storage;            /* how its output is kept, and that one's gradient */
    bool training;                   /* batch statistics, dropping; decided by mode and by the layer being frozen */
    bool view;                       /* its output is its input's memory */
    bool picks;                      /* FLAT_LAYER: goes back through the activation before it too (plan_gradients.c) */
    bool moved;                      /* that activation, and the layer that it is fused into: its gradient was computed behind it */
    bool bias_summed;                /* FLAT_LAYER: the gradient of its bias is computed with that of the activation behind it .. */
    bool bias_lost;                  /* .. or is 0, for a normalization behind it takes the mean away */
    int pooling;                     /* 1 + the index of the pooling whose output the node's memory holds in place of its own; 0: none */
    int moments;                     /* 1 + the index of the normalization for which the node computes them, or which it is; 0: none */
    size_t slices;                   /* FLAT_LAYER: of the moments that it takes */
    int consumers;
    unsigned stream;
    bool needs_gradient;             /* a trainable weight is here or before */
};

struct flat_list {
    struct flat *items;
    size_t count, room;
    struct shape input;              /* of a sample */
    int output;                      /* flat index of the model's output, or MODEL_INPUT */
    struct flat_end {
        const strata_layer *layer;
        int index;
    } *ends;                         /* the output of every layer, nested models too */
    size_t end_count, end_room;
    unsigned streams;
};

struct lower_config {
    bool training;
    bool backward;       /* gradients will be asked for */
    bool keep_last;      /* the model's last activation stays a node of its own, so that a loss can work on its input */
    const strata_layer *const *extract; /* whose outputs are wanted as they are; may be NULL */
    size_t extract_count;
};

/* input: the shape of a sample, which settles what is open in the model's. */
bool strata_lower(strata_model *model, const struct shape *input, const struct lower_config *config, struct flat_list *list,
                  strata_error *err);
/* Makes the model's output and what is extracted floats. */
bool strata_lower_widen(struct flat_list *list, const struct lower_config *config, strata_error *err);
void strata_lower_release(struct flat_list *list);

/* The last node of the longest part that gives the same for a sample in every epoch of training, in a list of a model in training;
 * MODEL_INPUT: there is none worth keeping. */
int strata_lower_prefix(const struct flat_list *list);
/* Leaves the nodes up to `last`, or those behind it, to which its output becomes the input. */
void strata_lower_keep(struct flat_list *list, int last, bool head);

/* The activation that ends the layer's work: the one it is, or its `activation` argument; LINEAR when there is none. The
 * layer is built and no nested model. */
enum activation_kind strata_lower_activation(const strata_layer *layer);

/* The layer's activity regularizer; NULL when it has none. */
const struct object *strata_lower_penalty(const strata_layer *layer);

/* The flat index of a layer's output; false when the layer is not in the model. */
bool strata_lower_find(const struct flat_list *list, const strata_layer *layer, int *index);

#endif
