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

static struct kernel *make_kernel(struct device *device, const struct launch *launch, strata_error *err)
{
    struct kernel *k = strata_alloc(1, sizeof *k, err);
    if (!k)
        return NULL;
    k->name = strata_copy_text(launch->kernel, err);
    k->options = strata_copy_text(launch->options ? launch->options : "", err);
    if (!k->name || !k->options || !strata_kernel_create(device, k->name, k->options, &k->native, err)) {
        strata_kernel_free(k);
        return NULL;
    }
    clGetKernelInfo(k->native, CL_KERNEL_NUM_ARGS, sizeof k->arguments, &k->arguments, NULL);
    k->most_group = device->most_group;
    clGetKernelWorkGroupInfo(k->native, device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof k->most_group, &k->most_group,
                             NULL);
    clGetKernelWorkGroupInfo(k->native, device->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof k->fixed, k->fixed,
                             NULL);
    return k;
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

/* Sets one struct arg as kernel argument *index, or two for a place, and moves *index on. */
static cl_int set_argument(cl_kernel kernel, cl_uint *index, const struct arg *arg)
{
    cl_int got = CL_SUCCESS;
    switch (arg->type) {
    case ARG_PLACE:
    case ARG_BUFFER: {
        const cl_mem memory = strata_buffer_native(arg->buffer);
        got = clSetKernelArg(kernel, (*index)++, sizeof memory, memory ? &memory : NULL);
        if (got == CL_SUCCESS && arg->type == ARG_PLACE)
            got = clSetKernelArg(kernel, (*index)++, sizeof arg->offset, &arg->offset);
        return got;
    }
    case ARG_FLOAT:
        return clSetKernelArg(kernel, (*index)++, sizeof arg->f, &arg->f);
    case ARG_INT:
        return clSetKernelArg(kernel, (*index)++, sizeof arg->i, &arg->i);
    case ARG_UINT:
        return clSetKernelArg(kernel, (*index)++, sizeof arg->u, &arg->u);
    case ARG_ULONG:
        return clSetKernelArg(kernel, (*index)++, sizeof arg->ul, &arg->ul);
    case ARG_END:
        break;
    }
    return got;
}

static bool set_arguments(const struct kernel *kernel, const struct arg *args, strata_error *err)
{
    cl_uint index = 0;
    for (const struct arg *arg = args; arg->type != ARG_END; arg++) {
        const cl_int got = set_argument(kernel->native, &index, arg);
        if (got != CL_SUCCESS)
            return strata_fail_opencl(err, got, "%s: argument %u", kernel->name, index - 1);
    }
    return index == kernel->arguments
        || strata_fail(err, STRATA_EBUG, "%s takes %u arguments and was given %u", kernel->name, kernel->arguments,
                       index);
}

static void set_range(const struct device *device, const struct launch *launch, struct entry *entry)
{
    const struct kernel *kernel = entry->kernel;
    entry->dims = (cl_uint)launch->dims;
    if (launch->local[0] > 0)
        for (int d = 0; d < launch->dims; d++) entry->local[d] = launch->local[d] > 0 ? launch->local[d] : 1;
    else if (kernel->fixed[0] > 0)
        memcpy(entry->local, kernel->fixed, sizeof entry->local);
    else
        strata_groups_choose(device->class, launch->dims, launch->global, kernel->most_group, device->most_items,
                             entry->local);
    for (int d = 0; d < launch->dims; d++)
        entry->global[d] = strata_groups_round(launch->global[d], entry->local[d]);
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
    set_range(run->device, launch, &entry);
    strata_run_work_of(run, &entry);
    set_bytes(launch, &entry);
    return strata_entry_queue(run, run->device->queues[run->queue], &entry, NULL, err);
}

static bool record(struct run *run, const struct launch *launch, strata_error *err)
{
    struct kernel *kernel = make_kernel(run->device, launch, err);
    if (!kernel || !set_arguments(kernel, launch->args, err)) {
        strata_kernel_free(kernel);
        return strata_fail_labelled(strata_run_label_of(run), err);
    }
    struct entry *entry = strata_run_append(run, ENTRY_KERNEL, err);
    if (!entry) {
        strata_kernel_free(kernel);
        return false;
    }
    entry->kernel = kernel;
    set_range(run->device, launch, entry);
    set_bytes(launch, entry);
    if (run->device->compilers && atomic_load(&run->device->compiling))
        strata_compilers_ask(run->device->compilers, launch, entry->global, entry->local);
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
        break;
    }
    return true;
}
