#include "device/native.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/fault.h"
#include "device/device_priv.h"

#define NAME(code) { code, #code }

static const struct {
    cl_int code;
    const char *name;
} names[] = {
    NAME(CL_DEVICE_NOT_FOUND), NAME(CL_DEVICE_NOT_AVAILABLE), NAME(CL_COMPILER_NOT_AVAILABLE),
    NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE), NAME(CL_OUT_OF_RESOURCES), NAME(CL_OUT_OF_HOST_MEMORY),
    NAME(CL_PROFILING_INFO_NOT_AVAILABLE), NAME(CL_MEM_COPY_OVERLAP), NAME(CL_BUILD_PROGRAM_FAILURE),
    NAME(CL_MAP_FAILURE), NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET),
    NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST), NAME(CL_DEVICE_PARTITION_FAILED),
    NAME(CL_KERNEL_ARG_INFO_NOT_AVAILABLE), NAME(CL_INVALID_VALUE), NAME(CL_INVALID_PLATFORM),
    NAME(CL_INVALID_DEVICE), NAME(CL_INVALID_CONTEXT), NAME(CL_INVALID_QUEUE_PROPERTIES),
    NAME(CL_INVALID_COMMAND_QUEUE), NAME(CL_INVALID_MEM_OBJECT), NAME(CL_INVALID_BINARY),
    NAME(CL_INVALID_BUILD_OPTIONS), NAME(CL_INVALID_PROGRAM), NAME(CL_INVALID_PROGRAM_EXECUTABLE),
    NAME(CL_INVALID_KERNEL_NAME), NAME(CL_INVALID_KERNEL_DEFINITION), NAME(CL_INVALID_KERNEL),
    NAME(CL_INVALID_ARG_INDEX), NAME(CL_INVALID_ARG_VALUE), NAME(CL_INVALID_ARG_SIZE), NAME(CL_INVALID_KERNEL_ARGS),
    NAME(CL_INVALID_WORK_DIMENSION), NAME(CL_INVALID_WORK_GROUP_SIZE), NAME(CL_INVALID_WORK_ITEM_SIZE),
    NAME(CL_INVALID_GLOBAL_OFFSET), NAME(CL_INVALID_EVENT_WAIT_LIST), NAME(CL_INVALID_EVENT),
    NAME(CL_INVALID_OPERATION), NAME(CL_INVALID_BUFFER_SIZE), NAME(CL_INVALID_GLOBAL_WORK_SIZE),
    NAME(CL_INVALID_PROPERTY), NAME(CL_INVALID_COMPILER_OPTIONS), NAME(CL_INVALID_DEVICE_PARTITION_COUNT),
    { -1001, "CL_PLATFORM_NOT_FOUND_KHR" },
};

static const char *name_of(cl_int code)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return "an error of its driver";
}

bool strata_fail_opencl(strata_error *err, cl_int native, const char *format, ...)
{
    const bool memory = native == CL_MEM_OBJECT_ALLOCATION_FAILURE || native == CL_OUT_OF_HOST_MEMORY
                        || native == CL_INVALID_BUFFER_SIZE;
    char what[1500];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return strata_fail_native(err, memory ? STRATA_EMEMORY : STRATA_EDEVICE, native, "%s: %s (%d)", what,
                              name_of(native), native);
}

/* A mark that waits for an event which nobody completes, and for which all that follows waits. */
static void stall_queue(cl_command_queue queue)
{
    cl_context context = NULL;
    cl_int got = CL_SUCCESS;
    clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
    cl_event never = clCreateUserEvent(context, &got);
    if (got != CL_SUCCESS || clEnqueueBarrierWithWaitList(queue, 1, &never, NULL) != CL_SUCCESS) strata_stall();
}

bool strata_opencl_fault(cl_command_queue queue)
{
    const enum fault fault = strata_fault(FAULT_OPENCL);
    if (fault == FAULT_STALL && !queue) strata_stall();
    if (fault == FAULT_STALL) stall_queue(queue);
    return fault == FAULT_FAIL;
}

cl_mem strata_buffer_native(const struct buffer *buffer)
{
    return buffer ? buffer->memory : NULL;
}

cl_context strata_device_context(const struct device *device)
{
    return device->context;
}

cl_device_id strata_device_id(const struct device *device)
{
    return device->id;
}
