#include "dist/stall.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/life.h"
#include "base/memory.h"
#include "base/thread.h"
#include "device/device.h"

static const double LOOK_EVERY = 0.25, OWN_GAP = 4;
/* How much longer than the watchdog says what a device does for the first time may take, and how many times the longest that it
 * was seen to take for a layer. */
static const double FIRST = 10, USUAL = 3;

struct stall {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop; /* guarded by lock */
    bool named;
    double looked;
    double still, longest; /* at the last look; of those that ended */
    struct device_progress device; /* at the last look */
    struct life life;
};

void strata_stall_moved(struct comm *comm)
{
    const double at = strata_clock();
    atomic_store(&comm->moved, at);
    atomic_store(&comm->got_on, at);
}

void strata_stall_others(struct comm *comm, bool others)
{
    if (atomic_exchange(&comm->others, others) != others) atomic_store(&comm->got_on, strata_clock());
}

void strata_stall_resting(struct comm *comm, bool others)
{
    atomic_store(&comm->others, others);
}

/* What the device does; a change is a move. Whether it may take as long as it likes. */
static bool moves(struct comm *comm, struct stall *s, double at)
{
    struct device_progress now = { 0 };
    pthread_mutex_lock(&comm->lock);
    if (comm->watched) now = strata_device_progress(comm->watched);
    pthread_mutex_unlock(&comm->lock);
    const bool moved = strcmp(now.place, s->device.place) != 0;
    s->device = now;
    if (at - s->looked > OWN_GAP) atomic_store(&comm->moved, atomic_load(&comm->moved) + at - s->looked); /* we were stopped */
    s->looked = at;
    const int pace = atomic_load(&comm->pace);
    if (moved || now.awaits || pace == PACE_NONE || atomic_load(&comm->others)) return true;
    return (pace == PACE_LIVE || now.builds) && strata_is_alive(&s->life);
}

static void describe(struct comm *comm, const struct stall *s, double still, strata_error *err)
{
    char device[STRATA_DEVICE_TEXT];
    pthread_mutex_lock(&comm->lock);
    memcpy(device, comm->device, sizeof device);
    pthread_mutex_unlock(&comm->lock);
    const unsigned long long step = atomic_load(&comm->step);
    char number[32] = "";
    if (step > 0) snprintf(number, sizeof number, ", step %llu", step);
    strata_fail(err, STRATA_EPEER, "rank %d on %s (%s) has stood still for %.0f s: %s%s%s%s", comm->rank, comm->host, device, still,
                atomic_load(&comm->phase), number, s->device.place[0] ? ", " : "", s->device.place);
}

static void look(struct comm *comm, struct stall *s)
{
    const double at = strata_clock();
    strata_error err = { 0 };
    if (moves(comm, s, at)) atomic_store(&comm->moved, at);
    const double still = at - atomic_load(&comm->moved), patience = s->device.first || s->device.builds ? FIRST : 1, least = USUAL * s->longest;
    const double report = fmax(patience * atomic_load(&comm->watch_report), least);
    const double stop = fmax(patience * atomic_load(&comm->watch_stop), least);
    if (still < s->still) s->longest = fmax(s->longest, s->still);
    s->still = still;
    if (still < report) {
        if (s->named) fprintf(stderr, "strata: rank %d on %s goes on\n", comm->rank, comm->host);
        s->named = false;
        return;
    }
    describe(comm, s, still, &err);
    if (!s->named) fprintf(stderr, "strata: %s; the job ends when that lasts %.0f s\n", err.message, stop);
    s->named = true;
    if (still >= stop) strata_comm_abort(comm, &err);
}

static void *watch(void *context)
{
    struct comm *comm = context;
    struct stall *s = comm->stall;
    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        (void)strata_condition_wait(&s->changed, &s->lock, LOOK_EVERY);
        if (s->stop) break;
        pthread_mutex_unlock(&s->lock);
        look(comm, s);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

bool strata_stall_start(struct comm *comm, strata_error *err)
{
    struct stall *s = strata_alloc(1, sizeof *s, err);
    if (!s) return false;
    comm->stall = s;
    s->looked = strata_clock();
    atomic_store(&comm->moved, s->looked);
    pthread_mutex_init(&s->lock, NULL);
    strata_condition_init(&s->changed);
    const int why = strata_thread_start(&s->thread, watch, comm);
    s->started = why == 0;
    return s->started
           || strata_fail_native(err, STRATA_EMEMORY, why, "the thread that watches cannot start: %s", strerror(why));
}

void strata_stall_end(struct comm *comm)
{
    struct stall *s = comm->stall;
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->started) pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
    comm->stall = NULL;
}
