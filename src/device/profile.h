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
    bool again, tuned;
};

struct profile *strata_profile_create(strata_error *err);
void strata_profile_free(struct profile *profile); /* takes NULL */

/* Takes over the events of a command's beginning and end, which are the same for all but a series of commands between
 * two marks. Profile NULL: nothing to do. From any thread. */
bool strata_profile_note(struct profile *profile, const struct purpose *purpose, int queue, cl_event first,
                         cl_event last, strata_error *err);

/* Who did it. A bucket on its way has a thread to itself. */
enum profile_thread { PROFILE_COMPUTE, PROFILE_COPY, PROFILE_COMMUNICATION, PROFILE_DATA = PROFILE_COMMUNICATION + 3,
                      PROFILE_SAVING, PROFILE_THREADS };

/* Something that the host did from `start` (by strata_clock) until now. It is in no sum, only on the time line, which ends when
 * there is no memory for it. Profile NULL: nothing to do. From any thread. */
void strata_profile_host(struct profile *profile, enum profile_thread thread, const char *what, double start);

/* A stretch of time, by strata_clock. */
struct profile_span {
    size_t line;
    enum profile_thread thread;
    double start, seconds;
};
/* The time lines of the device, and of the host, each as long as STRATA_PROFILE_SPANS at most. Waits for all commands noted.
 * They live as long as what strata_profile_read gives, of which they name the lines. */
enum { STRATA_PROFILE_SPANS = 1 << 16 };
struct profile_spans {
    const struct profile_span *list[2];
    size_t count[2];
};
bool strata_profile_spans(struct profile *profile, struct device *device, struct profile_spans *spans, strata_error *err);

/* Waits for all commands noted. What it points to lives until the next call on the profile. */
const strata_profile *strata_profile_read(struct profile *profile, strata_error *err);
bool strata_profile_reset(struct profile *profile, strata_error *err);

#endif
