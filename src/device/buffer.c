#include "device/buffer.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/device_priv.h"
#include "device/joiner.h"
#include "device/native.h"

cl_int strata_queue_zero(cl_command_queue queue, cl_mem memory, size_t offset, size_t bytes, cl_event *event)
{
    static const unsigned char zeroes[16] = { 0 };
    size_t pattern = sizeof zeroes;
    while ((bytes | offset) % pattern != 0)
        pattern /= 2;
    return strata_opencl_fault(queue) ? CL_OUT_OF_RESOURCES
                                      : clEnqueueFillBuffer(queue, memory, zeroes, pattern, offset, bytes, 0, NULL, event);
}

static bool refuse(const struct device *device, size_t bytes, cl_int native, strata_error *err)
{
    enum { MIB = 1024 * 1024 };
    strata_fail_opencl(err, native,
                       "%s: %zu bytes (%.1f MiB) of memory cannot be had; the device has %zu MiB and gives at most "
                       "%zu MiB in one piece",
                       device->text, bytes, (double)bytes / MIB, device->info.memory / MIB,
                       device->info.max_allocation / MIB);
    err->code = STRATA_EMEMORY;
    return false;
}

static void CL_CALLBACK free_host(cl_mem memory, void *host)
{
    (void)memory;
    free(host);
}

/* Memory of ours, which the buffer keeps as long as the runtime keeps it. */
static cl_mem create_on_pages(const struct device *device, size_t bytes, void *host, cl_int *got)
{
    *got = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    cl_mem memory = host ? clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, host, got) : NULL;
    if (memory && (*got = clSetMemObjectDestructorCallback(memory, free_host, host)) == CL_SUCCESS)
        return memory;
    if (memory)
        clReleaseMemObject(memory);
    free(host);
    return NULL;
}

/* Such buffers lie on large pages where the device is the processor itself: kernels walk over many rows at a time, and look up the
 * page of each. Runtimes take small ones. */
static bool is_large(const struct device *device, size_t bytes)
{
    return device->class == STRATA_CPU_CLASS && device->info.unified && bytes >= STRATA_LARGE_PAGE
           && bytes <= device->info.max_allocation; /* more is the runtime's to refuse */
}

/* *pages gets the memory that was taken for it, or NULL. */
static cl_mem create(const struct device *device, size_t bytes, void **pages, cl_int *got)
{
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (device->info.unified ? CL_MEM_ALLOC_HOST_PTR : 0);
    strata_error ignored = { 0 };
    *pages = NULL;
    if (!is_large(device, bytes))
        return clCreateBuffer(device->context, flags, bytes, NULL, got);
    *pages = strata_alloc_pages(bytes, true, &ignored);
    return create_on_pages(device, bytes, *pages, got);
}

/* Memory is often given out only when it is touched, so that it is the filling that fails. */
static cl_int allocate(struct buffer *buffer)
{
    const struct device *device = buffer->device;
    cl_event filled = NULL;
    cl_int got = CL_SUCCESS, status = CL_SUCCESS;
    void *pages;
    if (strata_opencl_fault(NULL))
        return CL_MEM_OBJECT_ALLOCATION_FAILURE;
    buffer->memory = create(device, buffer->size, &pages, &got);
    if (got != CL_SUCCESS)
        return got;
    got = strata_queue_zero(device->filler, buffer->memory, 0, buffer->size, &filled);
    if (got != CL_SUCCESS)
        return got;
    got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES : clWaitForEvents(1, &filled);
    clGetEventInfo(filled, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
    clReleaseEvent(filled);
    if (pages)
        strata_want_large_pages(pages, buffer->size);
    return status < 0 ? status : got;
}

static void count(struct device *device, size_t bytes)
{
    const size_t now = atomic_fetch_add(&device->taken, bytes) + bytes;
    size_t most = atomic_load(&device->most_taken);
    while (most < now && !atomic_compare_exchange_weak(&device->most_taken, &most, now)) {}
}

struct buffer *strata_buffer_create(struct device *device, size_t bytes, strata_error *err)
{
    struct buffer *buffer = strata_alloc(1, sizeof *buffer, err);
    if (!buffer)
        return NULL;
    buffer->device = device;
    buffer->size = bytes;
    const cl_int got = allocate(buffer);
    if (got != CL_SUCCESS) {
        refuse(device, bytes, got, err);
        if (buffer->memory)
            clReleaseMemObject(buffer->memory);
        free(buffer);
        return NULL;
    }
    count(device, bytes);
    return buffer;
}

struct buffer *strata_buffer_placeholder(struct device *device, size_t bytes, strata_error *err)
{
    struct buffer *buffer = strata_alloc(1, sizeof *buffer, err);
    if (buffer) {
        buffer->device = device;
        buffer->size = bytes;
    }
    return buffer;
}

void strata_buffer_free(struct buffer *buffer)
{
    if (!buffer)
        return;
    if (buffer->memory) {
        clReleaseMemObject(buffer->memory); /* the runtime keeps it until queued commands are done with it */
        atomic_fetch_sub(&buffer->device->taken, buffer->size);
    }
    free(buffer);
}

/* ---- memory of the host ---------------------------------------------------------------------------------------- */

/* Whether what is mapped lies where it was lent: a runtime may refuse an alignment, and copy. */
static bool lies_at(const struct device *device, cl_mem memory, void *host, size_t bytes)
{
    cl_int got = CL_SUCCESS;
    void *at = clEnqueueMapBuffer(device->filler, memory, CL_TRUE, CL_MAP_READ, 0, bytes, 0, NULL, NULL, &got);
    if (got != CL_SUCCESS)
        return false;
    return clEnqueueUnmapMemObject(device->filler, memory, at, 0, NULL, NULL) == CL_SUCCESS
           && clFinish(device->filler) == CL_SUCCESS && at == host;
}

bool strata_buffer_lend(struct buffer *buffer, void *host, bool *lent, strata_error *err)
{
    const struct device *device = buffer->device;
    cl_int got = CL_OUT_OF_RESOURCES;
    *lent = false;
    if (!device->info.unified || (uintptr_t)host % STRATA_LEND_ALIGNMENT != 0)
        return true;
    memset(host, 0, buffer->size);
    cl_mem memory = strata_opencl_fault(NULL) ? NULL
                                              : clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR,
                                                               buffer->size, host, &got);
    if (!memory)
        return refuse(device, buffer->size, got, err);
    *lent = lies_at(device, memory, host, buffer->size);
    clReleaseMemObject(*lent ? buffer->memory : memory);
    if (*lent) {
        buffer->memory = memory;
        buffer->lent = host;
    }
    return true;
}

void strata_buffer_take_back(struct buffer *buffer)
{
    if (!buffer->lent)
        return;
    clReleaseMemObject(buffer->memory);
    atomic_fetch_sub(&buffer->device->taken, buffer->size);
    buffer->memory = NULL;
    buffer->lent = NULL;
}

size_t strata_buffers_most(const struct device *device)
{
    return atomic_load(&device->most_taken);
}

size_t strata_buffer_size(const struct buffer *buffer)
{
    return buffer->size;
}

static bool failed(const struct device *device, cl_int got, const char *what, size_t bytes, size_t offset,
                   const struct buffer *buffer, strata_error *err)
{
    return strata_fail_opencl(err, got, "%s: %s of %zu bytes at byte %zu of a buffer of %zu", device->text, what,
                              bytes, offset, buffer->size);
}

bool strata_buffer_read(struct device *device, enum queue_index queue, const struct buffer *buffer, size_t offset,
                        size_t bytes, void *host, strata_error *err)
{
    if (bytes == 0)
        return true;
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueReadBuffer(device->queues[queue], buffer->memory, CL_TRUE, offset, bytes, host,
                                                 0, NULL, NULL);
    return got == CL_SUCCESS || failed(device, got, "reading", bytes, offset, buffer, err);
}

bool strata_buffer_write(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset,
                         size_t bytes, const void *host, strata_error *err)
{
    if (bytes == 0)
        return true;
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueWriteBuffer(device->queues[queue], buffer->memory, CL_TRUE, offset, bytes, host,
                                                  0, NULL, NULL);
    return got == CL_SUCCESS || failed(device, got, "writing", bytes, offset, buffer, err);
}

/* Notes a copy between host and device in the profile, if there is one; hands the event on where somebody wants it. */
static bool note(struct device *device, enum queue_index queue, const char *what, size_t bytes, cl_event native,
                 struct event **event, strata_error *err)
{
    const struct purpose purpose = { .step = "", .operation = what, .implementation = "", .bytes = (double)bytes };
    if (!native)
        return true;
    if (device->profile && event)
        clRetainEvent(native);
    if (device->profile && !strata_profile_note(device->profile, &purpose, queue, native, native, err)) {
        if (event)
            clReleaseEvent(native);
        return false;
    }
    return !event || strata_event_take(device, native, event, err);
}

bool strata_buffer_read_async(struct device *device, enum queue_index queue, const struct buffer *buffer,
                              size_t offset, size_t bytes, void *host, struct event **event, strata_error *err)
{
    cl_event native = NULL;
    if (bytes == 0)
        return !event || strata_event_mark(device, queue, event, err);
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueReadBuffer(device->queues[queue], buffer->memory, CL_FALSE, offset, bytes, host,
                                                 0, NULL, event || device->profile ? &native : NULL);
    if (got != CL_SUCCESS)
        return failed(device, got, "reading", bytes, offset, buffer, err);
    return note(device, queue, "copy to host", bytes, native, event, err);
}

bool strata_buffer_write_async(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset,
                               size_t bytes, const void *host, struct event **event, strata_error *err)
{
    cl_event native = NULL;
    if (bytes == 0)
        return !event || strata_event_mark(device, queue, event, err);
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueWriteBuffer(device->queues[queue], buffer->memory, CL_FALSE, offset, bytes, host,
                                                  0, NULL, event || device->profile ? &native : NULL);
    if (got != CL_SUCCESS)
        return failed(device, got, "writing", bytes, offset, buffer, err);
    return note(device, queue, "copy to device", bytes, native, event, err);
}

bool strata_buffer_map_async(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset, size_t bytes,
                             struct event **event, strata_error *err)
{
    cl_event native = NULL;
    cl_int got = CL_OUT_OF_RESOURCES;
    assert(buffer->lent && bytes > 0);
    if (!strata_opencl_fault(device->queues[queue]))
        (void)clEnqueueMapBuffer(device->queues[queue], buffer->memory, CL_FALSE, CL_MAP_READ | CL_MAP_WRITE, offset, bytes, 0,
                                 NULL, event ? &native : NULL, &got);
    if (got != CL_SUCCESS)
        return failed(device, got, "mapping", bytes, offset, buffer, err);
    return !event || strata_event_take(device, native, event, err);
}

bool strata_buffer_unmap(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset, strata_error *err)
{
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueUnmapMemObject(device->queues[queue], buffer->memory, buffer->lent + offset, 0, NULL, NULL);
    return got == CL_SUCCESS || failed(device, got, "unmapping", 0, offset, buffer, err);
}

bool strata_buffer_copy(struct device *device, enum queue_index queue, const struct buffer *from, size_t from_offset,
                        struct buffer *to, size_t to_offset, size_t bytes, strata_error *err)
{
    if (bytes == 0)
        return true;
    const cl_int got = strata_opencl_fault(device->queues[queue])
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueCopyBuffer(device->queues[queue], from->memory, to->memory, from_offset, to_offset,
                                                 bytes, 0, NULL, NULL);
    return got == CL_SUCCESS || failed(device, got, "copying", bytes, to_offset, to, err);
}

bool strata_buffer_zero(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset,
                        size_t bytes, strata_error *err)
{
    if (bytes == 0)
        return true;
    const cl_int got = strata_queue_zero(device->queues[queue], buffer->memory, offset, bytes, NULL);
    return got == CL_SUCCESS || failed(device, got, "zeroing", bytes, offset, buffer, err);
}

bool strata_queue_flush(struct device *device, enum queue_index queue, strata_error *err)
{
    const cl_int got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES : clFlush(device->queues[queue]);
    if (queue == QUEUE_COMPUTE)
        strata_joiner_call(device->joiner);
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "%s: flushing a queue", device->text);
}
