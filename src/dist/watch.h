/* Which rank stands still.
 *
 * Every rank sends a pulse to the two ranks after it, about once a second, from the communication thread: a process that
 * was stopped, or a node that is gone, sends none, while one that builds kernels or saves for minutes does. Who misses the
 * pulses of a rank says so, with what it did last; later it ends the job. Two watchers each, so that one of them may stand
 * still too; the traffic of a rank does not grow with their number.
 *
 * Ranks that all live and wait for each other are found by counting round the ring: a pulse says how many ranks in a row have waited
 * for others. Where the count comes round to a rank, each says where it waits; where it does so with watch_stop seconds, twice, the job
 * ends. */
#ifndef STRATA_DIST_WATCH_H
#define STRATA_DIST_WATCH_H

#include "dist/comm_priv.h"

/* On the communication thread, collective; there is nothing to watch with one rank. */
bool strata_watch_start(struct comm *comm, strata_error *err);
/* Sends and looks when it is time to. Called often, wherever the thread waits. */
void strata_watch_tick(struct comm *comm);
/* No rank is watched any more; collective unless MPI is broken. comm->watch itself must live until MPI has ended: a pulse may
 * still be on its way. */
void strata_watch_end(struct comm *comm);

#endif
