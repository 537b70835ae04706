/* Recordings: lists of launches, marks and copies that are played many times. A play makes no objects but the events
 * of its marks. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/compilers.h"
#include "device/device_priv.h"
#include "device/launch.h"
#include "device/native.h"
#include "device/run_priv.h"

struct entry *strata_run_append(struct run *run, enum entry_kind kind, strata_error *err)
{
    void *entries = run->entries;
    if (!strata_reserve(&entries, &run->entry_room, run->entry_count + 1, sizeof *run->entries, err))
        return NULL;
    run->entries = entries;
    struct entry *entry = &run->entries[run->entry_count++];
    *entry = (struct entry){ .kind = kind, .label = strata_run_label_of(run), .once = run->once };
    if (kind != ENTRY_MARK)
        strata_run_work_of(run, entry);
    return entry;
}

static void release(struct entry *entry)
{
    switch (entry->kind) {
    case ENTRY_KERNEL:
        strata_kernel_free(entry->kernel);
        free(entry->settings);
        break;
    case ENTRY_CALL:
        free(entry->context);
        break;
    case ENTRY_COPY:
        clReleaseMemObject(entry->from);
        clReleaseMemObject(entry->to);
        break;
    case ENTRY_ZERO:
        clReleaseMemObject(entry->to);
        break;
    case ENTRY_MARK:
        break;
    }
}

void strata_entries_free(struct run *run)
{
    for (size_t i = 0; i < run->entry_count; i++) release(&run->entries[i]);
    for (size_t i = 0; i < run->mark_count; i++)
        if (run->mark_events[i])
            clReleaseEvent(run->mark_events[i]);
    free(run->entries);
    free(run->mark_events);
}

bool strata_run_mark(struct run *run, int *mark, strata_error *err)
{
    assert(run->kind == RUN_RECORD);
    void *events = run->mark_events;
    if (!strata_reserve(&events, &run->mark_room, run->mark_count + 1, sizeof *run->mark_events, err))
        return false;
    run->mark_events = events;
    struct entry *entry = strata_run_append(run, ENTRY_MARK, err);
    if (!entry)
        return false;
    *mark = entry->mark = (int)run->mark_count++;
    return true;
}

/* ---- playing ---- */

static const char *name_of(const struct entry *entry)
{
    switch (entry->kind) {
    case ENTRY_KERNEL:
        return entry->kernel->name;
    case ENTRY_COPY:
        return "copy";
    case ENTRY_ZERO:
        return "zero";
    default:
        return "call";
    }
}

static bool queue_entry(const struct run *run, cl_command_queue queue, const struct entry *entry, cl_event *event,
                        strata_error *err)
{
    cl_int got = CL_SUCCESS;
    switch (entry->kind) {
    case ENTRY_KERNEL:
        return strata_kernel_queue(run, queue, entry, event, err);
    case ENTRY_CALL:
        return entry->call(entry->context, queue, err) || strata_fail_labelled(entry->label, err);
    case ENTRY_COPY:
        got = strata_opencl_fault(queue)
                  ? CL_OUT_OF_RESOURCES
                  : clEnqueueCopyBuffer(queue, entry->from, entry->to, entry->from_offset, entry->to_offset,
                                        entry->bytes, 0, NULL, event);
        break;
    case ENTRY_ZERO:
        got = strata_queue_zero(queue, entry->to, entry->to_offset, entry->bytes, event);
        break;
    case ENTRY_MARK:
        got = strata_opencl_fault(queue) ? CL_OUT_OF_RESOURCES : clEnqueueMarkerWithWaitList(queue, 0, NULL, event);
        break;
    }
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "a copy, fill or mark on %s", run->device->text)
        || strata_fail_labelled(entry->label, err);
}

/* A call queues what it likes, so it is timed by marks around it. */
static bool queue_timed(const struct run *run, cl_command_queue queue, const struct entry *entry, strata_error *err)
{
    const struct purpose purpose = { .step = entry->label,
                                     .operation = entry->work.operation ? entry->work.operation : name_of(entry),
                                     .implementation = entry->work.implementation ? entry->work.implementation : "",
                                     .flops = entry->work.flops, .bytes = entry->work.bytes, .again = entry->again,
                                     .tuned = entry->work.tuned };
    const struct device *device = run->device;
    const bool call = entry->kind == ENTRY_CALL;
    const struct entry mark = { .kind = ENTRY_MARK, .label = entry->label };
    cl_event first = NULL, last = NULL;
    const bool ok = (!call || queue_entry(run, queue, &mark, &first, err))
                    && queue_entry(run, queue, entry, call ? NULL : &first, err)
                    && (!call || queue_entry(run, queue, &mark, &last, err));
    if (ok)
        return strata_profile_note(device->profile, &purpose, queue == device->queues[QUEUE_COPY], first,
                                   call ? last : first, err);
    if (first)
        clReleaseEvent(first);
    return false;
}

bool strata_entry_queue(const struct run *run, cl_command_queue queue, const struct entry *entry, cl_event *event,
                        strata_error *err)
{
    if (run->device->profile && entry->kind != ENTRY_MARK)
        return queue_timed(run, queue, entry, err);
    return queue_entry(run, queue, entry, event, err);
}

/* Whoever waits for a mark may poll it, which starts nothing, so the queue is flushed. */
static bool play_mark(struct run *run, cl_command_queue queue, const struct entry *entry, strata_error *err)
{
    cl_event event = NULL;
    if (!strata_entry_queue(run, queue, entry, &event, err))
        return false;
    pthread_mutex_lock(&run->lock);
    cl_event old = run->mark_events[entry->mark];
    run->mark_events[entry->mark] = event;
    pthread_mutex_unlock(&run->lock);
    if (old)
        clReleaseEvent(old);
    return strata_queue_flush(run->device, QUEUE_COMPUTE, err);
}

/* The last entry of a label, by which one can tell how far the device is. */
static bool play_last(struct run *run, cl_command_queue queue, const struct entry *entry, strata_error *err)
{
    cl_event event = NULL;
    if (!strata_entry_queue(run, queue, entry, &event, err))
        return false;
    strata_run_note_place(run, entry->label, event);
    return true;
}

/* The driver does not begin with what others compile for it. A large kernel takes a second, on a busy machine ten. */
static void wait_for_compilers(struct device *device)
{
    atomic_store(&device->awaiting, true);
    strata_compilers_wait(device->compilers, 60);
    atomic_store(&device->awaiting, false);
}

/* Has the kernels of a recording that was never played compiled. Whether the driver has them in its files is known from a start that had
 * them compiled, or seen when it compiles one all the same. */
static void begin_first(struct run *run)
{
    struct device *device = run->device;
    if (run->ready < run->entry_count && device->compilers && strata_compilers_are_needed(device->compilers))
        wait_for_compilers(device);
}

/* Makes the kernel of the first entry that is not ready, while the device is at those before. */
static bool make_ready(struct run *run, strata_error *err)
{
    struct device *device = run->device;
    struct entry *entry = &run->entries[run->ready];
    if (entry->kind == ENTRY_KERNEL
        && !(strata_queue_flush(device, QUEUE_COMPUTE, err) && strata_kernel_prepare(run, entry, err)))
        return false;
    if (atomic_exchange(&device->compiling, false) && device->compilers)
        wait_for_compilers(device);
    if (++run->ready == run->entry_count)
        strata_compilers_forget(device->compilers);
    return true;
}

bool strata_run_play(struct run *run, strata_error *err)
{
    assert(run->kind == RUN_RECORD);
    const cl_command_queue queue = run->device->queues[QUEUE_COMPUTE];
    const uint64_t version = run->version ? *run->version : 0;
    const bool settled = run->settled && run->settled_at == version;
    begin_first(run);
    if (!strata_run_begin_play(run, err))
        return false;
    for (size_t i = 0; i < run->entry_count; i++) {
        const struct entry *entry = &run->entries[i];
        if (i == run->ready && !make_ready(run, err))
            return false;
        if (entry->once && settled)
            continue;
        const bool ok = entry->kind == ENTRY_MARK     ? play_mark(run, queue, entry, err)
                        : strata_run_is_last(run, i) ? play_last(run, queue, entry, err)
                                                     : strata_entry_queue(run, queue, entry, NULL, err);
        if (!ok)
            return false;
    }
    run->settled = true;
    run->settled_at = version;
    return strata_queue_flush(run->device, QUEUE_COMPUTE, err);
}

bool strata_run_calls(struct run *run, run_call *call, strata_error *err)
{
    assert(run->kind == RUN_RECORD);
    for (size_t i = 0; i < run->entry_count; i++) {
        const struct entry *entry = &run->entries[i];
        if (entry->kind == ENTRY_CALL && entry->call == call && !call(entry->context, NULL, err))
            return strata_fail_labelled(entry->label, err);
    }
    return true;
}

bool strata_run_mark_event(struct run *run, int mark, struct event **event, strata_error *err)
{
    assert(mark >= 0 && (size_t)mark < run->mark_count);
    *event = NULL;
    pthread_mutex_lock(&run->lock);
    const cl_event native = run->mark_events[mark];
    if (native)
        clRetainEvent(native);
    pthread_mutex_unlock(&run->lock);
    if (!native)
        return strata_fail(err, STRATA_EBUG, "mark %d of a recording that was never played", mark);
    return strata_event_take(run->device, native, event, err);
}
