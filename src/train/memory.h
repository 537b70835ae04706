/* Keeping what a rank runs within a limit of its device's memory: its samples of a batch are divided into parts that fit, of which
 * the plans share their memory. */
#ifndef STRATA_TRAIN_MEMORY_H
#define STRATA_TRAIN_MEMORY_H

#include "train/trainer.h"

/* A kind of batch that will be run. */
struct memory_use {
    size_t count, global; /* samples that are this rank's, and of all ranks */
    bool training;
    size_t parts;         /* in how many it runs anyway; 0: 1 */
    bool (*measure)(void *of, const struct memory_use *use, size_t n, struct plan_sizes *sizes, strata_error *err);
    void *of;
};
/* measure of struct passes */
bool strata_memory_measure_passes(void *passes, const struct memory_use *use, size_t n, struct plan_sizes *sizes, strata_error *err);

/* What is there besides the plans. */
struct memory_rest {
    size_t bytes;
    size_t split; /* more, where a training batch runs in several parts */
    size_t grain;  /* where not all fit at once, parts have so many samples and no others; 0: as many as fit */
    bool together; /* all may go at once though there are grains */
};

/* Sets t->memory: how many samples run at once, and what their plans share. Tells on rank 0 how batches are divided, the first use standing for
 * all. STRATA_EMEMORY when not even one sample fits; without limits nothing changes. Collective. */
bool strata_memory_plan(struct trainer *t, const struct memory_use *uses, size_t count, const struct memory_rest *rest,
                        strata_error *err);

/* The same for batches of so many of all samples in inference. */
bool strata_memory_plan_looking(struct trainer *t,
                                bool (*measure)(void *of, const struct memory_use *use, size_t n, struct plan_sizes *sizes,
                                                strata_error *err),
                                void *of, size_t samples, size_t batch, strata_error *err);

/* How many of so many samples run at once: equal parts, but for the last. */
size_t strata_memory_at_once(const struct memory *memory, size_t count, size_t parts);

#endif
