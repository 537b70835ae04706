/* Whether this rank itself gets on: a thread of its own looks, which calls neither MPI nor OpenCL's queues, so it sees a device that
 * never answers as well as a thread that hangs. A rank that waits for the others is not to blame; they are looked at by themselves. */
#ifndef STRATA_DIST_STALL_H
#define STRATA_DIST_STALL_H

#include "dist/comm_priv.h"

bool strata_stall_start(struct comm *comm, strata_error *err);
void strata_stall_end(struct comm *comm); /* takes a comm where it was not started */

/* Something got on; also what this rank does from now on is on it again. */
void strata_stall_moved(struct comm *comm);
/* This rank waits for others, or no longer. */
void strata_stall_others(struct comm *comm, bool others);
/* The same again and again, in one wait that lasts since something got on. */
void strata_stall_resting(struct comm *comm, bool others);

#endif
