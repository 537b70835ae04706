/* A model on a device of the job: bound weights, the passes, and the loop over data that only looks. */
#ifndef STRATA_TRAIN_TRAINER_H
#define STRATA_TRAIN_TRAINER_H

#include <strata/train.h>

#include "dist/comm.h"
#include "train/pass.h"
#include "train/readback.h"

/* How much of its device's memory a rank may take, and what follows: memory.h. */
struct memory {
    size_t limit;          /* bytes; 0: none */
    size_t most;           /* samples that go through the model at once; 0: all */
    size_t planned;        /* bytes */
    struct plan_pool pool; /* owned */
    void (*note)(void *context, const char *message); /* on rank 0; NULL: silent */
    void *note_context;
};

struct trainer {
    strata_model *model;
    struct comm *comm;
    struct device *device;
    int rank, ranks;
    struct params *params;
    struct share share;
    struct memory memory;
    size_t grain;  /* exact: sums are those of grains of so many samples; 0: a rank runs its share of a batch as one */
    bool together; /* exact: a pass takes many grains (strata_plan_takes_grains); else each goes through the model alone */
};

/* Builds the model for the data where it is not built, checks that they fit, and binds the weights; with gradients for
 * training. Collective. */
bool strata_trainer_open(struct trainer *trainer, strata_model *model, strata_context *context,
                         const strata_data *data, bool gradients, strata_error *err);
/* Builds the model for the data where it is not built yet. */
bool strata_trainer_build(strata_model *model, const strata_data *data, strata_error *err);
/* Copies the weights back and releases the device's memory. Takes one that is all zero. `ok` is what was so far: returned
 * when this goes well; an earlier error stays. */
bool strata_trainer_close(struct trainer *trainer, bool ok, strata_error *err);

/* STRATA_ESHAPE or STRATA_EVALUE when samples of the data are not what the model takes. */
bool strata_trainer_check_data(const strata_model *model, const strata_data *data, strata_error *err);

/* Passes over data; objective NULL: outputs alone. class_weights: samples have weights though the data has none. */
struct passes strata_trainer_passes(const struct trainer *trainer, const strata_data *data,
                                    const struct objective *objective, bool class_weights);

/* Sums of the first `steps` batches (0: of all samples) in inference, over all ranks; sums has objective->sums doubles.
 * Collective. */
bool strata_trainer_evaluate(const struct trainer *trainer, struct passes *passes, size_t batch_size, size_t steps,
                             double *sums, strata_error *err);

/* Asked of every rank after each batch: true of one ends the work of all. NULL: never. */
struct stopping {
    bool (*asked)(void *context);
    void *context;
    bool stopped; /* out */
};

/* The outputs, `size` floats a sample, of the part of the model that stays the same, for all samples in their order, on every rank;
 * of the first samples alone where it was stopped. Collective. */
bool strata_trainer_prefix(const struct trainer *trainer, const strata_data *data, size_t batch_size, bool loss_at_logits,
                           size_t size, float *values, struct stopping *stopping, strata_error *err);

/* The batch size that is left when 0 was given. */
size_t strata_batch_size_or(size_t given, size_t otherwise);

#endif
