/* A step of the reducer with several ranks: buckets move through lanes, from the gradients of all ranks to the updated
 * slices, then from those to the new weights on all ranks. Nothing blocks but the waits of `measure`: the thread goes round the
 * lanes and moves what can move, so that one bucket is exchanged while the one before is updated.
 *
 * A rank that fails goes on taking part, with a flag that it sends along: in the exchange, from where no rank goes on
 * with that bucket or a later one, and in the gather, from where no rank keeps the weights. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "device/profile.h"
#include "dist/reducer_priv.h"
#include "dist/stall.h"
#include "dist/tree.h"

enum { BLOCK = 1024, STACK = STRATA_TREE_LEVELS + 1, NEAR_PAUSE = 60000, NEAR_YIELDS = 1000, FAR_PAUSE = 1000000, DEVICE_PAUSE = 10000000 };

/* The first failure of this rank is the one that is told. */
static void fail(struct reducer *r, const strata_error *error)
{
    if (!r->failed) r->error = *error;
    r->failed = true;
}

/* ---- the wire --------------------------------------------------------------------------------------------------- */

static bool is_last(const struct reducer *r, const struct lane *lane)
{
    return lane->bucket + 1 == r->bucket_count;
}

/* Where this rank has its gradients and weights of a span. */
static float *gradients_of(const struct reducer *r, struct span span)
{
    return r->staging.gradients[r->comm->rank] + span.begin;
}

static float *weights_of(const struct reducer *r, struct span span)
{
    return r->staging.weights + span.begin;
}

/* One after the other, all but the own slice. */
static void carry(struct reducer *r, struct lane *lane)
{
    const struct span all = r->buckets[lane->bucket], mine = strata_reducer_slice(r, lane->bucket, r->comm->rank);
    const double seconds = (double)(strata_span_length(all) - strata_span_length(mine)) * sizeof(float) / r->link;
    if (isfinite(r->link)) lane->carried = r->link_free = fmax(r->link_free, strata_clock()) + seconds;
}

static bool post_exchange(struct reducer *r, struct lane *lane, strata_error *err)
{
    lane->stage = STAGE_EXCHANGE;
    carry(r, lane);
    return strata_comm_check(r->comm, strata_wire_exchange(r, lane), "exchanging gradients", err);
}

/* Who adds up for others of the node waits until their gradients are there. */
static bool begin_exchange(struct reducer *r, struct lane *lane, strata_error *err)
{
    lane->begun = strata_clock();
    if (!r->crowded || !r->by_node) return post_exchange(r, lane, err);
    lane->stage = STAGE_NEAR;
    return strata_comm_check(r->comm, strata_wire_near(r, lane, r->near_exchange), "exchanging gradients", err);
}

static bool begin_gather(struct reducer *r, struct lane *lane, strata_error *err)
{
    lane->begun = strata_clock();
    lane->stage = STAGE_GATHER;
    carry(r, lane);
    return strata_comm_check(r->comm, strata_wire_gather(r, lane), "gathering weights", err);
}

/* What came for others of the node, they may read when all of it has come. */
static bool begin_settle(struct reducer *r, struct lane *lane, strata_error *err)
{
    lane->stage = STAGE_SETTLE;
    r->settled++;
    return strata_comm_check(r->comm, strata_wire_near(r, lane, r->near_gather), "gathering weights", err);
}

/* ---- the device ------------------------------------------------------------------------------------------------ */

static void drop_event(struct lane *lane)
{
    strata_event_free(lane->event);
    lane->event = NULL;
    lane->rings = false;
}

/* Whether what the lane's event stands for is over; a failure is over too. */
static bool over(struct reducer *r, struct lane *lane)
{
    strata_error error = { 0 };
    bool done = true;
    if (lane->event && !strata_event_done(lane->event, &done, &error)) {
        fail(r, &error);
        done = true;
    }
    if (!done) {
        if (!lane->rings && !strata_event_ring(lane->event, r->comm->bell, &error)) fail(r, &error);
        lane->rings = true;
        return false;
    }
    drop_event(lane);
    return true;
}

/* The bucket's gradients are the device's again. Others may still read what this rank does not write. */
static void unmap(struct reducer *r, struct lane *lane)
{
    strata_error error = { 0 };
    for (size_t p = 0; p < lane->mapped; p++) {
        const size_t from = (p * r->count + r->buckets[lane->bucket].begin) * sizeof(float);
        if (!strata_buffer_unmap(r->device, QUEUE_COPY, r->source, from, &error)) fail(r, &error);
    }
    lane->mapped = 0;
}

static void begin_read(struct reducer *r, struct lane *lane)
{
    const struct span all = r->buckets[lane->bucket];
    strata_error error = { 0 };
    lane->stage = STAGE_READ;
    const size_t parts = r->parts[r->comm->rank];
    if (r->failed || strata_span_length(all) == 0) return;
    bool ok = true;
    for (size_t p = 0; ok && p < parts; p++) {
        const size_t from = (p * r->count + all.begin) * sizeof(float), bytes = strata_span_length(all) * sizeof(float);
        struct event **event = p + 1 == parts ? &lane->event : NULL;
        ok = r->staging.lent ? strata_buffer_map_async(r->device, QUEUE_COPY, r->source, from, bytes, event, &error)
                             : strata_buffer_read_async(r->device, QUEUE_COPY, r->source, from, bytes,
                                                        gradients_of(r, all) + p * r->count, event, &error);
        lane->mapped += ok && r->staging.lent;
    }
    if (!ok || !strata_queue_flush(r->device, QUEUE_COPY, &error)) fail(r, &error);
}

/* The sum of all parts, in the order of the steps whoever adds: the same bits for any owner. It takes the place of the own
 * slice, which no other rank reads. */
static void add_parts(struct reducer *r, struct lane *lane, struct span mine)
{
    float stack[STACK][BLOCK];
    const size_t n = strata_span_length(mine);
    for (size_t from = 0; from < n; from += BLOCK) {
        const size_t some = n - from < BLOCK ? n - from : BLOCK;
        size_t top = 0, next = 0;
        for (size_t s = 0; s < r->step_count; s++) {
            const bool added = r->steps[s] && top > 0 && s + 1 < r->step_count && !r->steps[s + 1];
            const float *part = r->steps[s] ? strata_wire_part(r, lane, mine, next++) + from : stack[top - 1];
            if (r->steps[s] && !added) {
                memcpy(stack[top++], part, some * sizeof *part);
                continue;
            }
            if (added)
                s++;
            else
                top--;
            for (size_t i = 0; i < some; i++) stack[top - 1][i] += part[i];
        }
        strata_odd_look(r, lane, mine, from, stack[0], some);
        memcpy(gradients_of(r, mine) + from, stack[0], some * sizeof **stack);
    }
}

/* The sums of the own slice to the device, unless it has them where they were added up. */
static void write_sums(struct reducer *r, struct lane *lane)
{
    const struct span mine = strata_reducer_slice(r, lane->bucket, r->comm->rank);
    const bool there = r->staging.lent && r->source == r->gradients;
    strata_error error = { 0 };
    if (!r->failed && strata_span_length(mine) > 0) {
        add_parts(r, lane, mine);
        if (!there
            && !strata_buffer_write_async(r->device, QUEUE_COPY, r->gradients, mine.begin * sizeof(float),
                                          strata_span_length(mine) * sizeof(float), gradients_of(r, mine), NULL, &error))
            fail(r, &error);
    }
    unmap(r, lane);
}

static void measure(struct reducer *r, struct lane *lane)
{
    const struct span mine = strata_reducer_slice(r, lane->bucket, r->comm->rank);
    strata_error error = { 0 };
    lane->stage = STAGE_FREE;
    if (r->failed || strata_span_length(mine) == 0) return;
    if (!r->update.measure(r->update.context, r->run, mine, r->measures, &error)) fail(r, &error);
}

/* The update of the own slice, and its weights on their way to the host. */
static void begin_update(struct reducer *r, struct lane *lane)
{
    const struct span mine = strata_reducer_slice(r, lane->bucket, r->comm->rank);
    strata_error error = { 0 };
    lane->stage = STAGE_UPDATE;
    if (r->failed || strata_span_length(mine) == 0) return;
    if (!r->update.update(r->update.context, r->run, mine, r->slots[lane->bucket], &error)
        || !strata_buffer_read_async(r->device, QUEUE_COPY, r->weights, mine.begin * sizeof(float),
                                     strata_span_length(mine) * sizeof(float), weights_of(r, mine), &lane->event, &error)
        || !strata_queue_flush(r->device, QUEUE_COPY, &error))
        fail(r, &error);
}

/* What other ranks updated, before the own slice and behind it; the device has that. */
static void begin_write(struct reducer *r, struct lane *lane)
{
    const struct span all = r->buckets[lane->bucket], mine = strata_reducer_slice(r, lane->bucket, r->comm->rank);
    const struct span theirs[] = { { all.begin, mine.begin }, { mine.end, all.end } };
    strata_error error = { 0 };
    bool ok = true;
    lane->stage = STAGE_WRITE;
    strata_staging_sync(r);
    if (lane->worst.flag == FLAG_FAILED) return;
    for (int i = 0; ok && i < 2; i++) {
        if (strata_span_length(theirs[i]) == 0) continue;
        drop_event(lane);
        ok = strata_buffer_write_async(r->device, QUEUE_COPY, r->weights, theirs[i].begin * sizeof(float),
                                       strata_span_length(theirs[i]) * sizeof(float), weights_of(r, theirs[i]), &lane->event,
                                       &error);
    }
    if (!ok || !strata_queue_flush(r->device, QUEUE_COPY, &error)) fail(r, &error);
}

/* ---- the lanes ------------------------------------------------------------------------------------------------- */

static bool requests_over(struct reducer *r, struct lane *lane, bool *done, strata_error *err)
{
    int all = 0;
    const int code = MPI_Testall(lane->request_count, lane->requests, &all, MPI_STATUSES_IGNORE);
    *done = all;
    return strata_comm_check(r->comm, code, lane->stage >= STAGE_GATHER ? "gathering weights" : "exchanging gradients",
                             err);
}

/* For the time line. */
static void note(const struct reducer *r, const struct lane *lane)
{
    char what[64];
    struct profile *profile = strata_device_profile(r->device);
    if (!profile) return;
    snprintf(what, sizeof what, "%s %zu", lane->stage == STAGE_GATHER ? "gather bucket" : "exchange bucket", lane->bucket);
    strata_profile_host(profile, PROFILE_COMMUNICATION + (int)(lane - r->lane), what, lane->begun);
}

static void end_exchange(struct reducer *r, struct lane *lane)
{
    r->exchanged++;
    strata_wire_arrived(r, lane);
    if (is_last(r, lane)) {
        r->met = strata_clock();
        r->last_ready = fmin(r->ready + 1e-6 * (double)(lane->worst.ready - lane->own.ready), r->met);
    }
    r->wished = r->wished || lane->worst.flag == FLAG_WISH;
    r->heard_odd = r->heard_odd || lane->worst.flag == FLAG_ODD;
    if (lane->worst.flag == FLAG_FAILED) {
        r->stopped = true;
        lane->stage = STAGE_FREE;
        unmap(r, lane);
        return;
    }
    write_sums(r, lane);
    if (r->update.measure)
        measure(r, lane);
    else
        begin_update(r, lane);
}

/* For the thread that trains. */
static void tell(struct reducer *r, bool *reached)
{
    pthread_mutex_lock(&r->lock);
    *reached = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* The weights are there, unless a rank failed: then nobody keeps them. */
static void end_write(struct reducer *r, struct lane *lane)
{
    lane->stage = STAGE_FREE;
    if (lane->worst.flag != FLAG_FAILED && !r->failed) tell(r, &r->reached.buckets[lane->bucket]);
}

/* Moves a lane by one stage where it can; *moved says whether it did. Only MPI's errors end the step here. */
static bool advance(struct reducer *r, struct lane *lane, bool *moved, strata_error *err)
{
    bool done = false;
    switch (lane->stage) {
    case STAGE_FREE: return true;
    case STAGE_TURN:
        if (r->exchanged != lane->number && !r->stopped) return true;
        *moved = true;
        if (!r->stopped) return begin_exchange(r, lane, err);
        lane->stage = STAGE_FREE;
        return true;
    case STAGE_EXCHANGE:
    case STAGE_GATHER:
        if (!requests_over(r, lane, &done, err)) return false;
        if (!done || strata_clock() < lane->carried) return true;
        note(r, lane);
        if (lane->stage == STAGE_EXCHANGE)
            end_exchange(r, lane);
        else if (r->crowded)
            lane->stage = STAGE_GATHERED;
        else
            begin_write(r, lane);
        break;
    case STAGE_NEAR:
    case STAGE_SETTLE:
        if (!requests_over(r, lane, &done, err)) return false;
        if (!done) return true;
        *moved = true;
        if (lane->stage == STAGE_NEAR) return post_exchange(r, lane, err);
        begin_write(r, lane);
        return true;
    case STAGE_GATHERED:
        if (r->settled != lane->number) return true;
        *moved = true;
        return begin_settle(r, lane, err);
    case STAGE_MARK:
        if (!over(r, lane)) return true;
        if (is_last(r, lane)) {
            r->ready = strata_clock();
            r->computing = false;
        }
        begin_read(r, lane);
        break;
    case STAGE_READ:
    case STAGE_UPDATE:
        if (!over(r, lane)) return true;
        lane->stage = lane->stage == STAGE_READ ? STAGE_TURN : STAGE_FREE;
        break;
    case STAGE_WRITE:
        if (!over(r, lane)) return true;
        end_write(r, lane);
        break;
    }
    *moved = true;
    return true;
}

/* The next bucket enters a free lane: from backward on; with its update, when all sums were measured; or, the last one first, to
 * be gathered. */
static bool enter(struct reducer *r, struct lane *lane, enum stage first, strata_error *err)
{
    strata_error error = { 0 };
    lane->number = lane->bucket = r->next++;
    lane->stage = first;
    if (first == STAGE_GATHER) {
        lane->bucket = r->bucket_count - 1 - lane->number;
        return begin_gather(r, lane, err);
    }
    if (first == STAGE_UPDATE)
        begin_update(r, lane);
    else if (!r->failed && r->played
             && !strata_run_mark_event(r->played, r->marks[lane->bucket], &lane->event, &error))
        fail(r, &error);
    return true;
}

static bool waits_for_peers(const struct lane *lane)
{
    return lane->stage == STAGE_NEAR || lane->stage == STAGE_EXCHANGE || lane->stage == STAGE_GATHER || lane->stage == STAGE_SETTLE;
}

/* Only here does this rank wait for the others, if its device has done what there is; all else it does itself, and may hang in it. */
static void rest(const struct reducer *r, struct pause *pause, bool device)
{
    strata_stall_resting(r->comm, !device);
    strata_pause(r->comm, pause);
    strata_stall_resting(r->comm, false);
}

/* The device rings when something is over. Peers must be asked, and that disturbs a device that shares the core: while it computes,
 * there is time. When it has done its part of the step it waits for them too: then a thread that sleeps comes late, and what else
 * wants to run has the core whenever it yields. */
static bool run_lanes(struct reducer *r, enum stage first, strata_error *err)
{
    struct pause pause = { 0 };
    size_t busy = 0;
    r->next = r->exchanged = r->settled = 0;
    do {
        bool moved = false, peers = false, device = false;
        busy = 0;
        for (int i = 0; i < STRATA_LANES; i++) {
            struct lane *lane = &r->lane[i];
            if (lane->stage == STAGE_FREE && r->next < r->bucket_count && !r->stopped && !enter(r, lane, first, err)) return false;
            if (!advance(r, lane, &moved, err)) return false;
            busy += lane->stage != STAGE_FREE;
            peers = peers || waits_for_peers(lane);
            device = device || lane->event;
        }
        if (moved) {
            pause = (struct pause){ 0 };
            strata_stall_moved(r->comm);
        }
        pause.late = r->computing;
        pause.yields = peers && !r->computing ? NEAR_YIELDS : 0;
        pause.most = !peers ? DEVICE_PAUSE : r->computing ? FAR_PAUSE : NEAR_PAUSE;
        if (!moved && busy) rest(r, &pause, device);
    } while (busy > 0 || (r->next < r->bucket_count && !r->stopped));
    return true;
}

/* All gradients, then the sum of what was measured of them; after it all ranks go on, or none. */
static bool measure_all(struct reducer *r, strata_error *err)
{
    if (!run_lanes(r, STAGE_MARK, err)) return false;
    *err = r->error;
    if (!strata_comm_agree_now(r->comm, !r->failed, err)
        || !strata_comm_sum_now(r->comm, r->measures, r->update.measure_count, err))
        return false;
    r->update.measured(r->update.context, r->measures);
    return run_lanes(r, STAGE_UPDATE, err);
}

/* Lanes come to rest: what was queued from and to their memory is over. */
static void settle(struct reducer *r)
{
    strata_error ignored = { 0 };
    struct event *last = NULL;
    for (int i = 0; i < STRATA_LANES; i++) unmap(r, &r->lane[i]);
    if (strata_event_mark(r->device, QUEUE_COPY, &last, &ignored)) (void)strata_event_wait(last, &ignored);
    strata_event_free(last);
    for (int i = 0; i < STRATA_LANES; i++) {
        r->lane[i].stage = STAGE_FREE;
        drop_event(&r->lane[i]);
    }
}

/* This rank's share is updated: the thread that trains may go on as far as its weights allow, and counts from here on what it waits. */
static void end_update(struct reducer *r)
{
    r->waits.slowest += r->last_ready - r->ready;
    r->waits.communication += strata_clock() - r->last_ready;
    tell(r, &r->reached.updated);
}

/* A rank whose update failed has the others gather without its part. */
static bool run_step(struct reducer *r, strata_error *err)
{
    const bool updated = r->update.measure ? measure_all(r, err) : run_lanes(r, STAGE_MARK, err);
    if (!updated || r->stopped) return updated;
    if (!r->failed) end_update(r);
    return run_lanes(r, STAGE_GATHER, err);
}

bool strata_reducer_step(struct comm *comm, void *context, strata_error *err)
{
    struct reducer *r = context;
    r->stopped = false;
    r->computing = r->played;
    r->ready = r->last_ready = strata_clock();
    if (r->met == 0) r->met = r->ready;
    const bool ran = run_step(r, err);
    bool ok = false;
    if (ran) {
        *err = r->failed ? r->error : (strata_error){ 0 };
        ok = strata_comm_agree_now(comm, !r->failed, err);
    }
    if (!ok) settle(r);
    tell(r, &r->reached.over);
    return ok;
}
