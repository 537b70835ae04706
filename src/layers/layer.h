/* What a kind of layer is: one constant table a file, listed in registry.c. */
#ifndef STRATA_LAYERS_LAYER_H
#define STRATA_LAYERS_LAYER_H

#include "base/fields.h"
#include "base/random.h"
#include "base/shape.h"
#include "ops/activation.h"
#include "ops/exchange.h"
#include "ops/moments.h"
#include "ops/pool2d.h"
#include "ops/tail.h"
#include "ops/view.h"

enum { STRATA_MAX_WEIGHTS = 8, STRATA_MAX_INPUTS = 64 };

/* One weight that a layer asks for. Objects are borrowed from the config; NULL or empty: none. */
struct weight_spec {
    const char *name;   /* "kernel", "gamma", ... as Keras 3's variable */
    const char *keras2; /* Keras 2's variable name, where it is another; else NULL */
    struct shape shape;
    const struct object *initializer; /* of strata_initializers; NULL: zeros */
    const struct object *regularizer, *constraint; /* of strata_regularizers and strata_constraints */
    bool squares;       /* its gradient is a sum over places in the batch (a row of a table that is looked up often), and the
                           sum of their squares is asked for too: step.dw_squares */
    bool synchronized;  /* a statistic of the whole batch: the same on every rank that had a part of it */
    bool statistic;     /* never trained by gradients: moving means; averaged over the ranks by sample count */
};

struct weights {
    struct weight_spec spec[STRATA_MAX_WEIGHTS];
    int count;
};

/* How layers read numbers that change from step to step without being recorded again: a device buffer of 32-bit words
 * that the training loop writes before each play. STEP_ROWS and what follows is the batch: word STEP_ROWS + i is the
 * index in the dataset of the batch's sample i. cl/step.h names the same words. */
enum step_word { STEP_SEED_LOW, STEP_SEED_HIGH, STEP_EPOCH, STEP_LOSS_SCALE, STEP_ROWS = 8 };

/* Cells of zeros around the rows and columns of an image. */
struct rim {
    size_t top, bottom, left, right;
};

/* One execution of a layer: views to work on, and where. All views have the batch axis first.
 *
 *   forward    reads x, w; writes y and, when training, keep
 *   backward   reads dy, w, keep and x or y where the class says it needs them; writes dx and dw[] unless their
 *              buffer is NULL; dx and dw are overwritten, never added to. dx may share its memory with dy when the class
 *              says in_place. */
struct step {
    struct run *run;
    struct view x, y, dx, dy;        /* the first input */
    const struct view *xs, *dxs;     /* all inputs, for layers that merge; xs[0] is x */
    int inputs;
    struct view w[STRATA_MAX_WEIGHTS], dw[STRATA_MAX_WEIGHTS];
    struct view dw_squares;          /* of the weight whose spec says squares; buffer NULL: not wanted */
    struct view keep;                /* what `keep` asked for; buffer NULL when not training or not asked */
    struct view work;                /* what `work` asked for; its contents last for this call only */
    enum activation_kind fused;      /* forward: apply it to y while storing; LINEAR unless the class says fuses. backward of a
                                        class that fuses_gradient: dy is of what it gave */
    struct view affine;              /* forward of a class that fuses: what is added to each of the last axis (its bias is in it),
                                        then the factors by which the sum is multiplied before; buffer NULL: nothing */
    struct pooled pooled;            /* of a class that pools: y and dy are of maxima over windows of its output */
    struct moments moments;          /* forward of a class that gives moments: those of y are wanted; of one that takes them: those of x */
    struct rim rim;                  /* forward of a class that takes_rim: zeros around x that are not stored */
    bool training;                   /* dropout drops, batch normalization uses the batch */
    size_t grain;                    /* backward of a class that sums_grains: of so many samples dw has sums, as strata_op_sum_grains
                                        adds them; 0: it is summed as one */
    struct buffer *step_words;       /* enum step_word; NULL unless training */
    const struct exchange *exchange; /* sums over the ranks, for a layer that wants the whole batch; NULL: this rank has it */
    unsigned stream;                 /* the layer's number in the model, for random_key.stream */
};

struct layer_class {
    struct class class;
    const char *module;    /* Keras 3's, where that is not keras.layers */
    const char *operation; /* what Keras has as an operation, not as a layer: its class_name there; NULL: a layer */

    /* Output shape, without batch axis, of the input shapes (without batch axis; after the last one comes an entry of
     * rank -1, so that a layer that merges sees how many there are). Errors begin with
     * what is wrong; the caller puts the layer's name before it. */
    bool (*shape)(const void *config, const struct shape *in, struct shape *out, strata_error *err);

    bool (*weights)(const void *config, const struct shape *in, struct weights *ask, strata_error *err); /* NULL: none */
    bool (*forward)(const void *config, const struct step *s, strata_error *err);
    bool (*backward)(const void *config, const struct step *s, strata_error *err);

    /* Elements (4 bytes each) for the whole batch of n samples to keep from forward to backward; NULL: none. */
    size_t (*keep)(const void *config, size_t n, const struct shape *in, const struct shape *out);

    /* Elements for the time of one forward or one backward alone, training or not, for what lies between several ops;
     * NULL: none. */
    size_t (*work)(const void *config, size_t n, const struct shape *in, const struct shape *out);

    /* Whether backward heeds s->grain on this device for this input, and what forward makes of a sample does not depend on the
     * others; NULL: never. Where grains are asked for, a layer with weights that does not gets them one by one. */
    bool (*sums_grains)(const void *config, struct device *device, bool strict, const struct shape *in);

    /* Whether on this device forward and backward heed how x, y, dx and dy are kept, which is alike then; NULL: never, they get
     * floats. */
    bool (*halves)(const void *config, struct device *device, bool strict, const struct shape *in);

    bool needs_x, needs_y;   /* backward reads them */
    bool in_place;           /* y may be x's memory (then neither is needed), dx may be dy's */
    bool fuses;              /* forward applies s->fused, and unless the class has an `affine`, s->affine (strata_step_tail) */
    bool fuses_gradient;     /* backward gets the dy behind s->fused too */
    bool picks;              /* each element of y is one of x, to which that of dy goes back, and it may have been chosen by others too */
    bool adds_bias;          /* the last thing that forward does, but for s->fused, is to add the weight "bias" along the last axis; backward
                                leaves that one's gradient out where dw has no buffer for it */
    bool identity_in_inference; /* forward copies x when not training; the plan leaves it out */
    bool random_in_training; /* draws random numbers in training, though it does more than copy x in inference */
    bool integer_input;      /* x holds int32 (Embedding) */
    bool merges;             /* takes s->xs (Add, Concatenate) */
    bool view;               /* y is x's memory under another shape (Flatten, Reshape): forward and backward are NULL */
    bool host_only;          /* no computation (InputLayer): never planned */
    bool open_shape;         /* shape takes inputs with open extents itself; of other layers the model finds out which extents
                                of the output follow from open ones */

    /* Layers with an `activation=` argument: offset of the int (enum activation_kind) in the config, + 1; 0: none. The
     * layer itself computes the linear part; the plan adds the activation, fused where it can. */
    size_t activation;
    /* Offset + 1 of the struct object activity_regularizer in the config; 0: none. The plan applies it. */
    size_t activity_regularizer;
    /* A layer that is nothing but an activation (Activation, Softmax over the last axis, a plain ReLU) names it here for
     * this input; ACTIVATION_KINDS: it is more than that, use forward and backward. NULL: never. */
    enum activation_kind (*acts_as)(const void *config, const struct shape *in);
    /* Whether the layer only puts zeros around its input, and how many; NULL: never. Where no gradient passes, a layer behind it
     * that takes_rim reads its input instead. */
    bool (*is_rim)(const void *config, struct rim *rim);
    bool takes_rim;
    /* Whether the layer gives nothing but maxima over windows beside each other of its input, and of which; NULL: never. A layer before
     * it that pools such windows on this device gives them in place of its output, and takes their gradient: its forward and backward
     * heed s->pooled then. */
    bool (*maxima)(const void *config, const struct shape *in, struct pooled *pooled);
    bool (*pools)(const void *config, struct device *device, bool strict, const struct shape *in, const struct pooled *pooled);
    /* In how many slices forward gives the moments of its output along the last axis for n samples on this device, 0: in none, and
     * whether forward in training would compute those of its input, whose mean it takes away; NULL: never. Where the one follows the
     * other, s->moments has a place for them in the steps of both. */
    size_t (*gives_moments)(const void *config, struct device *device, bool strict, size_t n, const struct shape *in);
    bool (*takes_moments)(const void *config, const struct shape *in);
    /* A layer that in inference only multiplies and adds along the last axis writes to `affine` what the step of the layer before
     * gets as s->affine; bias is that layer's own, without buffer when it has none. NULL: never. */
    bool (*affine_on)(const void *config, const struct shape *in);
    bool (*affine)(const void *config, const struct step *s, const struct view *bias, const struct view *affine,
                   strata_error *err);
    int trainable_inference; /* 1: frozen (trainable false) means inference mode, as Keras's BatchNormalization */
};

extern const struct registry strata_layers;        /* of struct layer_class; registry.c */
extern const struct registry strata_initializers;  /* layers/initializer.h */
extern const struct registry strata_regularizers;  /* layers/regularizer.h */
extern const struct registry strata_constraints;   /* layers/regularizer.h */

/* The layer_class that a class of strata_layers begins. */
static inline const struct layer_class *strata_layer_class(const struct class *class)
{
    return (const struct layer_class *)class;
}

/* What a layer that fuses stores its sums with; bias NULL: it has none. */
static inline struct tail strata_step_tail(const struct step *s, const struct view *bias)
{
    struct tail tail = { .activation = s->fused };
    if (bias) tail.bias = *bias;
    if (s->affine.buffer) {
        tail.bias = s->affine;
        tail.factor = strata_view_count(&s->affine) / 2;
    }
    tail.moments = s->moments;
    return tail;
}

/* `halves` of a class that always does. */
bool strata_halves_always(const void *config, struct device *device, bool strict, const struct shape *in);

/* shape functions that many share. */
bool strata_shape_keep(const void *config, const struct shape *in, struct shape *out, strata_error *err);

/* "(None, 3, 3, 32)" of a shape without batch axis, for messages. */
const char *strata_layer_shape_text(const struct shape *shape, char buffer[STRATA_SHAPE_TEXT]);

/* Fails unless the shape has `rank` axes (batch not counted): "input has shape (None, 4); Dense needs ...". */
bool strata_layer_expect_rank(const struct shape *in, int rank, const char *class_name, strata_error *err);

#endif
