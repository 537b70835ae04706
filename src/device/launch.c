/* Kernels: made, given their arguments, grouped and queued. The only file that calls clSetKernelArg. */
#include "device/launch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "device/compilers.h"
#include "device/device_priv.h"
#include "device/groups.h"
#include "device/native.h"
#include "device/program_cache.h"
#include "device/run_priv.h"

void strata_kernel_free(struct kernel *kernel)
{
    if (!kernel)
        return;
    if (kernel->native)
        clReleaseKernel(kernel->native);
    free(kernel->name);
    free(kernel->options);
    free(kernel);
}

static struct kernel *name_kernel(const struct launch *launch, strata_error *err)
{
    struct kernel *k = strata_alloc(1, sizeof *k, err);
    if (!k)
        return NULL;
    k->name = strata_copy_text(launch->kernel, err);
    k->options = strata_copy_text(launch->options ? launch->options : "", err);
    if (k->name && k->options)
        return k;
    strata_kernel_free(k);
    return NULL;
}

static bool open_kernel(struct device *device, struct kernel *k, strata_error *err)
{
    if (!strata_kernel_create(device, k->name, k->options, &k->native, err))
        return false;
    clGetKernelInfo(k->native, CL_KERNEL_NUM_ARGS, sizeof k->arguments, &k->arguments, NULL);
    k->most_group = device->most_group;
    clGetKernelWorkGroupInfo(k->native, device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof k->most_group, &k->most_group,
                             NULL);
    clGetKernelWorkGroupInfo(k->native, device->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof k->fixed, k->fixed,
                             NULL);
    return true;
}

static struct kernel *make_kernel(struct device *device, const struct launch *launch, strata_error *err)
{
    struct kernel *k = name_kernel(launch, err);
    if (k && open_kernel(device, k, err))
        return k;
    strata_kernel_free(k);
    return NULL;
}

/* The slot where the kernel is or would be put. */
static size_t slot_of(const struct kernel_table *table, const char *name, const char *options)
{
    const uint64_t hash = XXH3_64bits_withSeed(options, strlen(options), XXH3_64bits(name, strlen(name)));
    size_t at = (size_t)hash & (table->room - 1);
    for (const struct kernel *k; (k = table->slots[at]) != NULL; at = (at + 1) & (table->room - 1))
        if (strcmp(k->name, name) == 0 && strcmp(k->options, options) == 0)
            break;
    return at;
}

static bool grow(struct kernel_table *table, strata_error *err)
{
    struct kernel_table larger = { .count = table->count, .room = table->room ? 2 * table->room : 64 };
    larger.slots = strata_alloc(larger.room, sizeof *larger.slots, err);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->slots[i])
            larger.slots[slot_of(&larger, table->slots[i]->name, table->slots[i]->options)] = table->slots[i];
    free(table->slots);
    *table = larger;
    return true;
}

static struct kernel *find_kernel(struct run *run, const struct launch *launch, strata_error *err)
{
    struct kernel_table *table = &run->kernels;
    if (2 * (table->count + 1) > table->room && !grow(table, err))
        return NULL;
    struct kernel **slot = &table->slots[slot_of(table, launch->kernel, launch->options ? launch->options : "")];
    if (!*slot && (*slot = make_kernel(run->device, launch, err)) != NULL)
        table->count++;
    return *slot;
}

void strata_kernel_table_free(struct kernel_table *table)
{
    for (size_t i = 0; i < table->room; i++) strata_kernel_free(table->slots[i]);
    free(table->slots);
    *table = (struct kernel_table){ 0 };
}

static struct setting setting_of(const void *value, size_t size)
{
    struct setting setting = { .size = size };
    memcpy(setting.value, value, size);
    return setting;
}

static struct setting memory_setting(const struct buffer *buffer)
{
    const cl_mem memory = strata_buffer_native(buffer);
    struct setting setting = setting_of(&memory, sizeof memory);
    setting.none = !memory;
    return setting;
}

/* The kernel arguments of one struct arg, which are two for a place; returns how many. */
static cl_uint list_settings(const struct arg *arg, struct setting to[2])
{
    switch (arg->type) {
    case ARG_PLACE:
        to[0] = memory_setting(arg->buffer);
        to[1] = setting_of(&arg->offset, sizeof arg->offset);
        return 2;
    case ARG_BUFFER:
        to[0] = memory_setting(arg->buffer);
        return 1;
    case ARG_FLOAT:
        to[0] = setting_of(&arg->f, sizeof arg->f);
        return 1;
    case ARG_INT:
        to[0] = setting_of(&arg->i, sizeof arg->i);
        return 1;
    case ARG_UINT:
        to[0] = setting_of(&arg->u, sizeof arg->u);
        return 1;
    case ARG_ULONG:
        to[0] = setting_of(&arg->ul, sizeof arg->ul);
        return 1;
    case ARG_END:
        break;
    }
    return 0;
}

static bool set_argument(const struct kernel *kernel, cl_uint index, const struct setting *setting, strata_error *err)
{
    const cl_int got = clSetKernelArg(kernel->native, index, setting->size, setting->none ? NULL : setting->value);
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "%s: argument %u", kernel->name, index);
}

static bool expect_arguments(const struct kernel *kernel, cl_uint count, strata_error *err)
{
    return count == kernel->arguments
        || strata_fail(err, STRATA_EBUG, "%s takes %u arguments and was given %u", kernel->name, kernel->arguments, count);
}

static bool set_arguments(const struct kernel *kernel, const struct arg *args, strata_error *err)
{
    cl_uint index = 0;
    for (const struct arg *arg = args; arg->type != ARG_END; arg++) {
        struct setting settings[2];
        const cl_uint count = list_settings(arg, settings);
        for (cl_uint i = 0; i < count; i++)
            if (!set_argument(kernel, index++, &settings[i], err))
                return false;
    }
    return expect_arguments(kernel, index, err);
}

/* The same for later; NULL without memory. */
static struct setting *keep_arguments(const struct arg *args, cl_uint *count, strata_error *err)
{
    size_t most = 0;
    while (args[most].type != ARG_END) most++;
    struct setting *settings = strata_alloc(2 * most + 1, sizeof *settings, err);
    *count = 0;
    for (const struct arg *arg = args; settings && arg->type != ARG_END; arg++)
        *count += list_settings(arg, settings + *count);
    return settings;
}

/* Whole groups of a range, `local` what was asked for or zeros. */
static void group(const struct device *device, const struct kernel *kernel, int dims, size_t global[3], size_t local[3])
{
    if (local[0] > 0)
        for (int d = 0; d < dims; d++) local[d] = local[d] > 0 ? local[d] : 1;
    else if (kernel->fixed[0] > 0)
        memcpy(local, kernel->fixed, sizeof kernel->fixed);
    else
        strata_groups_choose(device->class, dims, global, kernel->most_group, device->most_items, local);
    for (int d = 0; d < dims; d++) global[d] = strata_groups_round(global[d], local[d]);
}

static void set_range(const struct launch *launch, struct entry *entry)
{
    entry->dims = (cl_uint)launch->dims;
    for (int d = 0; d < launch->dims; d++) {
        entry->global[d] = launch->global[d];
        entry->local[d] = launch->local[d];
    }
}

bool strata_kernel_prepare(const struct run *run, struct entry *entry, strata_error *err)
{
    struct kernel *kernel = entry->kernel;
    if (!kernel->native && !open_kernel(run->device, kernel, err))
        return strata_fail_labelled(entry->label, err);
    bool ok = true;
    for (cl_uint i = 0; ok && i < entry->setting_count; i++) ok = set_argument(kernel, i, &entry->settings[i], err);
    if (!ok || !expect_arguments(kernel, entry->setting_count, err))
        return strata_fail_labelled(entry->label, err);
    group(run->device, kernel, (int)entry->dims, entry->global, entry->local);
    free(entry->settings);
    entry->settings = NULL;
    return true;
}

bool strata_kernel_queue(const struct run *run, cl_command_queue queue, const struct entry *entry, cl_event *event,
                         strata_error *err)
{
    const cl_int got = strata_opencl_fault(queue)
                           ? CL_OUT_OF_RESOURCES
                           : clEnqueueNDRangeKernel(queue, entry->kernel->native, entry->dims, NULL, entry->global,
                                                    entry->local, 0, NULL, event);
    if (got == CL_SUCCESS)
        return true;
    char range[160];
    int at = 0;
    for (cl_uint d = 0; d < entry->dims; d++)
        at += snprintf(range + at, sizeof range - (size_t)at, "%s%zu in groups of %zu", d ? " x " : "",
                       entry->global[d], entry->local[d]);
    return strata_fail_opencl(err, got, "%s: %s items on %s", entry->kernel->name, range, run->device->text)
        || strata_fail_labelled(entry->label, err);
}

/* The bytes of the launch count where no work tells those of the whole operation. */
static void set_bytes(const struct launch *launch, struct entry *entry)
{
    if (!entry->work.operation)
        entry->work.bytes = launch->bytes;
}

static bool launch_now(struct run *run, const struct launch *launch, strata_error *err)
{
    struct entry entry = { .kind = ENTRY_KERNEL, .label = run->label };
    entry.kernel = find_kernel(run, launch, err);
    if (!entry.kernel || !set_arguments(entry.kernel, launch->args, err))
        return strata_fail_labelled(run->label, err);
    set_range(launch, &entry);
    group(run->device, entry.kernel, launch->dims, entry.global, entry.local);
    strata_run_work_of(run, &entry);
    set_bytes(launch, &entry);
    return strata_entry_queue(run, run->device->queues[run->queue], &entry, NULL, err);
}

/* The groups are those that a kernel without limits of its own gets. */
static void tell_compilers(const struct device *device, const struct launch *launch)
{
    const struct kernel any = { .most_group = device->most_group };
    struct entry entry = { 0 };
    if (!device->compilers)
        return;
    set_range(launch, &entry);
    group(device, &any, launch->dims, entry.global, entry.local);
    strata_compilers_ask(device->compilers, launch, entry.global, entry.local);
}

/* The kernel is made when all that a first play needs is known (recording.c). */
static bool record(struct run *run, const struct launch *launch, strata_error *err)
{
    cl_uint count = 0;
    struct kernel *kernel = name_kernel(launch, err);
    struct setting *settings = kernel ? keep_arguments(launch->args, &count, err) : NULL;
    struct entry *entry = settings ? strata_run_append(run, ENTRY_KERNEL, err) : NULL;
    if (!entry) {
        strata_kernel_free(kernel);
        free(settings);
        return strata_fail_labelled(strata_run_label_of(run), err);
    }
    entry->kernel = kernel;
    entry->settings = settings;
    entry->setting_count = count;
    set_range(launch, entry);
    set_bytes(launch, entry);
    tell_compilers(run->device, launch);
    return true;
}

bool strata_launch(struct run *run, const struct launch *launch, strata_error *err)
{
    assert(launch->dims >= 1 && launch->dims <= 3);
    for (int d = 0; d < launch->dims; d++)
        if (launch->global[d] == 0)
            return true;
    switch (run->kind) {
    case RUN_IMMEDIATE:
        return launch_now(run, launch, err);
    case RUN_RECORD:
        return record(run, launch, err);
    case RUN_MEASURE:
        if (run->rehearses)
            tell_compilers(run->device, launch);
        break;
    }
    return true;
}
