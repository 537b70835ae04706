/* The layers of a model, nested ones too, and where Keras's formats put each. */
#ifndef STRATA_FILES_LEAVES_H
#define STRATA_FILES_LEAVES_H

#include <strata/model.h>

/* Where a layer is in its model. */
struct place {
    strata_layer *layer;
    const strata_model *parent; /* whose layer it is */
    size_t top;                 /* number of the outermost model's layer that it is or is inside */
    const char *path;           /* names from the outermost: "base/conv_a" */
    const char *key;            /* in .weights.h5: "layers/sequential/layers/conv2d", by class and count */
};

/* Calls visit for every layer, a nested model before its layers, until it returns false. */
bool strata_places_walk(const strata_model *model,
                        bool (*visit)(void *context, const struct place *place, strata_error *err),
                        void *context, strata_error *err);

/* One weight of a plain layer. */
struct leaf {
    strata_layer *layer;
    const strata_model *parent;
    size_t index; /* of the weight in the layer */
    strata_weight_info info;
    size_t top;
    char *path, *key; /* of the layer; owned */
    char *source;     /* where a file has it, in the file's own terms; owned; NULL: nowhere */
    float *values;    /* owned; may be NULL */
    bool mismatched;  /* left out because the file has another shape */
};

struct leaves {
    struct leaf *list;
    size_t count, room;
};

/* The weights of a model, layer by layer in the order of model.weights. */
bool strata_leaves_collect(const strata_model *model, struct leaves *leaves, strata_error *err);
void strata_leaves_release(struct leaves *leaves);

/* "base/conv_a/kernel"; release with free. */
char *strata_leaf_label(const struct leaf *leaf, strata_error *err);

/* Reads the values of a leaf from its model into leaf->values. */
bool strata_leaf_fetch(struct leaf *leaf, strata_error *err);

#endif
