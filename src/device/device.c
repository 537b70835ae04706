#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/env.h"
#include "base/memory.h"
#include "device/choose.h"
#include "device/compilers.h"
#include "device/device_priv.h"
#include "device/joiner.h"
#include "device/native.h"
#include "device/program_cache.h"
#include "device/split.h"

static bool choose_class(struct device *device, int forced, strata_error *err)
{
    const char *wanted = strata_env("STRATA_DEVICE_CLASS");
    device->class = device->info.class_default;
    if (forced >= 0)
        device->class = (strata_device_class)forced;
    else if (wanted && strcasecmp(wanted, "cpu") == 0)
        device->class = STRATA_CPU_CLASS;
    else if (wanted && strcasecmp(wanted, "gpu") == 0)
        device->class = STRATA_GPU_CLASS;
    else if (wanted)
        return strata_fail(err, STRATA_EUSAGE, "STRATA_DEVICE_CLASS is \"%s\"; it is cpu or gpu", wanted);
    return true;
}

/* Only PoCL is known to compile at the first launch, one kernel at a time, and to leave it in files. One that has a core alone has
 * nothing from more processes. Faults on purpose are for one process. */
static bool make_compilers(struct device *device, const struct device_request *request, strata_error *err)
{
    const int most = device->units > 1 || request->local_size > 1 ? device->units : 0;
    struct compilers_config config = { .program = request->compiler, .device = device->info.index, .build = strata_programs_build(device),
                                       .part = request->local_rank, .parts = request->local_size };
    if (!strata_env_compilers(most, &config.count, err))
        return false;
    if (strata_device_is_pocl(&device->info) && device->info.is_cpu && !strata_env("STRATA_FAULT"))
        device->compilers = strata_compilers_create(&config);
    return true;
}

/* "PoCL: AMD EPYC": PoCL puts its driver and LLVM's name of the processor before the device's own name. */
static int short_name(const strata_device_info *info, char *text, size_t size)
{
    const bool pocl = strata_device_is_pocl(info);
    const char *name = info->name;
    for (int cuts = 0; pocl && cuts < 2; cuts++) {
        const char *dash = strchr(name, '-');
        name = dash && dash[1] ? dash + 1 : name;
    }
    return snprintf(text, size, "%s: %s", pocl ? "PoCL" : info->platform, name);
}

static void describe(struct device *device, const struct cores *cores, bool whole)
{
    const int at = short_name(&device->info, device->text, sizeof device->text), units = device->info.compute_units;
    const int total = device->info.is_cpu && cores->machine > units ? cores->machine : units;
    char *text = device->text + at;
    const size_t room = sizeof device->text - (size_t)at;
    if (!device->info.is_cpu || cores->count >= total)
        snprintf(text, room, " (%d units)", total);
    else if (!whole || device->units == units)
        snprintf(text, room, " (%d of %d units%s)", device->units, total, cores->pinned ? "" : ", not pinned");
    else
        snprintf(text, room, " (whole, as it cannot be split%s)", cores->pinned ? "; pinned" : "; not pinned");
}

static void ask_limits(struct device *device)
{
    device->most_group = 1;
    for (int d = 0; d < 3; d++) device->most_items[d] = 1;
    clGetDeviceInfo(device->id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof device->most_group, &device->most_group, NULL);
    clGetDeviceInfo(device->id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof device->most_items, device->most_items, NULL);
}

/* The part of a CPU device that is the rank's, or the whole of any other. */
static bool take_part(struct device *device, cl_device_id whole, const struct choice *choice, bool alike,
                      strata_error *err)
{
    struct cores cores = { .count = device->info.compute_units };
    device->id = whole;
    device->units = device->info.compute_units;
    if (device->info.is_cpu) {
        strata_cores_take(choice->part, choice->parts, alike, &cores);
        if (!strata_device_split(whole, device->units, &cores, &device->id, err))
            return false;
        if (cores.count < device->units)
            device->units = cores.count;
    }
    describe(device, &cores, device->id == whole);
    ask_limits(device);
    return true;
}

static bool make_queues(struct device *device, bool timed, strata_error *err)
{
    const cl_command_queue_properties properties = timed ? CL_QUEUE_PROFILING_ENABLE : 0;
    cl_int got = CL_SUCCESS;
    if (strata_opencl_fault(NULL))
        return strata_fail_opencl(err, CL_OUT_OF_RESOURCES, "%s cannot be opened", device->text);
    device->context = clCreateContext(NULL, 1, &device->id, NULL, NULL, &got);
    if (got == CL_SUCCESS)
        device->queues[QUEUE_COMPUTE] = clCreateCommandQueue(device->context, device->id, properties, &got);
    if (got == CL_SUCCESS)
        device->queues[QUEUE_COPY] = clCreateCommandQueue(device->context, device->id, properties, &got);
    if (got == CL_SUCCESS)
        device->filler = clCreateCommandQueue(device->context, device->id, 0, &got);
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "%s cannot be opened", device->text);
}

static bool make_joiner(struct device *device, strata_error *err)
{
    device->joined = device->info.is_cpu && !strata_device_is_pocl(&device->info);
    if (!device->joined || device->units == 1)
        return true;
    device->joiner = strata_joiner_start(device->queues[QUEUE_COMPUTE], err);
    return device->joiner != NULL;
}

static bool open_chosen(struct device *device, const struct device_request *request, strata_error *err)
{
    strata_device_info *list = NULL;
    cl_device_id *ids = NULL;
    size_t count = 0;
    struct choice choice = { 0 };

    bool ok = strata_devices_find(request, &list, &ids, &count, err)
           && strata_device_choose(request, list, count, &choice, err);
    if (ok) {
        device->info = list[choice.index];
        ok = choose_class(device, request->class, err)
          && take_part(device, ids[choice.index], &choice, request->bindings != NULL, err)
          && make_queues(device, request->profile, err) && make_joiner(device, err)
          && (!request->profile || (device->profile = strata_profile_create(err)))
          && (device->programs = strata_programs_create(err))
          && make_compilers(device, request, err);
    }
    free(list);
    free(ids);
    return ok;
}

struct device *strata_device_open(const struct device_request *request, strata_error *err)
{
    struct device *device = strata_alloc(1, sizeof *device, err);
    if (!device)
        return NULL;
    pthread_mutex_init(&device->lock, NULL);
    atomic_init(&device->building, 0);
    atomic_init(&device->compiling, false);
    atomic_init(&device->awaiting, false);
    if (!open_chosen(device, request, err)) {
        if (device->text[0]) {
            char node[256] = "this node";
            gethostname(node, sizeof node - 1);
            strata_fail_in(err, "local rank %d of %d on %s", request->local_rank, request->local_size, node);
        }
        strata_device_close(device);
        return NULL;
    }
    return device;
}

void strata_device_close(struct device *device)
{
    if (!device)
        return;
    cl_command_queue queues[] = { device->queues[QUEUE_COMPUTE], device->queues[QUEUE_COPY], device->filler };
    strata_joiner_end(device->joiner);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        if (queues[i]) {
            clFinish(queues[i]);
            clReleaseCommandQueue(queues[i]);
        }
    strata_compilers_free(device->compilers);
    strata_profile_free(device->profile);
    strata_programs_free(device->programs);
    if (device->drop) device->drop();
    json_decref(device->choices);
    if (device->context)
        clReleaseContext(device->context);
    if (device->id)
        clReleaseDevice(device->id); /* does nothing to a device that is no sub-device */
    pthread_mutex_destroy(&device->lock);
    free(device);
}

void strata_device_drop_with(struct device *device, void (*drop)(void))
{
    device->drop = drop;
}

const strata_device_info *strata_device_info_of(const struct device *device)
{
    return &device->info;
}

strata_device_class strata_device_class_of(const struct device *device)
{
    return device->class;
}

bool strata_device_has_half(const struct device *device)
{
    return device->class == STRATA_GPU_CLASS || device->info.half;
}

int strata_device_compute_units(const struct device *device)
{
    return device->units;
}

struct profile *strata_device_profile(const struct device *device)
{
    return device->profile;
}

const char *strata_device_text(const struct device *device)
{
    return device->text;
}

bool strata_device_finish(struct device *device, strata_error *err)
{
    for (int i = 0; i < 2; i++) {
        const cl_int got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES : clFinish(device->queues[i]);
        if (got != CL_SUCCESS)
            return strata_fail_opencl(err, got, "%s failed at what was queued", device->text);
    }
    return true;
}
