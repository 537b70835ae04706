#include "device/joiner.h"
#include "device/native.h"

#include "support.h"

static struct device *device;
static cl_command_queue queue;
static cl_event gate, mark; /* the mark is reached when the gate opens */

static void set_up(void)
{
    cl_int got;
    device = open_any();
    queue = clCreateCommandQueue(strata_device_context(device), strata_device_id(device), 0, &got);
    cr_assert_eq(got, CL_SUCCESS);
    gate = clCreateUserEvent(strata_device_context(device), &got);
    cr_assert_eq(got, CL_SUCCESS);
    cr_assert_eq(clEnqueueMarkerWithWaitList(queue, 1, &gate, &mark), CL_SUCCESS);
}

static void tear_down(void)
{
    clReleaseEvent(mark);
    clReleaseEvent(gate);
    clReleaseCommandQueue(queue);
    strata_device_close(device);
}

static bool is_reached(void)
{
    cl_int state = CL_QUEUED;
    cr_assert_eq(clGetEventInfo(mark, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL), CL_SUCCESS);
    return state == CL_COMPLETE;
}

TestSuite(joiner, .init = set_up, .fini = tear_down, .timeout = 60);

Test(joiner, ends_when_all_that_it_was_called_for_is_done)
{
    strata_error err = { 0 };
    struct joiner *joiner = strata_joiner_start(queue, &err);
    cr_assert_not_null(joiner, "%s", err.message);
    strata_joiner_call(joiner);
    usleep(20000);
    cr_assert_not(is_reached());
    cr_assert_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    strata_joiner_end(joiner);
    cr_assert(is_reached());
}

Test(joiner, that_was_not_called_waits_for_nothing)
{
    strata_error err = { 0 };
    struct joiner *joiner = strata_joiner_start(queue, &err);
    cr_assert_not_null(joiner, "%s", err.message);
    strata_joiner_end(joiner);
    cr_assert_not(is_reached());
    cr_assert_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    cr_assert_eq(clFinish(queue), CL_SUCCESS);
    strata_joiner_call(NULL);
    strata_joiner_end(NULL);
}
