/* A model lowered to a flat list of device steps for one batch size: forward, or forward, loss and backward. */
#ifndef STRATA_MODEL_PLAN_H
#define STRATA_MODEL_PLAN_H

#include <strata/data.h>

#include "model/params.h"

struct plan;

/* Where a loss works. y_pred is the model's output. When the loss asked for logits, `at` is what the model's last
 * softmax or sigmoid gets, else `at` is y_pred. The loss writes its gradient with respect to `at` to d (of the same
 * shape), the sum over this batch, already divided by whatever the global batch demands (step word STEP_LOSS_SCALE). */
struct plan_loss {
    struct view y_pred, at, d;
    struct buffer *step_words;
};

/* What forward passes before the first layer that has weights in a bucket of the params: they may still be on their way. Called on
 * the thread that plays, for each such bucket once a play. */
struct plan_gate {
    void *context;
    bool (*pass)(void *context, size_t bucket, strata_error *err);
};

/* Bytes of device memory of a plan: what plans that never play at the same time can share, and the rest. */
struct plan_sizes {
    size_t arena, input, scratch, rest;
};
/* Buffers that plans share so, borrowed; a plan that needs larger ones has its own. NULL: all have their own. */
struct plan_pool {
    struct buffer *arena, *input, *scratch;
};

/* All of a model, or one of the two parts that meet where what is frozen ends (strata_plan_prefix). */
enum plan_part { PLAN_WHOLE, PLAN_PREFIX, PLAN_REST };

struct plan_config {
    enum plan_part part;
    size_t n;                /* samples a play; at least 1 */
    struct shape shape;      /* of a sample, without batch axis: it settles what is open in the model's input; rank 0: that of
                                the model's input, which is whole */
    size_t grain;            /* in training sums over samples are those of grains of so many, the last one maybe of fewer, added as
                                strata_op_sum_grains adds them, and batch statistics are those of a grain; nothing that was
                                measured for n samples serves; 0: n samples are one */
    size_t global_n;         /* samples of the whole global batch, which activity penalties are divided by; 0: n */
    bool training;           /* layers behave as with training=True; else as in inference */
    bool strict;             /* strata_run_set_strict */
    bool unplayed;           /* takes no device memory, compiles nothing and cannot be played: it is asked for its strata_plan_memory */
    bool backward;           /* gradients of all trainable weights into the params' arena; needs emit_loss */
    strata_type input;       /* element type of what the caller writes to the input */
    float input_scale;       /* x is multiplied by it (float32 and uint8) */
    bool loss_at_logits;     /* only when strata_plan_last_activation is softmax or sigmoid */
    bool (*emit_loss)(void *context, struct run *run, const struct plan_loss *loss, strata_error *err); /* may be NULL */
    void *context;
    const struct plan_pool *pool; /* NULL: none */
    const struct exchange *exchange; /* sums over the ranks, each of which plays a plan of the same model; NULL: one rank */
    const struct plan_gate *gate;    /* of a plan with backward; NULL: the weights are there */
    const strata_layer *const *extract; /* layers whose outputs are kept; may be NULL */
    size_t extract_count;
};

/* The activation that ends the model (of the last layer, or an Activation or Softmax layer over the last axis), LINEAR when there is
 * none, when an activity regularizer follows it, whose gradient a loss on the logits would pass by, or when what it gives is kept as
 * a half, of which Keras's losses get a cast. With it a loss knows whether logits are to be had. */
enum activation_kind strata_plan_last_activation(const strata_model *model);

/* The shape of what comes out of the part of the model that gives the same for a sample in every epoch of training, without batch axis;
 * *layer is the last layer in it. rank -1: no part does. */
bool strata_plan_prefix(strata_model *model, bool loss_at_logits, struct shape *out, const strata_layer **layer,
                        strata_error *err);

/* Whether a plan of several grains gives the same bits as one of each: on this device what a sample becomes does not depend on those
 * beside it, and nothing but gradients and moving statistics is summed over samples. */
bool strata_plan_takes_grains(strata_model *model, struct device *device);

/* The model must be bound (strata_params_bind). */
struct plan *strata_plan_create(strata_model *model, const struct plan_config *config, strata_error *err);
void strata_plan_free(struct plan *plan); /* takes NULL */

/* Where the caller writes the batch's x before a play: n samples of config.input, sample after sample. */
struct buffer *strata_plan_input(const struct plan *plan);
size_t strata_plan_input_bytes(const struct plan *plan); /* of all n samples */
struct buffer *strata_plan_step_words(const struct plan *plan); /* STEP_ROWS + n words */
struct view strata_plan_output(const struct plan *plan);
/* One float: the sum of activity regularizers' penalties of the latest play, divided by global_n; buffer NULL: the model
 * has none. */
struct view strata_plan_penalty(const struct plan *plan);
/* Where there are grains: what each made of the moving statistics, (grains, floats of them in the params' order); the weights keep
 * what they were. buffer NULL: there are none. */
struct view strata_plan_statistics(const struct plan *plan);
struct view strata_plan_extracted(const struct plan *plan, size_t index);

struct run *strata_plan_run(const struct plan *plan);        /* play it */
const int *strata_plan_marks(const struct plan *plan);       /* by bucket of the params: when its gradients are done */
struct plan_sizes strata_plan_sizes(const struct plan *plan);
size_t strata_plan_memory(const struct plan *plan);          /* bytes of device memory besides the params, scratch among them */

#endif
