/* The reducer from inside. */
#ifndef STRATA_DIST_REDUCER_PRIV_H
#define STRATA_DIST_REDUCER_PRIV_H

#include "dist/comm_priv.h"
#include "dist/reducer.h"

enum { STRATA_LANES = 3 }; /* buckets on their way at the same time */

/* What a rank tells the others; what is told last outweighs the rest. */
enum flag { FLAG_FINE, FLAG_WISH, FLAG_FAILED };

/* Goes along with each bucket; of all ranks' the largest numbers come back. */
struct notice {
    int flag;
    int ready; /* with a step's last gradients: how long after the step before they were ready, in microseconds */
};

/* What a bucket in a lane waits for, in this order. */
enum stage {
    STAGE_FREE,
    STAGE_MARK,     /* backward, to have finished its gradients */
    STAGE_READ,     /* the gradients, to come to the host */
    STAGE_TURN,     /* the bucket before, to have been exchanged */
    STAGE_EXCHANGE, /* the other ranks' parts of the own slice */
    STAGE_UPDATE,   /* the own slice of the new weights, to come to the host */
    STAGE_GATHER,   /* the other ranks' slices */
    STAGE_WRITE,    /* the new weights, to reach the device */
};

struct lane {
    enum stage stage;
    size_t bucket;
    float *parts;        /* owned: the own slice as each of the ranks sent it, part by part in rank order; NULL when shared */
    struct event *event; /* owned, NULL or pending */
    MPI_Request *requests; /* owned: those with the other ranks, and that of the notice */
    int request_count;
    struct notice own, worst;
    double begun;        /* the exchange or gather, by strata_clock */
};

/* Host memory of the size of the arenas. Ranks of one node see each other's, so that an owner adds up straight from the
 * gradients of all, and all take the weights from where their owners put them: nothing is sent but flags. Otherwise
 * each rank has its own, and MPI copies. That no rank writes where another still reads, the end of a step sees to: it
 * comes when all ranks have come to it. */
struct staging {
    bool shared;
    float **gradients;    /* owned: by rank; only the own one when not shared */
    float *weights;       /* owned when not shared, else one for the node */
    MPI_Win windows[2];   /* of gradients and weights when shared */
};

struct reducer {
    struct comm *comm;
    struct device *device;
    struct buffer *weights, *gradients;
    size_t count;
    struct buffer *source; /* of the parts of this rank */
    size_t most_parts;
    size_t *parts;        /* owned: of each rank */
    bool *steps;          /* owned: how they are added */
    size_t step_count;
    struct span *buckets; /* owned */
    size_t bucket_count;
    struct span *slices;  /* owned: of bucket b and rank r at b * ranks + r */
    size_t *slots;        /* owned: of bucket b, where the own slice lies among the owned spans */
    size_t owned;
    struct run *run;      /* owned: immediate, where updates go */
    struct staging staging;
    MPI_Comm exchange, gather; /* apart, because ranks may begin a gather and the next exchange in either order */

    /* the step at hand */
    struct job job;
    bool busy;
    struct run *played;
    int *marks;           /* owned copy */
    struct reducer_update update;
    double *measures;     /* owned */
    struct lane lane[STRATA_LANES];
    size_t next;          /* bucket that enters a lane next */
    size_t exchanged, gathered; /* buckets whose exchange is over, whose gather was begun */
    bool wish, wished;    /* this rank's, and whether any had one */
    double met;           /* when all ranks ended the step before, by strata_clock */
    double ready;         /* when this rank's last gradients were ready */
    double last_ready;    /* .. and those of the rank that was last, on this rank's clock */
    struct reducer_waits waits;
    bool stopped;         /* a rank failed, which all know: no further bucket begins */
    bool failed;          /* this rank did, with that error */
    strata_error error;
};

/* Collective, on the thread. The staging starts as { 0 }. */
bool strata_staging_create(struct reducer *reducer, strata_error *err);
void strata_staging_free(struct reducer *reducer);
void strata_staging_sync(const struct reducer *reducer); /* what others wrote is seen, what was written can be */

/* The job of a step with several ranks; context is the reducer. */
bool strata_reducer_step(struct comm *comm, void *context, strata_error *err);

static inline struct span strata_reducer_slice(const struct reducer *r, size_t bucket, int rank)
{
    return r->slices[bucket * (size_t)r->comm->size + (size_t)rank];
}

#endif
