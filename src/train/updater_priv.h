/* What an updater is, for the files that make it and let it work. */
#ifndef STRATA_TRAIN_UPDATER_PRIV_H
#define STRATA_TRAIN_UPDATER_PRIV_H

#include "train/optimizer_state.h"
#include "train/updater.h"

enum { STRATA_SQUARES_CHUNK = 1024 }; /* elements that one sum of squares, or one count, covers; see cl/update.cl */

enum clipping { CLIP_NOTHING, CLIP_VALUE, CLIP_NORM, CLIP_GLOBAL_NORM };

struct updater {
    struct training *training;
    strata_model *model;
    const struct optimizer_class *class;
    const struct optimizer_common *common;
    struct params *params;
    struct device *device;
    struct comm *comm;
    enum queue_index queue; /* of the runs that the reducer gives us */
    struct reducer *reducer;
    struct buffer *parts;  /* NULL: none */
    size_t most_parts;
    enum strata_wire wire;
    double most_scale, warm_up; /* of the rate, from step warm_up on */
    struct reducer_update step, finish;
    struct slot_kinds kinds;
    struct buffer *slots[STRATA_MAX_KINDS];
    bool stored; /* the training's variables are those of this updater */

    double *factor; /* by parameter: of the learning rate; NULL: all 1 */

    /* of the step at hand */
    double rate;
    bool applies;      /* false: its gradients are only accumulated */
    double scalar;     /* training->scalar before it, where it may be left out */
    bool odd;          /* its gradients are not all finite, and the loss is scaled: it is left out */
    size_t measured_slots; /* slots of the spans measured so far */

    enum clipping clipping;
    double *norms;     /* by parameter, or one for all */
    size_t *partial;   /* by parameter: where its sums of squares begin; one more at the end */
    struct buffer *squares;
    float *host_squares;

    struct buffer *counts; /* of gradients that are not finite, a chunk each; NULL: they are not counted */
    float *host_counts;
};

static inline bool strata_updater_measures_norms(const struct updater *u)
{
    return u->clipping == CLIP_NORM || u->clipping == CLIP_GLOBAL_NORM;
}

static inline size_t strata_updater_chunks(size_t elements)
{
    return (elements + STRATA_SQUARES_CHUNK - 1) / STRATA_SQUARES_CHUNK;
}

/* Keras's `iterations`: updates, not the steps whose gradients are accumulated. */
static inline int64_t strata_updater_iteration(const struct updater *u)
{
    const long steps = u->common->gradient_accumulation_steps;
    return steps == STRATA_NO_INT ? u->training->iteration : u->training->iteration / steps;
}

static inline bool strata_has_object(const struct object *object)
{
    return object && object->class;
}

/* The functions of reducer_update, in update.c: the step itself, its norms, and the end of a fit. */
bool strata_update_span(void *context, struct run *run, struct span span, size_t slot, strata_error *err);
bool strata_update_measure(void *context, struct run *run, struct span span, double *values, strata_error *err);
void strata_update_measured(void *context, const double *values);
bool strata_update_average(void *context, struct run *run, struct span span, size_t slot, strata_error *err);

#endif
