#include "train/readback.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* One step on its way: host memory that grows to the largest batch, and what it takes to add it. */
struct transit {
    struct event *event; /* NULL: none */
    struct part part;
    float *values, *y_pred, *weight, penalty[2];
    void *y;
    size_t room; /* samples */
};

struct readback {
    struct device *device;
    const struct objective *objective;
    double *sums;
    size_t grain;
    double *own; /* owned, of one grain; NULL: there are none */
    struct transit ring[READBACK_DEPTH];
    unsigned next;
};

struct readback *strata_readback_create(struct device *device, const struct objective *objective, size_t grain, double *sums,
                                        strata_error *err)
{
    struct readback *r = strata_alloc(1, sizeof *r, err);
    if (!r) return NULL;
    *r = (struct readback){ .device = device, .objective = objective, .sums = sums, .grain = grain };
    if (!grain || (r->own = strata_alloc(objective->sums, sizeof *r->own, err))) return r;
    free(r);
    return NULL;
}

static void release(struct transit *t)
{
    free(t->values);
    free(t->y_pred);
    free(t->weight);
    free(t->y);
    *t = (struct transit){ 0 };
}

void strata_readback_free(struct readback *r)
{
    strata_error ignored = { 0 };
    if (!r) return;
    for (int i = 0; i < READBACK_DEPTH; i++) {
        if (r->ring[i].event) (void)strata_event_wait(r->ring[i].event, &ignored); /* it writes to our memory */
        strata_event_free(r->ring[i].event);
        release(&r->ring[i]);
    }
    free(r->own);
    free(r);
}

static bool make_room(const struct objective *o, struct transit *t, size_t n, strata_error *err)
{
    if (n <= t->room) return true;
    release(t);
    t->values = strata_alloc(n * o->rows, sizeof(float), err);
    t->weight = t->values ? strata_alloc(n, sizeof(float), err) : NULL;
    t->y = t->weight ? strata_alloc(n * strata_shape_count(&o->truth), sizeof(float), err) : NULL;
    t->y_pred = t->y ? strata_alloc(o->metric_count ? n * strata_shape_count(&o->pred) : 1, sizeof(float), err) : NULL;
    if (!t->y_pred) return false;
    t->room = n;
    return true;
}

/* What is said of the part as a whole, its first grain brings. */
static struct part grain_of(const struct readback *r, const struct part *part, size_t at)
{
    const struct objective *o = r->objective;
    const size_t left = part->count - at;
    struct part grain = *part;
    grain.count = left < r->grain ? left : r->grain;
    grain.values += at * o->rows;
    grain.y = (const char *)part->y + at * strata_shape_count(&o->truth) * sizeof(float);
    if (part->weight) grain.weight += at;
    if (part->y_pred) grain.y_pred += at * strata_shape_count(&o->pred);
    if (at > 0) grain.counted = 0;
    if (at > 0) grain.penalty = 0;
    return grain;
}

static void add(struct readback *r, const struct part *part)
{
    const size_t count = r->objective->sums;
    const double grid = 1 << 24;
    if (!r->own) strata_objective_add(r->objective, part, r->sums);
    for (size_t at = 0; r->own && at < part->count; at += r->grain) {
        const struct part grain = grain_of(r, part, at);
        for (size_t i = 0; i < count; i++) r->own[i] = 0;
        strata_objective_add(r->objective, &grain, r->own);
        for (size_t i = 0; i < count; i++) r->sums[i] += nearbyint(r->own[i] * grid) / grid;
    }
}

static bool finish(struct readback *r, struct transit *t, strata_error *err)
{
    if (!t->event) return true;
    const bool ok = strata_event_wait(t->event, err);
    strata_event_free(t->event);
    t->event = NULL;
    if (!ok) return false;
    t->part.penalty = (t->part.counted ? (double)t->penalty[0] : 0) + (double)t->penalty[1];
    add(r, &t->part);
    return true;
}

static bool read(struct readback *r, const struct view *view, size_t count, float *host, struct event **event,
                 strata_error *err)
{
    return strata_buffer_read_async(r->device, QUEUE_COMPUTE, view->buffer, view->offset * sizeof(float),
                                    count * sizeof(float), host, event, err);
}

/* The queue is in order, so the event of the last read, that of the losses, stands for all. */
static bool queue_reads(struct readback *r, struct transit *t, const struct pass *pass, strata_error *err)
{
    const struct objective *o = r->objective;
    const struct view output = strata_plan_output(pass->plan), activity = strata_plan_penalty(pass->plan);
    t->penalty[0] = t->penalty[1] = 0;
    if (pass->penalty.buffer && !read(r, &pass->penalty, 1, &t->penalty[0], NULL, err)) return false;
    if (activity.buffer && !read(r, &activity, 1, &t->penalty[1], NULL, err)) return false;
    if (o->metric_count && !read(r, &output, pass->n * strata_shape_count(&o->pred), t->y_pred, NULL, err))
        return false;
    return read(r, &pass->values, pass->n * o->rows, t->values, &t->event, err)
           && strata_queue_flush(r->device, QUEUE_COMPUTE, err);
}

bool strata_readback_post(struct readback *r, const struct pass *pass, const struct batch *batch, double scale,
                          strata_error *err)
{
    const struct objective *o = r->objective;
    struct transit *t = &r->ring[r->next++ % READBACK_DEPTH];
    if (!finish(r, t, err) || !make_room(o, t, pass->n, err)) return false;
    memcpy(t->y, batch->y, pass->n * strata_shape_count(&o->truth) * sizeof(float));
    if (batch->weight) memcpy(t->weight, batch->weight, pass->n * sizeof(float));
    t->part = (struct part){ .count = pass->n, .global_count = pass->global_n,
                             .counted = batch->first == 0 ? pass->global_n : 0, .scale = scale, .values = t->values,
                             .weight = batch->weight ? t->weight : NULL, .y = t->y,
                             .y_pred = o->metric_count ? t->y_pred : NULL };
    return queue_reads(r, t, pass, err);
}

bool strata_readback_drain(struct readback *r, strata_error *err)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < READBACK_DEPTH; i++) ok = finish(r, &r->ring[(r->next + i) % READBACK_DEPTH], err);
    return ok;
}
