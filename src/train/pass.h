/* Passes of a batch through the model: plans by batch size, each with its labels, weights and loss values on the
 * device, and what is read back of them. */
#ifndef STRATA_TRAIN_PASS_H
#define STRATA_TRAIN_PASS_H

#include "data/batches.h"
#include "model/plan.h"
#include "train/objective.h"

struct pass {
    struct plan *plan;
    size_t n, global_n;
    bool training;
    const struct passes *of;
    struct view y, weight, values, penalty; /* penalty: of the weights, one float; buffers owned */
    uint32_t *words;                        /* host copy of the step words */
    struct plan *augment;                   /* NULL: x goes into the plan as it is */
    uint32_t *augment_words;
};

struct passes {
    strata_model *model;
    struct device *device;
    const struct params *params;
    const struct objective *objective; /* NULL: outputs alone */
    const strata_data *data;           /* what x is like */
    enum plan_part part;               /* PLAN_REST: x is what the part of the model before it gave */
    const struct exchange *exchange;   /* of training; see plan.h */
    const struct plan_gate *gate;      /* likewise */
    size_t grain;                      /* see plan.h */
    const struct plan_pool *pool;      /* what the plans share; NULL: nothing */
    bool weighted;                     /* samples have weights */
    bool unplayed;                     /* the passes are only asked for their memory */
    strata_model *augment;             /* what the data puts before the model in training; NULL: nothing, or not asked yet */
    struct pass **list;
    size_t count, room;
};

/* The pass for n samples of a global batch of global_n, made when it is first asked for. */
struct pass *strata_passes_get(struct passes *passes, size_t n, size_t global_n, bool training, strata_error *err);
void strata_passes_free(struct passes *passes); /* what it holds; takes one that is all zero */

/* Samples [at, at + n) of this rank's slice of a batch; borrows from it. */
struct batch strata_passes_part(const struct passes *passes, const struct batch *batch, size_t at, size_t n);

/* The device memory that such a pass takes besides the weights. Takes none, and tells the device's listener of its ops. */
bool strata_passes_measure(struct passes *passes, size_t n, size_t global_n, bool training, struct plan_sizes *sizes,
                           strata_error *err);

/* What a step draws its random numbers from, and what its loss's gradients are multiplied by. */
struct step_numbers {
    uint64_t seed;
    uint32_t epoch;
    float loss_scale;
};

/* Queues the upload of a batch and plays the pass. The batch's memory must stay until *uploaded is complete. */
bool strata_pass_play(struct pass *pass, const struct batch *batch, const struct step_numbers *numbers,
                      struct event **uploaded, strata_error *err);

#endif
