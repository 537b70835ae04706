#include <stdlib.h>

#include "base/doorbell.h"
#include "base/memory.h"
#include "device/buffer.h"
#include "device/device_priv.h"
#include "device/joiner.h"
#include "device/native.h"

static const double LOOK_EVERY = 0.1; /* seconds */

bool strata_event_take(struct device *device, cl_event native, struct event **event, strata_error *err)
{
    *event = strata_alloc(1, sizeof **event, err);
    if (!*event) {
        clReleaseEvent(native);
        return false;
    }
    **event = (struct event){ device, native };
    return true;
}

bool strata_event_mark(struct device *device, enum queue_index queue, struct event **event, strata_error *err)
{
    cl_event native = NULL;
    *event = NULL;
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueMarkerWithWaitList(device->queues[queue], 0, NULL, &native);
    if (got != CL_SUCCESS)
        return strata_fail_opencl(err, got, "%s: marking a place in a queue", device->text);
    return strata_event_take(device, native, event, err);
}

/* CL_COMPLETE, another state, or the negative code with which the command failed. */
static cl_int state_of(const struct event *event, strata_error *err)
{
    cl_int state = CL_QUEUED;
    const cl_int got = clGetEventInfo(event->native, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
    if (got != CL_SUCCESS)
        state = got;
    if (state < 0)
        strata_fail_opencl(err, state, "a queued command failed");
    return state;
}

bool strata_event_done(struct event *event, bool *done, strata_error *err)
{
    const cl_int state = state_of(event, err);
    *done = state == CL_COMPLETE;
    return state >= 0;
}

/* The runtime's thread: the event may be gone. */
static void CL_CALLBACK ring(cl_event native, cl_int state, void *bell)
{
    (void)native;
    (void)state;
    strata_doorbell_ring(bell);
    strata_doorbell_drop(bell);
}

bool strata_event_ring(struct event *event, struct doorbell *bell, strata_error *err)
{
    strata_doorbell_hold(bell);
    const cl_int got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES
                                                 : clSetEventCallback(event->native, CL_COMPLETE, ring, bell);
    if (got == CL_SUCCESS)
        return true;
    strata_doorbell_drop(bell);
    return strata_fail_opencl(err, got, "asking to be told of the end of a queued command");
}

/* Until it is over, outside of the runtime, as far as that can be; who waits for it inside then waits no longer. What completes it may not
 * have been flushed. */
static void sleep_until_over(struct event *event)
{
    strata_error ignored = { 0 };
    cl_command_queue queue = NULL;
    bool done = false;
    if (!strata_event_done(event, &done, &ignored) || done
        || clGetEventInfo(event->native, CL_EVENT_COMMAND_QUEUE, sizeof queue, &queue, NULL) != CL_SUCCESS || clFlush(queue) != CL_SUCCESS)
        return;
    strata_joiner_call(event->device->joiner);
    struct doorbell *bell = strata_doorbell_create(&ignored);
    if (bell && strata_event_ring(event, bell, &ignored))
        while (strata_event_done(event, &done, &ignored) && !done)
            strata_doorbell_wait(bell, LOOK_EVERY);
    strata_doorbell_drop(bell);
}

bool strata_event_wait(struct event *event, strata_error *err)
{
    if (event->device->joined)
        sleep_until_over(event);
    const cl_int got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES : clWaitForEvents(1, &event->native);
    if (got == CL_SUCCESS && state_of(event, err) < 0)
        return false;
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "waiting for a queued command");
}

void strata_event_free(struct event *event)
{
    if (!event)
        return;
    clReleaseEvent(event->native);
    free(event);
}
