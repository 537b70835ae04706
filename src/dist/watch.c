#include "dist/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum { WATCHED = 2, PHASE = 48 };
static const double SEND_EVERY = 1, LOOK_EVERY = 0.25, OWN_GAP = 4;

struct pulse {
    char host[STRATA_HOST], device[STRATA_DEVICE_TEXT], phase[PHASE];
    uint64_t step;
    struct row {
        uint32_t named, over;
    } row; /* how many ranks one after the other, this one the last, have waited for others for watch_report seconds, and watch_stop */
};

/* A rank before ours. */
struct watched {
    int rank;
    struct pulse last, coming;
    MPI_Request request;
    double heard; /* when a pulse came last */
    bool named;   /* it is known to be silent */
};

struct watch {
    MPI_Comm pulses;
    struct pulse own;
    MPI_Request sends[WATCHED];
    struct watched watched[WATCHED];
    int count;
    double sent, looked;
    struct row told; /* in the last pulse */
    bool circle;     /* it is known that all ranks wait */
};

/* ---- pulses ---------------------------------------------------------------------------------------------------- */

static void listen(struct watch *w, struct watched *from)
{
    if (MPI_Irecv(&from->coming, sizeof from->coming, MPI_BYTE, from->rank, 0, w->pulses, &from->request) != MPI_SUCCESS)
        from->request = MPI_REQUEST_NULL;
}

/* A pulse that the one before it still keeps from going is left out. */
static void send(struct comm *comm, struct watch *w)
{
    for (int i = 0; i < w->count; i++) {
        int done = 0;
        if (MPI_Test(&w->sends[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !done) return;
    }
    memcpy(w->own.host, comm->host, sizeof w->own.host);
    pthread_mutex_lock(&comm->lock);
    memcpy(w->own.device, comm->device, sizeof w->own.device);
    pthread_mutex_unlock(&comm->lock);
    snprintf(w->own.phase, sizeof w->own.phase, "%s", atomic_load(&comm->phase));
    w->own.step = atomic_load(&comm->step);
    w->told = w->own.row;
    for (int i = 0; i < w->count; i++)
        MPI_Isend(&w->own, sizeof w->own, MPI_BYTE, (comm->rank + 1 + i) % comm->size, 0, w->pulses, &w->sends[i]);
}

static void hear(struct watch *w, struct watched *from, double at)
{
    int done = 1;
    while (from->request != MPI_REQUEST_NULL
           && MPI_Test(&from->request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done) {
        from->last = from->coming;
        if (from->named)
            fprintf(stderr, "strata: rank %d on %s is back after %.0f s\n", from->rank, from->last.host, at - from->heard);
        from->named = false;
        from->heard = at;
        listen(w, from);
    }
}

/* ---- who is silent --------------------------------------------------------------------------------------------- */

static void describe(const struct watched *from, double silence, char *text, size_t size)
{
    int used = snprintf(text, size, "rank %d on %s (%s) has been silent for %.0f s; it was last seen %s", from->rank,
                        from->last.host, from->last.device, silence, from->last.phase);
    if (from->last.step > 0 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", step %llu", (unsigned long long)from->last.step);
}

static void look(struct comm *comm, struct watch *w, double at)
{
    const double report = atomic_load(&comm->watch_report), stop = atomic_load(&comm->watch_stop);
    bool nearer_is_silent = true; /* the rank before ours is ours to name; the one before that when it cannot be its watcher */
    for (int i = 0; i < w->count && nearer_is_silent; i++) {
        struct watched *from = &w->watched[i];
        char text[512];
        const double silence = at - from->heard;
        nearer_is_silent = silence >= report;
        if (!nearer_is_silent) break;
        describe(from, silence, text, sizeof text);
        if (!from->named)
            fprintf(stderr, "strata: %s; the job ends when that lasts %.0f s\n", text, stop);
        from->named = true;
        if (silence < stop) continue;
        fprintf(stderr, "strata: rank %d on %s ends the job: %s\n", comm->rank, comm->host, text);
        MPI_Abort(MPI_COMM_WORLD, strata_exit_code(STRATA_EPEER));
    }
}

/* ---- who waits for whom ---------------------------------------------------------------------------------------- */

/* Up to twice round all ranks. */
static uint32_t row(const struct comm *comm, const struct watch *w, double waited, double least, uint32_t before)
{
    const uint32_t most = 2 * (uint32_t)comm->size;
    if (w->count == 0 || waited < least) return 0;
    return before < most ? before + 1 : most;
}

/* All ranks send pulses, and none gets on: each waits for another that waits. */
static void look_round(struct comm *comm, struct watch *w, double at)
{
    const double report = atomic_load(&comm->watch_report), stop = atomic_load(&comm->watch_stop);
    const double waited = atomic_load(&comm->others) ? at - atomic_load(&comm->got_on) : 0;
    const struct row before = w->count > 0 ? w->watched[0].last.row : (struct row){ 0 };
    char text[512];
    w->own.row = (struct row){ row(comm, w, waited, report, before.named), row(comm, w, waited, stop, before.over) };
    if (w->own.row.named < (uint32_t)comm->size) {
        w->circle = false;
        return;
    }
    snprintf(text, sizeof text, "rank %d on %s has waited %.0f s for the others, and so have all ranks: %s, step %llu", comm->rank,
             comm->host, waited, atomic_load(&comm->phase), (unsigned long long)atomic_load(&comm->step));
    if (!w->circle) fprintf(stderr, "strata: %s; the job ends when that lasts %.0f s\n", text, stop);
    w->circle = true;
    if (w->own.row.over < 2 * (uint32_t)comm->size) return; /* once round, one may have got on behind the count */
    fprintf(stderr, "strata: rank %d on %s ends the job: %s\n", comm->rank, comm->host, text);
    MPI_Abort(MPI_COMM_WORLD, strata_exit_code(STRATA_EPEER));
}

/* Who was stopped itself has heard nothing either. */
static void forgive(struct comm *comm, struct watch *w, double gap)
{
    atomic_store(&comm->got_on, atomic_load(&comm->got_on) + gap);
    for (int i = 0; i < w->count; i++) w->watched[i].heard += gap;
}

void strata_watch_tick(struct comm *comm)
{
    struct watch *w = comm->watch;
    if (!w || comm->broken) return;
    const double at = strata_clock(), gap = at - w->looked;
    if (gap < LOOK_EVERY) return;
    if (gap > OWN_GAP) forgive(comm, w, gap);
    w->looked = at;
    for (int i = 0; i < w->count; i++) hear(w, &w->watched[i], at);
    look_round(comm, w, at);
    if (at - w->sent >= SEND_EVERY || memcmp(&w->told, &w->own.row, sizeof w->told) != 0) {
        send(comm, w);
        w->sent = at;
    }
    look(comm, w, at);
}

/* ---- start and end --------------------------------------------------------------------------------------------- */

bool strata_watch_start(struct comm *comm, strata_error *err)
{
    if (comm->size == 1) return true;
    struct watch *w = strata_alloc(1, sizeof *w, err);
    if (!w) return false;
    w->count = comm->size - 1 < WATCHED ? comm->size - 1 : WATCHED;
    w->looked = strata_clock();
    w->sent = w->looked - SEND_EVERY;
    w->pulses = MPI_COMM_NULL;
    comm->watch = w;
    if (!strata_comm_check(comm, MPI_Comm_dup(comm->world, &w->pulses), "MPI_Comm_dup", err)) return false;
    for (int i = 0; i < w->count; i++) {
        struct watched *from = &w->watched[i];
        w->sends[i] = MPI_REQUEST_NULL;
        from->rank = (comm->rank - 1 - i + comm->size) % comm->size;
        from->heard = w->looked;
        snprintf(from->last.phase, sizeof from->last.phase, "starting");
        snprintf(from->last.host, sizeof from->last.host, "its host");
        snprintf(from->last.device, sizeof from->last.device, "device not chosen");
        listen(w, from);
    }
    return true;
}

static void drop(MPI_Request *request, bool receive)
{
    if (*request == MPI_REQUEST_NULL) return;
    if (receive) MPI_Cancel(request);
    MPI_Request_free(request);
}

void strata_watch_end(struct comm *comm)
{
    struct watch *w = comm->watch;
    if (!w || comm->broken) return;
    for (int i = 0; i < w->count; i++) {
        drop(&w->watched[i].request, true);
        drop(&w->sends[i], false);
    }
    w->count = 0;
    if (w->pulses != MPI_COMM_NULL) MPI_Comm_free(&w->pulses);
}
