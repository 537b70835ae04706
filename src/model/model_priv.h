/* What models and layers are inside; for this room only. */
#ifndef STRATA_MODEL_MODEL_PRIV_H
#define STRATA_MODEL_MODEL_PRIV_H

#include <strata/model.h>

#include "base/policy.h"
#include "layers/layer.h"
#include "model/model.h"

/* A weight of a built layer. Its values are in `host` until the model is bound to a device, then in the arena. */
struct weight {
    struct weight_spec spec;
    float *host;   /* owned; NULL while bound */
    size_t offset; /* elements into params->weights while bound */
};

/* The input that an InputLayer, or the first layer's config, states. */
struct input_spec {
    bool known;
    struct shape shape; /* without batch axis; may have open extents */
    size_t batch;       /* 0: None */
    char *name, *dtype; /* owned; NULL: Keras's default name, "float32" */
};

struct strata_layer {
    const struct layer_class *class; /* NULL: a nested model */
    void *config;                    /* of the class; owned */
    strata_model *model;             /* nested; owned */
    strata_model *owner;             /* the model that adopted the layer, or NULL */
    char *name;                      /* owned; NULL: not named yet */
    enum storage policy;             /* how what it gives is kept; its weights are floats */
    bool policy_stated;              /* by its config; else compile may set it */
    bool trainable;
    bool snapshot;                   /* trainable as it was when the model was compiled last */
    struct input_spec input;         /* what the layer's own config says of its input */
    bool built;
    struct shape *in;                /* one an input; owned */
    size_t in_count;
    struct shape out;
    struct weight weights[STRATA_MAX_WEIGHTS];
    int weight_count;
};

/* A layer in a graph, and where its inputs come from. */
enum { MODEL_INPUT = -1 };
struct node {
    strata_layer *layer; /* owned */
    int *inputs;         /* node indices, or MODEL_INPUT; owned */
    int input_count;
};

struct strata_model {
    char *name;
    bool sequential, trainable, built;
    enum storage policy;     /* of the model itself: what a policy that it states asks of compile */
    bool policy_stated;
    enum flavour flavour;
    struct input_spec input; /* a Sequential's Input; a functional model's InputLayer is a node */
    struct node *nodes;      /* in the order of model.layers */
    size_t count, room;
    int *order;              /* node indices so that inputs come first; owned; `count` of them once built */
    int output;              /* the node whose output is the model's */
    int *outputs;            /* all of a functional model's, when there are several; owned; NULL: output alone */
    size_t output_count;
    strata_layer *wrapper;   /* the layer that this model is inside another, or NULL */
    uint64_t seed;
    bool touched;            /* weights were set or trained since they were drawn */
    bool snapped;            /* the layers' snapshots are valid */
    struct params *params;   /* while bound */
    void *training;          /* what `compile` made */
    void (*release_training)(void *training);
};

/* ---- layer.c ---- */
/* Weights for these inputs (without batch axis). path names the layer for its random numbers. */
bool strata_layer_build(strata_layer *layer, const struct shape *in, size_t in_count, size_t batch, uint64_t seed,
                        const char *path, strata_error *err);
/* The shape of the layer's output for inputs of these shapes, open extents among them or not. Draws nothing. */
bool strata_layer_infer(const strata_layer *layer, const struct shape *in, size_t in_count, struct shape *out,
                        strata_error *err);
/* The weights that the layer asks for; an error when one would depend on an open extent. */
bool strata_layer_ask(const strata_layer *layer, const struct shape *in, size_t in_count, struct weights *ask,
                      strata_error *err);
/* The shape of the model's output for an input of this shape. */
bool strata_model_infer(const strata_model *model, const struct shape *input, struct shape *out, strata_error *err);
void strata_layer_unbuild(strata_layer *layer);
bool strata_layer_draw(strata_layer *layer, uint64_t seed, const char *path, strata_error *err);

/* Reads what an InputLayer's config, or a first layer's, says of the input; input_dim counts where with_dim says so. */
bool strata_input_spec_read(const json_t *config, bool with_dim, struct input_spec *spec, strata_error *err);
void strata_input_spec_release(struct input_spec *spec);

/* Why there is no such layer, when Keras has one of this name; else NULL. */
const char *strata_layer_absent(const char *class_name);

/* ---- graph.c ---- */
bool strata_model_append(strata_model *model, strata_layer *adopted, const int *inputs, int count, strata_error *err);
bool strata_model_sort(strata_model *model, strata_error *err); /* fills order; names a cycle */
/* Shapes and weights of all layers that are not built yet, in order. */
bool strata_model_build_layers(strata_model *model, strata_error *err);
bool strata_layer_name_automatically(strata_model *model, strata_layer *layer, strata_error *err);

/* ---- config ---- */
strata_model *strata_model_from_config(const json_t *json, enum flavour flavour, strata_error *err);
json_t *strata_model_config(const strata_model *model, enum flavour flavour, bool outermost, strata_error *err);
json_t *strata_layer_config(const strata_layer *layer, enum flavour flavour, strata_error *err);

/* ---- operation.c ---- */
/* An operation among a functional model's layers, as a layer in our form; NULL: it is none. */
json_t *strata_operation_form(const json_t *layer);
json_t *strata_operation_json(const strata_layer *layer, enum flavour flavour);
/* inbound_nodes of it, from the list of references to its tensors, which it takes over. */
json_t *strata_operation_inbound(const strata_layer *layer, json_t *references, enum flavour flavour);

/* ---- binding ---- */
/* Where weight i of the layer is: its host values, or the bound model's arena. */
strata_model *strata_layer_root(const strata_layer *layer); /* the outermost model that holds the layer */
bool strata_layer_effective_trainable(const strata_layer *layer, bool snapshot); /* with all models around it */

/* The plain layer inside `layer` that holds its weight *index, which becomes the number in that layer; NULL: none. */
const strata_layer *strata_layer_weight_holder(const strata_layer *layer, size_t *index);

/* A walk over all plain layers in execution order, into nested models; stops when `visit` returns false. */
bool strata_model_walk(strata_model *model, bool (*visit)(void *context, strata_layer *layer, strata_error *err),
                       void *context, strata_error *err);

#endif
