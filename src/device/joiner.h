/* Intel's runtime for processors has a thread less than the device has cores, and counts on the one that waits in clFinish to compute with
 * them. Ours queue ahead and wait elsewhere, so that a core would stay idle. A joiner is a thread that waits in clFinish whenever something
 * was queued. */
#ifndef STRATA_DEVICE_JOINER_H
#define STRATA_DEVICE_JOINER_H

#include <CL/cl.h>

#include "base/error.h"

struct joiner;

struct joiner *strata_joiner_start(cl_command_queue queue, strata_error *err);
void strata_joiner_call(struct joiner *joiner); /* the queue was flushed; takes NULL */
/* Once all that it was called for is done. Takes NULL. */
void strata_joiner_end(struct joiner *joiner);

#endif
