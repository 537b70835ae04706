/* Runs of all kinds: how they start and end, scratch memory, labels, and work that is no kernel. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/device_priv.h"
#include "device/launch.h"
#include "device/native.h"
#include "device/run_priv.h"

static struct run *create(struct device *device, enum run_kind kind, enum queue_index queue, strata_error *err)
{
    struct run *run = strata_alloc(1, sizeof *run, err);
    if (!run)
        return NULL;
    run->device = device;
    run->kind = kind;
    run->queue = queue;
    pthread_mutex_init(&run->lock, NULL);
    return run;
}

struct run *strata_run_immediate(struct device *device, enum queue_index queue, strata_error *err)
{
    return create(device, RUN_IMMEDIATE, queue, err);
}

struct run *strata_run_measure(struct device *device, strata_error *err)
{
    struct run *run = create(device, RUN_MEASURE, QUEUE_COMPUTE, err);
    if (!run)
        return NULL;
    run->scratch = strata_buffer_placeholder(device, 0, err);
    if (run->scratch) return run;
    strata_run_free(run);
    return NULL;
}

struct run *strata_run_rehearse(struct device *device, strata_error *err)
{
    struct run *run = strata_run_measure(device, err);
    if (run)
        run->rehearses = true;
    return run;
}

struct run *strata_run_record(struct device *device, size_t scratch_bytes, strata_error *err)
{
    enum { LEAST = 64 }; /* so that an op that needs nothing has something to pass on */
    struct run *run = create(device, RUN_RECORD, QUEUE_COMPUTE, err);
    if (!run)
        return NULL;
    run->scratch_bytes = scratch_bytes;
    run->scratch = strata_buffer_create(device, scratch_bytes > LEAST ? scratch_bytes : LEAST, err);
    if (!run->scratch) {
        strata_fail_in(err, "scratch memory of a recording");
        strata_run_free(run);
        return NULL;
    }
    return run;
}

struct run *strata_run_record_in(struct device *device, struct buffer *scratch, strata_error *err)
{
    struct run *run = create(device, RUN_RECORD, QUEUE_COMPUTE, err);
    if (!run)
        return NULL;
    run->scratch = scratch;
    run->scratch_borrowed = true;
    run->scratch_bytes = strata_buffer_size(scratch);
    return run;
}

void strata_run_free(struct run *run)
{
    if (!run)
        return;
    strata_run_forget_places(run);
    for (size_t i = 0; i < run->kept_count; i++) strata_buffer_free(run->kept[i]);
    free(run->kept);
    strata_kernel_table_free(&run->kernels);
    strata_entries_free(run);
    for (size_t i = 0; i < run->label_count; i++) free(run->labels[i]);
    free(run->labels);
    if (!run->scratch_borrowed)
        strata_buffer_free(run->scratch);
    pthread_mutex_destroy(&run->lock);
    free(run);
}

struct device *strata_run_device(const struct run *run)
{
    return run->device;
}

void strata_run_set_strict(struct run *run, bool strict)
{
    run->strict = strict;
}

bool strata_run_strict(const struct run *run)
{
    return run->strict;
}

void strata_run_set_untuned(struct run *run, bool untuned)
{
    run->untuned = untuned;
}

bool strata_run_untuned(const struct run *run)
{
    return run->untuned;
}

size_t strata_run_scratch_bytes(const struct run *run)
{
    return run->scratch_bytes;
}

/* The old buffer may still be in use by queued work; the runtime keeps its memory until then. */
static bool grow_scratch(struct run *run, size_t bytes, strata_error *err)
{
    enum { LEAST = 64 * 1024 };
    struct buffer *larger = strata_buffer_create(run->device, bytes > LEAST ? bytes : LEAST, err);
    if (!larger)
        return strata_fail_in(err, "scratch memory") || strata_fail_labelled(run->label, err);
    strata_buffer_free(run->scratch);
    run->scratch = larger;
    run->scratch_bytes = strata_buffer_size(larger);
    return true;
}

bool strata_run_scratch(struct run *run, size_t bytes, struct buffer **scratch, strata_error *err)
{
    switch (run->kind) {
    case RUN_MEASURE:
        run->scratch_bytes = bytes > run->scratch_bytes ? bytes : run->scratch_bytes;
        run->scratch->size = run->scratch_bytes;
        break;
    case RUN_IMMEDIATE:
        if ((!run->scratch || bytes > run->scratch_bytes) && !grow_scratch(run, bytes, err))
            return false;
        break;
    case RUN_RECORD:
        if (bytes > run->scratch_bytes)
            return strata_fail(err, STRATA_EBUG, "%s: asks for %zu bytes of scratch memory; %zu were measured",
                               strata_run_label_of(run), bytes, run->scratch_bytes);
        break;
    }
    *scratch = run->scratch;
    return true;
}

bool strata_run_keeps(const struct run *run)
{
    return run->kind != RUN_IMMEDIATE;
}

bool strata_run_keep(struct run *run, size_t bytes, struct buffer **kept, strata_error *err)
{
    void *all = run->kept;
    assert(strata_run_keeps(run));
    if (!strata_reserve(&all, &run->kept_room, run->kept_count + 1, sizeof *run->kept, err))
        return false;
    run->kept = all;
    struct buffer *buffer = run->kind == RUN_MEASURE ? strata_buffer_placeholder(run->device, bytes, err)
                                                     : strata_buffer_create(run->device, bytes, err);
    if (!buffer)
        return strata_fail_labelled(strata_run_label_of(run), err);
    *kept = run->kept[run->kept_count++] = buffer;
    run->kept_bytes += bytes;
    return true;
}

size_t strata_run_kept_bytes(const struct run *run)
{
    return run->kept_bytes;
}

void strata_run_once(struct run *run, bool once)
{
    run->once = once;
}

void strata_run_watch(struct run *run, const uint64_t *version)
{
    run->version = version;
}

bool strata_fail_labelled(const char *label, strata_error *err)
{
    return label[0] && strata_fail_in(err, "%s", label);
}

void strata_run_work(struct run *run, struct work work)
{
    run->work = work;
    run->work_begun = false;
}

void strata_run_tell(struct run *run, const void *request)
{
    const struct listener *listener = &run->device->listener;
    if (run->kind == RUN_MEASURE && listener->hear) listener->hear(listener->context, strata_run_label_of(run), request);
}

void strata_run_work_of(struct run *run, struct entry *entry)
{
    entry->work = run->work;
    entry->again = run->work_begun || run->once;
    if (entry->again)
        entry->work.flops = entry->work.bytes = 0;
    if (run->once)
        return;
    run->work_begun = run->work.operation != NULL;
}

const char *strata_run_label_of(const struct run *run)
{
    return run->label_count > 0 ? run->labels[run->label_count - 1] : run->label;
}

/* A recording keeps every label for its entries. Where there is no memory for one, the last goes on. */
void strata_run_label(struct run *run, const char *label)
{
    strata_error err = { 0 };
    void *labels = run->labels;
    if (run->kind != RUN_RECORD) {
        const size_t length = strnlen(label, sizeof run->label - 1);
        memcpy(run->label, label, length);
        run->label[length] = '\0';
        return;
    }
    if (strcmp(strata_run_label_of(run), label) == 0
        || !strata_reserve(&labels, &run->label_room, run->label_count + 1, sizeof *run->labels, &err))
        return;
    run->labels = labels;
    run->labels[run->label_count] = strata_copy_text(label, &err);
    run->label_count += run->labels[run->label_count] != NULL;
}

bool strata_run_call(struct run *run, run_call *call, const void *context, size_t size, strata_error *err)
{
    if (run->kind == RUN_MEASURE)
        return true;
    if (run->kind == RUN_IMMEDIATE) {
        struct entry entry = { .kind = ENTRY_CALL, .label = run->label, .call = call, .context = (void *)context };
        strata_run_work_of(run, &entry);
        return strata_entry_queue(run, run->device->queues[run->queue], &entry, NULL, err);
    }
    void *copy = strata_alloc(1, size, err);
    struct entry *entry = copy ? strata_run_append(run, ENTRY_CALL, err) : NULL;
    if (!entry) {
        free(copy);
        return false;
    }
    if (size > 0)
        memcpy(copy, context, size);
    entry->call = call;
    entry->context = copy;
    return true;
}

/* A copy, or zeroes when from is NULL. */
static bool transfer(struct run *run, const struct entry *wanted, strata_error *err)
{
    if (run->kind == RUN_MEASURE || wanted->bytes == 0)
        return true;
    if (run->kind == RUN_IMMEDIATE) {
        struct entry now = *wanted;
        strata_run_work_of(run, &now);
        return strata_entry_queue(run, run->device->queues[run->queue], &now, NULL, err);
    }
    struct entry *entry = strata_run_append(run, wanted->kind, err);
    if (!entry)
        return false;
    const struct entry kept = *entry;
    *entry = *wanted;
    entry->label = kept.label;
    entry->work = kept.work;
    entry->again = kept.again;
    entry->once = kept.once;
    clRetainMemObject(entry->to);
    if (entry->from)
        clRetainMemObject(entry->from);
    return true;
}

bool strata_run_copy(struct run *run, const struct buffer *from, size_t from_offset, struct buffer *to,
                     size_t to_offset, size_t bytes, strata_error *err)
{
    const struct entry entry = { .kind = ENTRY_COPY, .label = run->label, .from = strata_buffer_native(from),
                                 .from_offset = from_offset, .to = strata_buffer_native(to), .to_offset = to_offset,
                                 .bytes = bytes };
    return transfer(run, &entry, err);
}

bool strata_run_zero(struct run *run, struct buffer *buffer, size_t offset, size_t bytes, strata_error *err)
{
    const struct entry entry = { .kind = ENTRY_ZERO, .label = run->label, .to = strata_buffer_native(buffer),
                                 .to_offset = offset, .bytes = bytes };
    return transfer(run, &entry, err);
}
