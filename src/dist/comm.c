#include "dist/comm.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/doorbell.h"
#include "base/env.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/thread.h"
#include "dist/comm_priv.h"
#include "dist/stall.h"
#include "dist/watch.h"

enum { PAUSE_FIRST = 20000, PAUSE_MOST = 500000, POLLS_WITHOUT = 3, ABORT_WAIT_SECONDS = 2 };
static const double WAKE = 0.25; /* seconds */

/* ---- waiting --------------------------------------------------------------------------------------------------- */

void strata_pause(struct comm *comm, struct pause *pause)
{
    const int code = atomic_load(&comm->abort_code);
    if (code) MPI_Abort(MPI_COMM_WORLD, code);
    strata_watch_tick(comm);
    const long most = pause->most ? pause->most : PAUSE_MOST;
    if (!pause->late && pause->polls++ < (pause->yields ? pause->yields : POLLS_WITHOUT)) {
        sched_yield();
        return;
    }
    pause->nanoseconds = pause->nanoseconds ? 2 * pause->nanoseconds : PAUSE_FIRST;
    if (pause->late || pause->nanoseconds > most) pause->nanoseconds = most;
    strata_doorbell_wait(comm->bell, 1e-9 * (double)pause->nanoseconds);
}

bool strata_comm_check(struct comm *comm, int code, const char *what, strata_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == MPI_SUCCESS && strata_fault(FAULT_MPI) == FAULT_FAIL) code = MPI_ERR_OTHER;
    if (code == MPI_SUCCESS) return true;
    MPI_Error_string(code, text, &length);
    strata_fail_native(err, STRATA_EPEER, code, "rank %d on %s: %s: %s", comm->rank, comm->host, what, text);
    if (!comm->broken) comm->failure = *err;
    comm->broken = true;
    return false;
}

bool strata_comm_complete(struct comm *comm, MPI_Request *requests, int count, const char *what, strata_error *err)
{
    struct pause pause = { 0 };
    const bool waited = atomic_load(&comm->others);
    int done = 0;
    bool ok = true;
    strata_stall_others(comm, true);
    while ((ok = strata_comm_check(comm, MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE), what, err)) && !done)
        strata_pause(comm, &pause);
    strata_stall_others(comm, waited);
    return ok;
}

bool strata_comm_meet(struct comm *comm, strata_error *err)
{
    MPI_Request request = MPI_REQUEST_NULL;
    return strata_comm_check(comm, MPI_Ibarrier(comm->world, &request), "meeting all ranks", err)
           && strata_comm_complete(comm, &request, 1, "meeting all ranks", err);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------ */

static void run_job(struct comm *comm, struct job *job)
{
    const bool out_of_order = comm->broken && !job->frees;
    job->error = out_of_order ? comm->failure : (strata_error){ 0 };
    job->ok = !out_of_order && job->work(comm, job->context, &job->error);
}

void strata_comm_submit(struct comm *comm, struct job *job)
{
    job->next = NULL;
    job->done = false;
    if (!comm->threaded) {
        run_job(comm, job);
        job->done = true;
        return;
    }
    pthread_mutex_lock(&comm->lock);
    if (comm->first)
        comm->last->next = job;
    else
        comm->first = job;
    comm->last = job;
    pthread_cond_broadcast(&comm->changed);
    pthread_mutex_unlock(&comm->lock);
}

bool strata_comm_join(struct comm *comm, struct job *job, strata_error *err)
{
    if (comm->threaded) {
        if (!job->own) strata_stall_others(comm, true);
        pthread_mutex_lock(&comm->lock);
        while (!job->done)
            pthread_cond_wait(&comm->changed, &comm->lock);
        pthread_mutex_unlock(&comm->lock);
        strata_stall_moved(comm);
        strata_stall_others(comm, false);
    }
    if (!job->ok) *err = job->error;
    return job->ok;
}

bool strata_comm_do(struct comm *comm, bool (*work)(struct comm *comm, void *context, strata_error *err), void *context,
                    strata_error *err)
{
    struct job job = { .work = work, .context = context };
    strata_comm_submit(comm, &job);
    return strata_comm_join(comm, &job, err);
}

/* Until there is something to do, or it is time to look after the other ranks. */
static void wait_for_job(struct comm *comm)
{
    (void)strata_condition_wait(&comm->changed, &comm->lock, WAKE);
    pthread_mutex_unlock(&comm->lock);
    strata_watch_tick(comm);
    pthread_mutex_lock(&comm->lock);
}

static void serve(struct comm *comm)
{
    pthread_mutex_lock(&comm->lock);
    while (!comm->stop || comm->first) {
        struct job *job = comm->first;
        if (!job) {
            wait_for_job(comm);
        } else {
            pthread_mutex_unlock(&comm->lock);
            run_job(comm, job);
            pthread_mutex_lock(&comm->lock);
            comm->first = job->next;
            job->done = true;
            pthread_cond_broadcast(&comm->changed);
        }
        const int code = atomic_load(&comm->abort_code);
        if (code) MPI_Abort(MPI_COMM_WORLD, code);
    }
    pthread_mutex_unlock(&comm->lock);
}

/* ---- start and end --------------------------------------------------------------------------------------------- */

/* Without a launcher there is one rank. MPI would find that out too, but takes 0.4 s for it with Open MPI 4.1. */
static bool launched(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK", "SLURM_STEP_NUM_TASKS" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strata_env(names[i])) return true;
    return false;
}

static bool find_ranks(struct comm *comm, strata_error *err)
{
    int code = MPI_Comm_dup(MPI_COMM_WORLD, &comm->world);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(comm->world, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(comm->world, &comm->rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(comm->world, &comm->size);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_split_type(comm->world, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &comm->local);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(comm->local, &comm->local_rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(comm->local, &comm->local_size);
    comm->node = comm->rank;
    if (code == MPI_SUCCESS) code = MPI_Bcast(&comm->node, 1, MPI_INT, 0, comm->local);
    return strata_comm_check(comm, code, "MPI cannot find the ranks", err);
}

static bool start_mpi(struct comm *comm, strata_error *err)
{
    int provided = MPI_THREAD_SINGLE;
    const int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
    if (code != MPI_SUCCESS)
        return strata_fail_native(err, STRATA_EPEER, code, "MPI_Init_thread failed on %s", comm->host);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (provided < MPI_THREAD_FUNNELED)
        return strata_fail(err, STRATA_EPEER, "this MPI knows no threads; Strata needs at least MPI_THREAD_FUNNELED");
    return find_ranks(comm, err) && strata_watch_start(comm, err);
}

static bool start_job(struct comm *comm, void *context, strata_error *err)
{
    (void)context;
    return start_mpi(comm, err);
}

/* The same thread starts and ends MPI, as the standard wants it of whichever is the main one. */
static void *run_thread(void *context)
{
    struct comm *comm = context;
    prctl(PR_SET_TIMERSLACK, 1000ul); /* else a sleep of 20 microseconds takes 70 */
    serve(comm);
    int initialized = 0, finalized = 0;
    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    strata_error gone = { 0 };
    strata_stall_others(comm, true);
    if (initialized && !finalized && !comm->broken && comm->world != MPI_COMM_NULL && strata_comm_meet(comm, &gone)) {
        strata_watch_end(comm);
        strata_comm_step(comm, "leaving MPI", 0); /* where nobody looks after the others any more */
        strata_stall_others(comm, false);
        if (comm->local != MPI_COMM_NULL) MPI_Comm_free(&comm->local);
        if (comm->world != MPI_COMM_NULL) MPI_Comm_free(&comm->world);
        MPI_Finalize();
    }
    return NULL;
}

static bool start_thread(struct comm *comm, strata_error *err)
{
    const int why = strata_thread_start(&comm->thread, run_thread, comm);
    comm->threaded = why == 0;
    if (why != 0)
        return strata_fail_native(err, STRATA_EMEMORY, why, "the communication thread cannot start: %s",
                                  strerror(why));
    return strata_comm_do(comm, start_job, NULL, err);
}

struct comm *strata_comm_create(strata_error *err)
{
    struct comm *comm = strata_alloc(1, sizeof *comm, err);
    if (!comm) return NULL;
    comm->size = comm->local_size = 1;
    comm->world = comm->local = MPI_COMM_NULL;
    atomic_init(&comm->abort_code, 0);
    pthread_mutex_init(&comm->lock, NULL);
    atomic_init(&comm->phase, "starting");
    atomic_init(&comm->step, 0);
    atomic_init(&comm->watch_report, STRATA_WATCH_REPORT);
    atomic_init(&comm->watch_stop, STRATA_WATCH_STOP);
    atomic_init(&comm->moved, 0);
    atomic_init(&comm->pace, PACE_NONE);
    atomic_init(&comm->others, false);
    atomic_init(&comm->got_on, strata_clock());
    strata_condition_init(&comm->changed);
    if (gethostname(comm->host, sizeof comm->host - 1) != 0) snprintf(comm->host, sizeof comm->host, "localhost");
    comm->bell = strata_doorbell_create(err);
    if (comm->bell && strata_stall_start(comm, err) && (!launched() || start_thread(comm, err))) return comm;
    strata_comm_free(comm);
    return NULL;
}

void strata_comm_free(struct comm *comm)
{
    if (!comm) return;
    if (comm->threaded) {
        pthread_mutex_lock(&comm->lock);
        comm->stop = true;
        pthread_cond_broadcast(&comm->changed);
        pthread_mutex_unlock(&comm->lock);
        pthread_join(comm->thread, NULL);
    }
    strata_stall_end(comm);
    pthread_mutex_destroy(&comm->lock);
    pthread_cond_destroy(&comm->changed);
    strata_doorbell_drop(comm->bell);
    free(comm->watch);
    free(comm);
}

void strata_comm_abort(struct comm *comm, const strata_error *err)
{
    const int code = strata_exit_code(err->code == STRATA_OK ? STRATA_EBUG : err->code);
    fprintf(stderr, "strata: rank %d on %s ends the job: %s\n", comm->rank, comm->host, err->message);
    if (comm->threaded) {
        atomic_store(&comm->abort_code, code);
        pthread_mutex_lock(&comm->lock);
        pthread_cond_broadcast(&comm->changed);
        pthread_mutex_unlock(&comm->lock);
        /* the thread may hang inside of MPI; then the launcher sees this exit code and ends the others */
        nanosleep(&(struct timespec){ .tv_sec = ABORT_WAIT_SECONDS }, NULL);
    }
    _exit(code);
}

/* ---- who we are ------------------------------------------------------------------------------------------------ */

int strata_comm_rank(const struct comm *comm)
{
    return comm->rank;
}

int strata_comm_size(const struct comm *comm)
{
    return comm->size;
}

int strata_comm_local_rank(const struct comm *comm)
{
    return comm->local_rank;
}

int strata_comm_local_size(const struct comm *comm)
{
    return comm->local_size;
}

const char *strata_comm_host(const struct comm *comm)
{
    return comm->host;
}

/* ---- what we do ------------------------------------------------------------------------------------------------ */

static void enter(struct comm *comm, enum pace pace, const char *phase, uint64_t step)
{
    atomic_store(&comm->phase, phase);
    atomic_store(&comm->step, step);
    strata_stall_moved(comm);
    atomic_store(&comm->pace, pace);
}

void strata_comm_phase(struct comm *comm, const char *phase, uint64_t step)
{
    enter(comm, PACE_NONE, phase, step);
}

void strata_comm_work(struct comm *comm, const char *phase, uint64_t step)
{
    enter(comm, PACE_LIVE, phase, step);
}

void strata_comm_step(struct comm *comm, const char *phase, uint64_t step)
{
    enter(comm, PACE_STEP, phase, step);
}

void strata_comm_describe(struct comm *comm, const char *text, struct device *device)
{
    pthread_mutex_lock(&comm->lock);
    snprintf(comm->device, sizeof comm->device, "%s", text);
    comm->watched = device;
    pthread_mutex_unlock(&comm->lock);
}

void strata_comm_watch(struct comm *comm, double report, double stop)
{
    atomic_store(&comm->watch_report, report);
    atomic_store(&comm->watch_stop, stop);
}
