/* The time that each queued command takes on the device, added up by what it is for. A device that was opened for it has
 * queues that keep time; on any other nothing here does anything. */
#ifndef STRATA_DEVICE_PROFILE_H
#define STRATA_DEVICE_PROFILE_H

#include <CL/cl.h>
#include <strata/profile.h>

#include "base/error.h"

struct device;
struct profile;

/* What a command is for. `again`: it is a further command of an operation that was counted already. */
struct purpose {
    const char *step, *operation, *implementation;
    double flops, bytes;
    bool again;
};

struct profile *strata_profile_create(strata_error *err);
void strata_profile_free(struct profile *profile); /* takes NULL */

/* Takes over the events of a command's beginning and end, which are the same for all but a series of commands between
 * two marks. Profile NULL: nothing to do. From any thread. */
bool strata_profile_note(struct profile *profile, const struct purpose *purpose, int queue, cl_event first,
                         cl_event last, strata_error *err);

/* Waits for all commands noted. What it points to lives until the next call on the profile. */
const strata_profile *strata_profile_read(struct profile *profile, strata_error *err);
bool strata_profile_reset(struct profile *profile, strata_error *err);

#endif
