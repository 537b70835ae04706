/* The communication thread from inside: jobs that it runs, and how it waits without burning a core. */
#ifndef STRATA_DIST_COMM_PRIV_H
#define STRATA_DIST_COMM_PRIV_H

#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>

#include "dist/comm.h"

enum { STRATA_HOST = 64, STRATA_DEVICE_TEXT = 96 };

/* Work for the communication thread, run in the order of submission. The caller's until strata_comm_join. */
struct job {
    bool (*work)(struct comm *comm, void *context, strata_error *err);
    void *context;
    bool own; /* it tells itself when it waits for other ranks; else all of it does */
    bool frees; /* it is run when MPI is broken too, and does not call it then */
    struct job *next;
    bool done, ok;
    strata_error error;
};

/* Nothing; anything, as a process that hangs does not; get on. */
enum pace { PACE_NONE, PACE_LIVE, PACE_STEP };

struct comm {
    int rank, size, local_rank, local_size;
    int node; /* the lowest rank of this node: a number for it */
    char host[STRATA_HOST];
    bool threaded;     /* there is a thread, for there is MPI; else jobs are run by who submits them */
    bool broken;       /* an MPI call failed: MPI_Finalize would wait for ever, and requests may be under way that write to memory which
                          is something else by now, as soon as MPI is called. So it is not called any more; the thread's */
    strata_error failure; /* that one */
    MPI_Comm world, local; /* all ranks, and those of this node */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first, *last; /* guarded by lock, as is stop */
    bool stop;
    atomic_int abort_code; /* an exit code: the thread is asked to call MPI_Abort */
    char device[STRATA_DEVICE_TEXT]; /* for people; guarded by lock */
    _Atomic(const char *) phase;     /* what this rank does, a constant */
    atomic_ullong step;
    _Atomic double watch_report, watch_stop; /* seconds */
    struct watch *watch; /* the thread's; NULL: nobody to watch */
    struct stall *stall;
    struct doorbell *bell;   /* owned: rung, it ends a pause */
    struct device *watched;  /* this rank's; guarded by lock; NULL: none, or no longer */
    _Atomic double moved;    /* when this rank got on last */
    atomic_int pace;         /* an enum pace: what it has to do for not to stand still */
    atomic_bool others;      /* it waits for them */
    _Atomic double got_on;   /* when that began or ended, or it moved */
};

void strata_comm_submit(struct comm *comm, struct job *job);
bool strata_comm_join(struct comm *comm, struct job *job, strata_error *err);
/* Both, one after the other. */
bool strata_comm_do(struct comm *comm, bool (*work)(struct comm *comm, void *context, strata_error *err), void *context,
                    strata_error *err);

/* ---- for jobs, on the thread ---- */

/* Open MPI makes progress only while it is called, and a thread that polls without sleeping takes a core away from the
 * kernels. So a wait yields a few times, then polls and sleeps by turns, from 20 microseconds doubling to 500, or until the
 * doorbell rings. Starts as { 0 }; zeroed again whenever something moved. */
struct pause {
    long nanoseconds;
    long most;  /* 0: 500 microseconds */
    int yields; /* before it sleeps for the first time; 0: a few */
    bool late;  /* there is time: from the first on, the longest */
    int polls;
};
void strata_pause(struct comm *comm, struct pause *pause); /* also where an abort is heard */

/* False with STRATA_EPEER and MPI's text when `code` is not MPI_SUCCESS. */
bool strata_comm_check(struct comm *comm, int code, const char *what, strata_error *err);
/* Until all ranks are here. Before a call that waits inside of MPI, where this rank would send no pulses. */
bool strata_comm_meet(struct comm *comm, strata_error *err);
/* Until all requests are complete. */
bool strata_comm_complete(struct comm *comm, MPI_Request *requests, int count, const char *what, strata_error *err);

/* The parts of collectives.c that jobs can use. */
bool strata_comm_agree_now(struct comm *comm, bool ok, strata_error *err);
bool strata_comm_sum_now(struct comm *comm, double *values, size_t count, strata_error *err);

#endif
