#include "train/pace.h"

#include <math.h>
#include <time.h>

#include "base/clock.h"
#include "base/doorbell.h"

static void sleep_for(double seconds)
{
    struct timespec left = { (time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds)) };
    (void)nanosleep(&left, NULL); /* a signal ends it: somebody wants the step to be over */
}

bool strata_pace_open(struct pace *p, struct device *device, int rank, strata_error *err)
{
    *p = (struct pace){ .device = device };
    p->done = strata_doorbell_create(err);
    return p->done && strata_env_slow(rank, &p->slow, err);
}

void strata_pace_close(struct pace *p)
{
    strata_event_free(p->over);
    strata_event_free(p->busy);
    strata_doorbell_drop(p->done);
    *p = (struct pace){ 0 };
}

static bool is_slow(const struct pace *p)
{
    return (p->slow.factor > 1 || p->slow.each > 0) && p->step > p->slow.first && p->step <= p->slow.last;
}

void strata_pace_begin(struct pace *p, size_t samples)
{
    p->samples = samples;
    p->step++;
    p->seconds = 0;
    p->start = strata_clock();
}

/* Drops it then. */
static bool await(struct event **event, strata_error *err)
{
    const bool ok = strata_event_wait(*event, err);
    strata_event_free(*event);
    *event = NULL;
    return ok;
}

static bool wait(struct pace *p, strata_error *err)
{
    const bool ok = await(&p->over, err);
    p->seconds = strata_clock() - p->start;
    return ok;
}

/* The least seconds of a step of so many samples, this one counted; 0 when it is the first. */
static double usual_seconds(struct pace *p)
{
    for (int i = 0; i < 2; i++) {
        struct usual *usual = &p->usual[i];
        if (usual->samples != p->samples) continue;
        if (p->seconds < usual->seconds) usual->seconds = p->seconds;
        return usual->seconds;
    }
    p->usual[1] = p->usual[0];
    p->usual[0] = (struct usual){ p->samples, p->seconds };
    return 0;
}

bool strata_pace_queued(struct pace *p, strata_error *err)
{
    if (!p->times && !is_slow(p)) return true;
    if (!strata_event_mark(p->device, QUEUE_COMPUTE, &p->over, err)
        || !strata_queue_flush(p->device, QUEUE_COMPUTE, err))
        return false;
    if (!is_slow(p)) return true;
    if (!wait(p, err)) return false;
    const double wanted = p->slow.each > 0 ? p->slow.each * (double)p->samples : p->slow.factor * usual_seconds(p);
    if (wanted > p->seconds) sleep_for(wanted - p->seconds);
    p->seconds = strata_clock() - p->start;
    return true;
}

bool strata_pace_pause(struct pace *p, strata_error *err)
{
    p->paused = strata_clock();
    if (!strata_event_mark(p->device, QUEUE_COMPUTE, &p->busy, err)) return false;
    if (!p->times && !is_slow(p)) return strata_event_ring(p->busy, p->done, err) && strata_queue_flush(p->device, QUEUE_COMPUTE, err);
    const bool ok = strata_queue_flush(p->device, QUEUE_COMPUTE, err) && await(&p->busy, err);
    p->paused = strata_clock();
    return ok;
}

bool strata_pace_go_on(struct pace *p, strata_error *err)
{
    bool done = true;
    const double now = strata_clock();
    const bool ok = !p->busy || strata_event_done(p->busy, &done, err);
    const double rung = p->busy ? strata_doorbell_rung(p->done) : p->paused; /* before: it has not been heard yet, so it is just over */
    strata_event_free(p->busy);
    p->busy = NULL;
    if (!ok || !done || rung < p->paused) return ok;
    p->idle += fmax(now - rung, 0);
    p->start += fmax(now - rung, 0);
    return true;
}

bool strata_pace_end(struct pace *p, strata_error *err)
{
    return !p->over || wait(p, err);
}
