/* Every device of every platform, in an order that does not depend on how the platforms are installed. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/choose.h"
#include "device/cores.h"
#include "device/device_priv.h"
#include "device/native.h"

enum { NO_PLATFORM = -1001 }; /* CL_PLATFORM_NOT_FOUND_KHR: what the ICD loader says when none is installed */

struct platform {
    cl_platform_id id;
    char name[128];
    cl_uint order;
};

static int by_name(const void *a, const void *b)
{
    const struct platform *p = a, *q = b;
    const int names = strcmp(p->name, q->name);
    return names ? names : (p->order > q->order) - (p->order < q->order);
}

static bool find_platforms(struct platform **list, cl_uint *count, strata_error *err)
{
    *list = NULL;
    *count = 0;
    setenv("OCL_ICD_PLATFORM_SORT", "none", 0); /* else ocl-icd asks several platforms for their devices, before PoCL is told its part */
    const cl_int got = clGetPlatformIDs(0, NULL, count);
    if (got == NO_PLATFORM || (got == CL_SUCCESS && *count == 0)) {
        *count = 0;
        return true;
    }
    if (got != CL_SUCCESS)
        return strata_fail_opencl(err, got, "OpenCL platforms cannot be listed");

    cl_platform_id *ids = strata_alloc(*count, sizeof *ids, err);
    *list = strata_alloc(*count, sizeof **list, err);
    const bool ok = ids && *list && clGetPlatformIDs(*count, ids, NULL) == CL_SUCCESS;
    for (cl_uint i = 0; ok && i < *count; i++) {
        struct platform *p = &(*list)[i];
        p->id = ids[i];
        p->order = i;
        clGetPlatformInfo(p->id, CL_PLATFORM_NAME, sizeof p->name - 1, p->name, NULL);
    }
    if (ok)
        qsort(*list, *count, sizeof **list, by_name);
    else if (ids && *list)
        strata_fail(err, STRATA_EDEVICE, "OpenCL platforms cannot be listed");
    free(ids);
    return ok;
}

/* A text longer than the buffer is cut; one that cannot be had is empty. */
static void info_text(cl_device_id id, cl_device_info what, char *buffer, size_t size)
{
    char whole[1024] = "";
    if (clGetDeviceInfo(id, what, sizeof whole - 1, whole, NULL) != CL_SUCCESS)
        whole[0] = '\0';
    const char *start = whole + strspn(whole, " ");
    const size_t length = strnlen(start, size - 1);
    memcpy(buffer, start, length);
    buffer[length] = '\0';
}

static bool has_extension(cl_device_id id, const char *name)
{
    size_t size = 0;
    char *list = NULL;
    const bool ok = clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) == CL_SUCCESS && size > 0
                    && (list = calloc(size + 1, 1)) != NULL
                    && clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, list, NULL) == CL_SUCCESS && strstr(list, name);
    free(list);
    return ok;
}

static strata_device_info describe(const struct platform *platform, cl_device_id id, int index)
{
    strata_device_info info = { .index = index };
    cl_device_type type = 0;
    cl_uint units = 0, width = 0;
    cl_ulong memory = 0, allocation = 0;
    cl_bool unified = CL_FALSE;
    memcpy(info.platform, platform->name, sizeof info.platform);
    info_text(id, CL_DEVICE_NAME, info.name, sizeof info.name);
    info_text(id, CL_DEVICE_VENDOR, info.vendor, sizeof info.vendor);
    info_text(id, CL_DRIVER_VERSION, info.driver, sizeof info.driver);
    clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width, NULL);
    clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof allocation, &allocation, NULL);
    clGetDeviceInfo(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
    info.is_cpu = type & CL_DEVICE_TYPE_CPU;
    info.is_gpu = type & CL_DEVICE_TYPE_GPU;
    info.class_default = info.is_cpu ? STRATA_CPU_CLASS : STRATA_GPU_CLASS;
    info.compute_units = units > 0 ? (int)units : 1;
    info.native_vector_width = (int)width;
    info.memory = (size_t)memory;
    info.max_allocation = (size_t)allocation;
    info.unified = unified;
    info.half = has_extension(id, "cl_khr_fp16");
    return info;
}

struct found {
    strata_device_info *list;
    cl_device_id *ids;
    size_t count;
};

/* A platform that cannot list its devices has none: a driver without its hardware must not hide the others. */
static bool add_platform(const struct platform *platform, struct found *found, strata_error *err)
{
    cl_uint more = 0;
    if (clGetDeviceIDs(platform->id, CL_DEVICE_TYPE_ALL, 0, NULL, &more) != CL_SUCCESS || more == 0)
        return true;
    const size_t count = found->count + more;
    void *list = realloc(found->list, count * sizeof *found->list);
    if (list)
        found->list = list;
    void *ids = realloc(found->ids, count * sizeof *found->ids);
    if (ids)
        found->ids = ids;
    if (!list || !ids)
        return strata_fail(err, STRATA_EMEMORY, "out of memory while %zu devices were listed", count);
    if (clGetDeviceIDs(platform->id, CL_DEVICE_TYPE_ALL, more, found->ids + found->count, NULL) != CL_SUCCESS)
        return true;
    for (size_t i = found->count; i < count; i++)
        found->list[i] = describe(platform, found->ids[i], (int)i);
    found->count = count;
    return true;
}

static bool is_pocl(const char *platform)
{
    return strcmp(platform, "Portable Computing Language") == 0;
}

/* PoCL makes its threads when it is asked for its devices: its CPU, as far as that is known before. */
static bool foresee_pocl(const struct platform *platform, struct found *found)
{
    strata_device_info *list = realloc(found->list, (found->count + 1) * sizeof *list);
    if (!list)
        return false;
    found->list = list;
    list[found->count] = (strata_device_info){ .index = (int)found->count, .is_cpu = true };
    memcpy(list[found->count++].platform, platform->name, sizeof platform->name);
    return true;
}

/* The part of the cores that the rank will take, if it will have PoCL's CPU; else all that it may have. */
static void prepare_pocl(const struct device_request *request, const struct platform *platforms, cl_uint count)
{
    struct found found = { 0 };
    struct choice choice = { .parts = 1 };
    strata_error ignored = { 0 };
    bool ok = request && request->local_size > 1; /* one rank shares with none, and the devices are not listed twice */
    for (cl_uint i = 0; ok && i < count; i++)
        ok = is_pocl(platforms[i].name) ? foresee_pocl(&platforms[i], &found) : add_platform(&platforms[i], &found, &ignored);
    if (!ok || !strata_device_choose(request, found.list, found.count, &choice, &ignored) || !is_pocl(found.list[choice.index].platform))
        choice = (struct choice){ .parts = 1 };
    strata_cores_tell_pocl(choice.part, choice.parts, request && request->bindings);
    free(found.list);
    free(found.ids);
}

bool strata_devices_find(const struct device_request *request, strata_device_info **list, cl_device_id **ids, size_t *count,
                         strata_error *err)
{
    struct platform *platforms = NULL;
    struct found found = { 0 };
    cl_uint platform_count = 0;

    bool ok = find_platforms(&platforms, &platform_count, err);
    if (ok)
        prepare_pocl(request, platforms, platform_count);
    for (cl_uint i = 0; ok && i < platform_count; i++)
        ok = add_platform(&platforms[i], &found, err);
    free(platforms);
    if (!ok) {
        free(found.list);
        free(found.ids);
        found = (struct found){ 0 };
    }
    *list = found.list;
    *ids = found.ids;
    *count = found.count;
    return ok;
}

bool strata_device_is_pocl(const strata_device_info *info)
{
    return is_pocl(info->platform);
}

bool strata_devices(strata_device_info **list, size_t *count, strata_error *err)
{
    cl_device_id *ids = NULL;
    const bool ok = strata_devices_find(NULL, list, &ids, count, err);
    free(ids);
    return ok;
}
