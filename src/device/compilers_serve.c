/* A process that compiles for another. Kernels run here on zeroes, one group of them where that is enough to have the driver
 * compile: what they read and write is as large as it is for the other process, so they stay within it. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "device/compilers.h"
#include "device/compilers_priv.h"
#include "device/device_priv.h"

/* Zeroes, of which those that nobody touches take no room. */
static bool take(struct device *device, size_t bytes, void **host, struct buffer *buffer)
{
    cl_int got = CL_SUCCESS;
    void *zeroes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (zeroes == MAP_FAILED)
        return false;
    *host = zeroes;
    *buffer = (struct buffer){ .device = device, .size = bytes };
    buffer->memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, zeroes, &got);
    return got == CL_SUCCESS;
}

static void compile(struct run *run, const struct request *r)
{
    strata_error ignored = { 0 };
    struct device *device = strata_run_device(run);
    void *hosts[REQUEST_ARGS] = { NULL };
    struct buffer buffers[REQUEST_ARGS] = { { 0 } };
    struct arg args[REQUEST_ARGS + 1] = { { 0 } };
    struct launch launch = { .kernel = r->kernel, .options = r->options, .args = args, .dims = r->dims };
    bool ok = true;
    for (int d = 0; d < 3; d++) {
        launch.global[d] = r->global[d];
        launch.local[d] = r->local[d];
    }
    for (int i = 0; ok && i < r->count; i++) {
        const bool memory = r->types[i] == ARG_PLACE || r->types[i] == ARG_BUFFER;
        args[i] = (struct arg){ .type = r->types[i], .offset = r->args[i].offset };
        if (!memory)
            args[i].ul = r->args[i].value;
        else if (r->args[i].value > 0)
            ok = take(device, r->args[i].value, &hosts[i], &buffers[i]);
        if (buffers[i].memory)
            args[i].buffer = &buffers[i];
    }
    if (ok && strata_launch(run, &launch, &ignored))
        (void)strata_device_finish(device, &ignored);
    for (int i = 0; i < r->count; i++) {
        if (buffers[i].memory)
            clReleaseMemObject(buffers[i].memory);
        if (hosts[i])
            munmap(hosts[i], buffers[i].size);
    }
}

static struct run *open_run(int index)
{
    strata_error ignored = { 0 };
    char devices[16];
    snprintf(devices, sizeof devices, "%d", index);
    const struct device_request request = { .devices = devices, .local_size = 1, .class = -1 };
    struct device *device = strata_device_open(&request, &ignored);
    return device ? strata_run_immediate(device, QUEUE_COMPUTE, &ignored) : NULL;
}

/* The device is not closed: that would keep programs, which the other process does. */
int strata_compilers_serve(void)
{
    char place[REQUEST_SIZE];
    struct request request;
    struct run *run = NULL;
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* of one that is gone already, the reading ends */
    while (read(STDIN_FILENO, place, sizeof place) == (ssize_t)sizeof place) {
        memcpy(&request, place, sizeof request);
        if (!run && !(run = open_run(request.device)))
            return 1;
        compile(run, &request);
        if (write(STDOUT_FILENO, "", 1) != 1)
            break;
    }
    return 0;
}
