/* The ranks. One thread makes every MPI call after start-up; these functions hand it work and wait.
 *
 * All of them are collective unless said otherwise: every rank calls them, in the same order. Without mpirun there is
 * one rank and nothing is sent. A lost peer is STRATA_EPEER: this rank alone may have noticed, so it has to call
 * strata_comm_abort. */
#ifndef STRATA_DIST_COMM_H
#define STRATA_DIST_COMM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct comm;
struct device;

/* Starts the thread, and on it MPI, when a launcher (mpirun, srun) started the process. Without one there is one rank
 * and no MPI, which would take 0.4 s to find that out. */
struct comm *strata_comm_create(strata_error *err);
void strata_comm_free(struct comm *comm); /* MPI_Finalize; takes NULL */

int strata_comm_rank(const struct comm *comm);
int strata_comm_size(const struct comm *comm);
int strata_comm_local_rank(const struct comm *comm); /* among the ranks of this node */
int strata_comm_local_size(const struct comm *comm);
const char *strata_comm_host(const struct comm *comm);

/* True on every rank, or false on every rank: when `ok` is false somewhere, the lowest such rank's error is copied to
 * all, with "rank R on HOST: " before its message. */
bool strata_comm_agree(struct comm *comm, bool ok, strata_error *err);

/* Fails with STRATA_EDISAGREE on every rank unless all hold the same `size` bytes; names `what` and the ranks that
 * differ from the majority. */
bool strata_comm_same(struct comm *comm, const char *what, const void *bytes, size_t size, strata_error *err);

bool strata_comm_broadcast(struct comm *comm, void *bytes, size_t size, int root, strata_error *err);
/* Sums over the ranks, added in rank order, the same bits everywhere. */
bool strata_comm_sum(struct comm *comm, double *values, size_t count, strata_error *err);
/* The same while the caller goes on, up to `count` doubles at a time: `begin` copies them, `end` waits for the sums. In between
 * others come after it, on all ranks in the same order. NULL with STRATA_EMEMORY. */
struct comm_sum *strata_comm_sum_create(struct comm *comm, size_t count, strata_error *err);
void strata_comm_sum_begin(struct comm_sum *sum, const double *values);
bool strata_comm_sum_end(struct comm_sum *sum, double *values, strata_error *err);
void strata_comm_sum_free(struct comm_sum *sum); /* takes NULL; waits for one that was begun */
bool strata_comm_max(struct comm *comm, double *values, size_t count, strata_error *err);
/* `size` bytes of every rank, in rank order, on every rank: all has room for size * ranks. */
bool strata_comm_gather(struct comm *comm, const void *bytes, size_t size, void *all, strata_error *err);

/* What this rank does now, for the others to tell should it fall silent: `phase` is a constant such as "saving", `step` counts
 * within it, or 0. It may take as long as it likes, as what the library's user does. Not collective. */
void strata_comm_phase(struct comm *comm, const char *phase, uint64_t step);
/* The same for what may take as long as it likes, but does something: the rank is told to stand still when its process neither computes
 * nor waits for a disk, unless it waits for other ranks. */
void strata_comm_work(struct comm *comm, const char *phase, uint64_t step);
/* The same for what has to get on: the rank is told to stand still when neither this is called again nor its device finishes a layer, unless
 * it builds kernels or waits for other ranks. */
void strata_comm_step(struct comm *comm, const char *phase, uint64_t step);
/* The device that it does it on, in words and itself; NULL before that is closed. */
void strata_comm_describe(struct comm *comm, const char *text, struct device *device);
/* After how many seconds a rank that is silent or stands still is named, and the job ended with STRATA_EPEER; INFINITY: never. */
enum { STRATA_WATCH_REPORT = 10, STRATA_WATCH_STOP = 60 }; /* at first */
void strata_comm_watch(struct comm *comm, double report, double stop);

/* Ends the whole job at once with the error's exit code, and tells it on stderr; not collective, does not return. For
 * failures that a rank cannot share. */
void strata_comm_abort(struct comm *comm, const strata_error *err);

#endif
