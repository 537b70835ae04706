/* The reducer from inside. */
#ifndef STRATA_DIST_REDUCER_PRIV_H
#define STRATA_DIST_REDUCER_PRIV_H

#include "dist/comm_priv.h"
#include "dist/nodes.h"
#include "dist/reducer.h"

enum { STRATA_LANES = 3 }; /* buckets on their way at the same time */

/* What a rank tells the others; what is told last outweighs the rest. */
enum flag { FLAG_FINE, FLAG_ODD, FLAG_WISH, FLAG_FAILED };

/* Goes along with each bucket; of all ranks' the largest numbers come back. */
struct notice {
    int flag;
    int ready; /* with a step's last gradients: how long after the step before they were ready, in microseconds */
};

/* What a bucket in a lane waits for, in this order; from STAGE_GATHER on when all of them have been updated. */
enum stage {
    STAGE_FREE,
    STAGE_MARK,     /* backward, to have finished its gradients */
    STAGE_READ,     /* the gradients, to come to the host */
    STAGE_TURN,     /* the bucket before, to have been exchanged */
    STAGE_NEAR,     /* the other ranks of the node, to have come so far */
    STAGE_EXCHANGE, /* the other ranks' parts of the own slice */
    STAGE_UPDATE,   /* the own slice of the new weights, to come to the host */
    STAGE_GATHER,   /* the other ranks' slices */
    STAGE_GATHERED, /* the one that came to this stage before, to have gone on */
    STAGE_SETTLE,   /* what others of the node receive for all */
    STAGE_WRITE,    /* the new weights, to reach the device */
};

struct lane {
    enum stage stage;
    size_t number, bucket; /* as how many-th it came, from 0, and which it is */
    float *parts;        /* owned: the own slice as it came from other nodes, part by part in order */
    float *sums;         /* owned: what this rank added up for owners on other nodes */
    uint16_t *sent, *received; /* owned: in 16 bits; NULL when floats are sent */
    size_t sent_count;
    struct event *event; /* owned, NULL or pending */
    bool rings;          /* the doorbell, when it is over */
    size_t mapped;       /* parts of this rank whose gradients are the host's now */
    MPI_Request *requests; /* owned: those with the other ranks, and that of the notice */
    int request_count;
    struct notice own, worst;
    double begun;        /* the exchange or gather, by strata_clock */
    double carried;      /* .. when the link that STRATA_LINK pretends has carried it; 0: there is none */
};

/* Host memory of the size of the arenas. Ranks of one node see each other's, so that an owner adds up straight from their
 * gradients, and all take the weights from where their owners put them; between nodes MPI copies (wire.c). A device that computes
 * in the host's memory has its gradients there itself. No rank writes where another still reads: it has weights of the next step
 * only when all ranks have added theirs up, and with those a step ends, or its forward pass goes on. */
struct staging {
    bool shared;          /* this node has several ranks */
    bool lent;            /* the gradients' memory, to the device */
    float **gradients;    /* owned: by rank, of this node's */
    float *weights;       /* one for the node; owned when not shared */
    void *memory;         /* owned, when not shared: has the gradients */
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
    struct nodes nodes;
    bool by_node;         /* gradients of a node are added before they are sent; else each rank sends its parts */
    bool crowded;         /* there are other nodes, and this one has several ranks */
    enum strata_wire wire;
    double link, link_free; /* bytes a second of a link that STRATA_LINK pretends, and when it has carried what was begun so far */
    size_t saturated;
    MPI_Comm exchange, gather; /* apart, because ranks may begin a gather and the next exchange in either order */
    MPI_Comm near_exchange, near_gather; /* likewise among the ranks of the node; only where it is crowded */

    /* the step at hand */
    struct job job;
    bool busy;
    struct run *played;
    bool computing;       /* gradients are still to come from this rank's device */
    int *marks;           /* owned copy */
    struct reducer_update update;
    double *measures;     /* owned */
    struct lane lane[STRATA_LANES];
    size_t next;          /* how many buckets have entered a lane */
    size_t exchanged, settled; /* .. whose exchange is over, that settle */
    bool wish, wished;    /* this rank's, and whether any had one */
    struct oddity odd;    /* the first that this rank saw */
    bool heard_odd;       /* all ranks know that one of them saw one */
    double met;           /* when all ranks' gradients of the step before had come, by strata_clock: no rank computes then */
    double ready;         /* when this rank's last gradients were ready */
    double last_ready;    /* .. and those of the rank that was last, on this rank's clock */
    struct reducer_waits waits;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct reached {
        bool updated, over;
        bool *buckets;    /* owned: those whose weights are on the device */
    } reached;            /* for the thread that trains; guarded by lock */
    bool broken;          /* the latest step failed */
    bool stopped;         /* a rank failed, which all know: no further bucket begins */
    bool failed;          /* this rank did, with that error */
    strata_error error;
};

/* Collective, on the thread. The staging starts as { 0 }. */
bool strata_staging_create(struct reducer *reducer, strata_error *err);
void strata_staging_free(struct reducer *reducer);
void strata_staging_sync(const struct reducer *reducer); /* what others wrote is seen, what was written can be */

/* ---- wire.c: return MPI's codes, and leave their requests in the lane ---- */

int strata_wire_near(struct reducer *reducer, struct lane *lane, MPI_Comm near);
int strata_wire_exchange(struct reducer *reducer, struct lane *lane);
int strata_wire_gather(struct reducer *reducer, struct lane *lane);
/* After the exchange: what came can be read. */
void strata_wire_arrived(struct reducer *reducer, struct lane *lane);
/* Whose a part is, by its number in the order of `steps`; others: the sum of that rank's node, which has further ones. */
int strata_wire_rank(const struct reducer *reducer, size_t part, bool *others);
/* Where the own slice of a part lies, likewise. */
const float *strata_wire_part(const struct reducer *reducer, const struct lane *lane, struct span mine, size_t part);
/* Sets the steps for sums by node. */
void strata_wire_order(struct reducer *reducer);

/* ---- odd.c ---- */

/* Looks at `count` sums from element `from` of the own slice on, whose parts are still there. */
void strata_odd_look(struct reducer *reducer, const struct lane *lane, struct span mine, size_t from, const float *sums,
                     size_t count);

/* The job of a step with several ranks; context is the reducer. It says in `reached` how far it is. */
bool strata_reducer_step(struct comm *comm, void *context, strata_error *err);

static inline struct span strata_reducer_slice(const struct reducer *r, size_t bucket, int rank)
{
    return r->slices[bucket * (size_t)r->comm->size + (size_t)rank];
}

#endif
