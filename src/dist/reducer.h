/* Gradients summed over the ranks while backward goes on, weights updated by their owners, and gathered while the next forward
 * goes on.
 *
 * The trainable weights and their gradients are flat arenas of `count` floats with the same offsets, laid out in the
 * order in which backward finishes them, cut into buckets. Of each bucket every rank owns one slice. For each bucket,
 * in order: every rank sends each owner its part of the sums (direct reduce-scatter), the owner adds them by rank and
 * updates its slice. Then, from the last bucket to the first, which is the order in which forward asks for them, all gather the
 * weights: a link that is slower than backward goes on while the first layers compute. Ranks of one node do so in memory that they share, and send and receive
 * together what goes between nodes. So every weight is computed once, by one owner, and replicas are bit-equal whatever the devices are. With one rank the update runs on
 * the whole and nothing is sent.
 * Source: ZeRO-1 (Rajbhandari et al., 2020); owner update as in 4.6 of the project's notes on distributed training. */
#ifndef STRATA_DIST_REDUCER_H
#define STRATA_DIST_REDUCER_H

#include "device/launch.h"
#include "dist/comm.h"

struct reducer;

/* In what form gradients travel between nodes. They are added as floats, and weights always travel as they are. */
enum strata_wire {
    STRATA_WIRE_FLOAT,
    STRATA_WIRE_BF16, /* 8 bits of precision */
    STRATA_WIRE_FP16  /* 11 bits from 2^-14 on; what is beyond 65504 becomes that, and is counted */
};

/* Elements [begin, end) of the arena. */
struct span {
    size_t begin, end;
};

static inline size_t strata_span_length(struct span span)
{
    return span.end - span.begin;
}

struct reducer_config {
    struct buffer *weights, *gradients;
    size_t count;              /* floats; may be 0 */
    const struct span *buckets; /* consecutive, covering [0, count) */
    size_t bucket_count;
    const struct span *whole;  /* tensors that one owner must hold whole, ascending; may be NULL */
    size_t whole_count;
    /* Where a rank's gradients lie when they are several partial sums, part p at elements [p * count, (p + 1) * count), with room
     * for most_parts of them; see strata_reducer_parts. NULL: they are one, in `gradients`. */
    struct buffer *parts;
    size_t most_parts;
    enum strata_wire wire;
};

/* What the owner does. Called on the communication thread with an immediate run on QUEUE_COPY (one rank: on the caller's
 * thread with a run on QUEUE_COMPUTE). slot is the offset, in elements, at which the span's optimizer state lies in a
 * slot arena of strata_reducer_owned elements: the owned spans packed one after the other. */
struct reducer_update {
    void *context;
    bool (*update)(void *context, struct run *run, struct span span, size_t slot, strata_error *err);
    /* Needed before any update, over all gradients (clipping by norm): adds its part of `count` doubles for the
     * span; they are summed over ranks and then given to `measured`. NULL: updates begin with the first bucket. */
    size_t measure_count;
    bool (*measure)(void *context, struct run *run, struct span span, double *values, strata_error *err);
    void (*measured)(void *context, const double *values);
};

/* The gradients (or their parts) may get other memory, so nothing was recorded with them yet, and they are not read or written
 * once the reducer is freed. */
struct reducer *strata_reducer_create(struct comm *comm, struct device *device, const struct reducer_config *config,
                                      strata_error *err);
void strata_reducer_free(struct reducer *reducer);

size_t strata_reducer_owned(const struct reducer *reducer); /* elements that this rank owns */

/* For the next step: how many parts each rank has, and how all of them, rank by rank, become one sum on a stack: true: push
 * the next; false: add the top two. The same on all ranks. With one rank the sum is in `gradients`, and this does nothing. */
void strata_reducer_parts(struct reducer *reducer, const size_t *parts, const bool *steps, size_t count);

/* Hands over a step whose recording was played: bucket b is ready when mark marks[b] of the run is (a NULL run: the
 * gradients are ready now; a rank without samples passes zeros). Returns at once. */
bool strata_reducer_start(struct reducer *reducer, struct run *played, const int *marks,
                          const struct reducer_update *update, strata_error *err);
/* Until the weights on the device are those after the update; with one rank they are so for whatever is queued on
 * QUEUE_COMPUTE from now on, and nothing is waited for. The error of any rank is the error of all; weights of some
 * buckets may be updated then and those of others not. Before the next step starts. */
bool strata_reducer_wait(struct reducer *reducer, strata_error *err);

/* Two earlier moments of the step: this rank's share of the weights is updated, so that `update` is not called any more; and the
 * weights of one bucket are on the device. A failure ends the step as strata_reducer_wait does. */
bool strata_reducer_await_update(struct reducer *reducer, strata_error *err);
bool strata_reducer_await_bucket(struct reducer *reducer, size_t bucket, strata_error *err);
bool strata_reducer_has_bucket(struct reducer *reducer, size_t bucket); /* it would not wait */
bool strata_reducer_has_failed(const struct reducer *reducer);          /* the latest step did, on all ranks */

/* A wish travels with the flags of a step and costs nothing: where any rank had one as the step started, strata_reducer_wished
 * is true on all ranks after strata_reducer_await_update. With nothing trainable there are no flags, and no wish is heard. */
void strata_reducer_wish(struct reducer *reducer, bool wish);
bool strata_reducer_wished(const struct reducer *reducer);

/* A sum of gradients that is not finite. */
struct oddity {
    bool found;
    size_t element; /* of the arena */
    int rank;       /* the first whose gradient was so before it was added; -1: none's, the sum is too large */
    bool others;    /* of that rank's node another one may be meant */
};

/* The first of all steps that this rank saw, and the lowest element of that; it sees those of which it is the owner. After
 * strata_reducer_await_update of any later step all ranks hear that there is one. With one rank nobody looks. */
struct oddity strata_reducer_odd(const struct reducer *reducer);
bool strata_reducer_heard_odd(const struct reducer *reducer);

/* How long all steps so far had this rank wait, after its own gradients were ready, in seconds. With one rank nothing waits. */
struct reducer_waits {
    double slowest;       /* until those of the slowest rank were */
    double communication; /* from then on until its share was updated; what it waits for weights from then on, the caller knows */
};
struct reducer_waits strata_reducer_waits(const struct reducer *reducer);

size_t strata_reducer_saturated(const struct reducer *reducer); /* gradients that this rank sent as 65504 instead of more */

/* Elements [at, at + count) of an arena, on the host. */
struct stretch {
    size_t at, count;
    float *host;
};

/* Stretches of one slot arena of all ranks, to rank 0's host: in ascending order, none over another. The other ranks have none. With one
 * rank nothing is waited for: no update may be queued, and they are there once what is queued on QUEUE_COPY is done. */
bool strata_reducer_collect(struct reducer *reducer, const struct buffer *slots, const struct stretch *stretches, size_t count,
                            strata_error *err);
/* The whole of one, from `count` floats on rank 0's host. */
bool strata_reducer_distribute(struct reducer *reducer, struct buffer *slots, const float *host, strata_error *err);

#endif
