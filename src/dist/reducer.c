#include "dist/reducer.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/memory.h"
#include "dist/reducer_priv.h"
#include "dist/slices.h"
#include "dist/stall.h"

/* ---- create ---------------------------------------------------------------------------------------------------- */

/* Until something else is said, a part a rank, added in rank order. */
static bool make_parts(struct reducer *r, strata_error *err)
{
    const size_t ranks = (size_t)r->comm->size;
    r->parts = strata_alloc(ranks, sizeof *r->parts, err);
    r->steps = r->parts ? strata_alloc(2 * ranks * r->most_parts, sizeof *r->steps, err) : NULL;
    for (size_t i = 0; r->steps && i < ranks; i++) {
        r->parts[i] = 1;
        r->steps[r->step_count++] = true;
        if (i > 0) r->steps[r->step_count++] = false;
    }
    return r->steps != NULL;
}

void strata_reducer_parts(struct reducer *r, const size_t *parts, const bool *steps, size_t count)
{
    assert(!r->busy && count <= 2 * (size_t)r->comm->size * r->most_parts);
    memcpy(r->parts, parts, (size_t)r->comm->size * sizeof *parts);
    memcpy(r->steps, steps, count * sizeof *steps);
    r->step_count = count;
}

static bool take_config(struct reducer *r, const struct reducer_config *config, strata_error *err)
{
    const size_t ranks = (size_t)r->comm->size, buckets = config->bucket_count;
    r->weights = config->weights;
    r->gradients = config->gradients;
    r->count = config->count;
    r->bucket_count = buckets;
    r->buckets = strata_alloc(buckets, sizeof *r->buckets, err);
    r->slices = r->buckets ? strata_alloc(buckets, ranks * sizeof *r->slices, err) : NULL;
    r->slots = r->slices ? strata_alloc(buckets, sizeof *r->slots, err) : NULL;
    r->source = config->parts ? config->parts : config->gradients;
    r->most_parts = config->parts ? config->most_parts : 1;
    r->by_node = !config->parts;
    r->wire = config->wire;
    r->marks = r->slots ? strata_alloc(buckets, sizeof *r->marks, err) : NULL;
    r->reached.buckets = r->marks ? strata_alloc(buckets, sizeof *r->reached.buckets, err) : NULL;
    if (!r->reached.buckets || !make_parts(r, err)) return false;
    size_t at = 0;
    for (size_t b = 0; b < buckets; b++) {
        r->buckets[b] = config->buckets[b];
        assert(r->buckets[b].begin == at && r->buckets[b].end >= at && r->buckets[b].end - at < INT_MAX);
        at = r->buckets[b].end;
        strata_slices_cut(r->buckets[b], config->whole, config->whole_count, r->comm->size, r->slices + b * ranks);
        const struct span mine = strata_reducer_slice(r, b, r->comm->rank);
        r->slots[b] = r->owned;
        r->owned += mine.end - mine.begin;
    }
    assert(at == r->count);
    (void)at; /* without assertions nobody reads it */
    return true;
}

/* Room for what comes from other nodes and goes there. */
static bool make_lane(const struct reducer *r, struct lane *lane, strata_error *err)
{
    const size_t ranks = (size_t)r->comm->size, far = r->nodes.count > 1 ? ranks * r->most_parts : 0;
    const bool halves = r->nodes.count > 1 && r->wire != STRATA_WIRE_FLOAT;
    size_t slice = 0, bucket = 0;
    for (size_t b = 0; b < r->bucket_count; b++) {
        const struct span mine = strata_reducer_slice(r, b, r->comm->rank), all = r->buckets[b];
        if (mine.end - mine.begin > slice) slice = mine.end - mine.begin;
        if (all.end - all.begin > bucket) bucket = all.end - all.begin;
    }
    return (lane->parts = strata_alloc(slice, far * sizeof *lane->parts, err))
           && (lane->sums = strata_alloc(r->crowded && r->by_node ? bucket : 0, sizeof *lane->sums, err))
           && (!halves || (lane->sent = strata_alloc(bucket, r->most_parts * sizeof *lane->sent, err)))
           && (!halves || (lane->received = strata_alloc(slice, far * sizeof *lane->received, err)))
           && (lane->requests = strata_alloc(2 * ranks * r->most_parts + 1, sizeof(MPI_Request), err));
}

static bool find_nodes(struct reducer *r, strata_error *err)
{
    struct comm *comm = r->comm;
    MPI_Request request = MPI_REQUEST_NULL;
    int *lowest = strata_alloc((size_t)comm->size, sizeof *lowest, err);
    bool ok = strata_comm_agree_now(comm, lowest != NULL, err)
              && strata_comm_check(comm, MPI_Iallgather(&comm->node, 1, MPI_INT, lowest, 1, MPI_INT, comm->world, &request),
                                   "finding the nodes", err)
              && strata_comm_complete(comm, &request, 1, "finding the nodes", err);
    ok = ok && strata_comm_agree_now(comm, strata_nodes_sort(&r->nodes, lowest, comm->size, comm->rank, err), err);
    free(lowest);
    if (!ok) return false;
    r->crowded = r->nodes.count > 1 && comm->local_size > 1;
    if (r->by_node) strata_wire_order(r);
    return true;
}

static bool make_comms(struct reducer *r, strata_error *err)
{
    struct comm *comm = r->comm;
    int code = MPI_Comm_dup(comm->world, &r->exchange);
    if (code == MPI_SUCCESS) code = MPI_Comm_dup(comm->world, &r->gather);
    if (code == MPI_SUCCESS && r->crowded) code = MPI_Comm_dup(comm->local, &r->near_exchange);
    if (code == MPI_SUCCESS && r->crowded) code = MPI_Comm_dup(comm->local, &r->near_gather);
    return strata_comm_check(comm, code, "MPI_Comm_dup", err);
}

static bool join_job(struct comm *comm, void *context, strata_error *err)
{
    struct reducer *r = context;
    if (!find_nodes(r, err) || !make_comms(r, err) || !strata_staging_create(r, err)) return false;
    bool ok = true;
    for (int i = 0; ok && i < STRATA_LANES; i++)
        ok = make_lane(r, &r->lane[i], err);
    return strata_comm_agree_now(comm, ok, err);
}

static bool leave_job(struct comm *comm, void *context, strata_error *err)
{
    struct reducer *r = context;
    if (!comm->broken && r->exchange != MPI_COMM_NULL) (void)strata_comm_meet(comm, err);
    strata_staging_free(r);
    MPI_Comm *comms[] = { &r->exchange, &r->gather, &r->near_exchange, &r->near_gather };
    for (size_t i = 0; i < sizeof comms / sizeof *comms && !comm->broken; i++)
        if (*comms[i] != MPI_COMM_NULL) MPI_Comm_free(comms[i]);
    return true;
}

struct reducer *strata_reducer_create(struct comm *comm, struct device *device, const struct reducer_config *config,
                                      strata_error *err)
{
    struct reducer *r = strata_alloc(1, sizeof *r, err);
    bool ok = r != NULL;
    if (r) {
        r->comm = comm;
        r->device = device;
        pthread_mutex_init(&r->lock, NULL);
        pthread_cond_init(&r->changed, NULL);
        r->exchange = r->gather = r->near_exchange = r->near_gather = MPI_COMM_NULL;
        r->run = strata_run_immediate(device, comm->size > 1 ? QUEUE_COPY : QUEUE_COMPUTE, err);
        if (r->run) strata_run_label(r->run, "update");
        ok = r->run && strata_env_link(&r->link, err) && take_config(r, config, err);
    }
    if (strata_comm_agree(comm, ok, err) && (comm->size == 1 || strata_comm_do(comm, join_job, r, err))) return r;
    strata_reducer_free(r);
    return NULL;
}

void strata_reducer_free(struct reducer *r)
{
    strata_error ignored = { 0 };
    if (!r) return;
    if (r->busy) (void)strata_comm_join(r->comm, &r->job, &ignored);
    if (r->comm->size > 1) {
        struct job leave = { .work = leave_job, .context = r, .frees = true };
        strata_comm_submit(r->comm, &leave);
        (void)strata_comm_join(r->comm, &leave, &ignored);
    }
    for (int i = 0; i < STRATA_LANES; i++) {
        strata_event_free(r->lane[i].event);
        free(r->lane[i].parts);
        free(r->lane[i].sums);
        free(r->lane[i].sent);
        free(r->lane[i].received);
        free(r->lane[i].requests);
    }
    strata_run_free(r->run);
    strata_nodes_free(&r->nodes);
    free(r->parts);
    free(r->steps);
    free(r->buckets);
    free(r->slices);
    free(r->slots);
    free(r->marks);
    free(r->reached.buckets);
    free(r->measures);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->changed);
    free(r);
}

size_t strata_reducer_owned(const struct reducer *r)
{
    return r->owned;
}

void strata_reducer_wish(struct reducer *r, bool wish)
{
    r->wish = wish;
}

bool strata_reducer_wished(const struct reducer *r)
{
    return r->wished;
}

size_t strata_reducer_saturated(const struct reducer *r)
{
    return r->saturated;
}

struct reducer_waits strata_reducer_waits(const struct reducer *r)
{
    return r->waits;
}

/* ---- a step ---------------------------------------------------------------------------------------------------- */

/* One rank: behind the played recording, on the same queue, so nothing is waited for but a measure. */
static bool update_alone(struct reducer *r, strata_error *err)
{
    const struct span all = { 0, r->count };
    const struct reducer_update *u = &r->update;
    if (u->measure) {
        if (r->count > 0 && !u->measure(u->context, r->run, all, r->measures, err)) return false;
        u->measured(u->context, r->measures);
    }
    return (r->count == 0 || u->update(u->context, r->run, all, 0, err))
           && strata_queue_flush(r->device, QUEUE_COMPUTE, err);
}

static bool make_measures(struct reducer *r, strata_error *err)
{
    free(r->measures);
    r->measures = strata_alloc(r->update.measure_count, sizeof *r->measures, err);
    return r->measures != NULL;
}

bool strata_reducer_start(struct reducer *r, struct run *played, const int *marks, const struct reducer_update *update,
                          strata_error *err)
{
    assert(!r->busy);
    r->wished = r->wish && r->comm->size == 1;
    r->update = *update;
    r->played = played;
    if (played) memcpy(r->marks, marks, r->bucket_count * sizeof *marks);
    if (r->comm->size == 1) {
        r->broken = !make_measures(r, err) || !update_alone(r, err);
        return !r->broken;
    }
    r->error = (strata_error){ 0 };
    r->failed = !make_measures(r, &r->error); /* which all ranks learn in the step, where they wait for this one */
    r->job = (struct job){ .work = strata_reducer_step, .context = r, .own = true };
    r->reached.updated = r->reached.over = false;
    for (size_t b = 0; b < r->bucket_count; b++) r->reached.buckets[b] = false;
    r->busy = true;
    strata_comm_submit(r->comm, &r->job);
    return true;
}

/* ---- its end, and what comes before ------------------------------------------------------------------------------- */

bool strata_reducer_wait(struct reducer *r, strata_error *err)
{
    if (!r->busy) return true;
    r->busy = false;
    r->broken = !strata_comm_join(r->comm, &r->job, err);
    return !r->broken;
}

/* Until it is reached, or the step is over. */
static bool await(struct reducer *r, const bool *reached, strata_error *err)
{
    if (!r->busy) return true;
    pthread_mutex_lock(&r->lock);
    while (!*reached && !r->reached.over) pthread_cond_wait(&r->changed, &r->lock);
    const bool there = *reached;
    pthread_mutex_unlock(&r->lock);
    strata_stall_moved(r->comm);
    return there || strata_reducer_wait(r, err);
}

bool strata_reducer_await_update(struct reducer *r, strata_error *err)
{
    return await(r, &r->reached.updated, err);
}

bool strata_reducer_await_bucket(struct reducer *r, size_t bucket, strata_error *err)
{
    return await(r, &r->reached.buckets[bucket], err);
}

bool strata_reducer_has_bucket(struct reducer *r, size_t bucket)
{
    if (!r->busy) return true;
    pthread_mutex_lock(&r->lock);
    const bool there = r->reached.buckets[bucket];
    pthread_mutex_unlock(&r->lock);
    return there;
}

bool strata_reducer_has_failed(const struct reducer *r)
{
    return r->broken;
}
