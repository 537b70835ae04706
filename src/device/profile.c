#include "device/profile.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/device_priv.h"
#include "device/native.h"

enum { PENDING = 4096, /* events that are kept before their times are read */
       READINGS = 10 };  /* of the device's clock, of which the quickest counts */

struct record {
    cl_event first, last;
    size_t line;
    int queue;
};

/* A time line, cut short when it is long. */
struct line {
    struct profile_span *spans;
    size_t count, room;
};

struct profile {
    pthread_mutex_t lock;
    strata_profile told;
    size_t line_room;
    struct line device, host;
    double offset; /* of strata_clock to the device's, in the spans of the device so far */
    size_t next; /* the line that probably comes next: a step follows its predecessor's order */
    struct record *pending;
    size_t pending_count, pending_room;
};

struct profile *strata_profile_create(strata_error *err)
{
    struct profile *profile = strata_alloc(1, sizeof *profile, err);
    if (profile) pthread_mutex_init(&profile->lock, NULL);
    return profile;
}

static void drop_events(struct record *record)
{
    if (record->last != record->first) clReleaseEvent(record->last);
    clReleaseEvent(record->first);
}

static void empty(struct profile *p)
{
    for (size_t i = 0; i < p->pending_count; i++) drop_events(&p->pending[i]);
    for (size_t i = 0; i < p->told.count; i++) {
        free(p->told.lines[i].step);
        free(p->told.lines[i].operation);
        free(p->told.lines[i].implementation);
    }
    p->pending_count = p->told.count = p->device.count = p->host.count = p->next = 0;
    p->offset = 0;
}

void strata_profile_free(struct profile *profile)
{
    if (!profile) return;
    empty(profile);
    free(profile->told.lines);
    free(profile->device.spans);
    free(profile->host.spans);
    free(profile->pending);
    pthread_mutex_destroy(&profile->lock);
    free(profile);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static bool is_of(const strata_profile_line *line, const struct purpose *purpose)
{
    return strcmp(line->step, purpose->step) == 0 && strcmp(line->operation, purpose->operation) == 0
           && strcmp(line->implementation, purpose->implementation) == 0;
}

static bool new_line(struct profile *p, const struct purpose *purpose, strata_error *err)
{
    void *lines = p->told.lines;
    if (!strata_reserve(&lines, &p->line_room, p->told.count + 1, sizeof *p->told.lines, err)) return false;
    p->told.lines = lines;
    strata_profile_line *line = &p->told.lines[p->told.count++];
    *line = (strata_profile_line){ .step = strata_copy_text(purpose->step, err),
                                   .operation = strata_copy_text(purpose->operation, err),
                                   .implementation = strata_copy_text(purpose->implementation, err) };
    if (line->step && line->operation && line->implementation) return true;
    free(line->step);
    free(line->operation);
    free(line->implementation);
    p->told.count--;
    return false;
}

static bool find_line(struct profile *p, const struct purpose *purpose, size_t *index, strata_error *err)
{
    const size_t count = p->told.count;
    for (size_t i = 0; i < count; i++) {
        *index = (p->next + i) % count;
        if (is_of(&p->told.lines[*index], purpose)) {
            p->next = purpose->again ? *index : *index + 1;
            return true;
        }
    }
    *index = count;
    return new_line(p, purpose, err);
}

/* ---- times ------------------------------------------------------------------------------------------------------ */

static void add_span(struct line *line, const struct profile_span *span)
{
    strata_error ignored = { 0 }; /* the list is cut short when there is no memory for it */
    void *spans = line->spans;
    if (line->count == STRATA_PROFILE_SPANS
        || !strata_reserve(&spans, &line->room, line->count + 1, sizeof *line->spans, &ignored))
        return;
    line->spans = spans;
    line->spans[line->count++] = *span;
}

/* Between two marks: from the end of the first to that of the last. */
static bool read_record(struct profile *p, const struct record *record, strata_error *err)
{
    const bool single = record->first == record->last;
    cl_ulong start = 0, end = 0;
    cl_int got = clWaitForEvents(1, &record->last);
    if (got == CL_SUCCESS)
        got = clGetEventProfilingInfo(record->first, single ? CL_PROFILING_COMMAND_START : CL_PROFILING_COMMAND_END,
                                      sizeof start, &start, NULL);
    if (got == CL_SUCCESS)
        got = clGetEventProfilingInfo(record->last, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
    if (got != CL_SUCCESS) return strata_fail_opencl(err, got, "timing a command");
    const double seconds = end > start ? 1e-9 * (double)(end - start) : 0;
    p->told.lines[record->line].seconds += seconds;
    add_span(&p->device, &(struct profile_span){ record->line, record->queue ? PROFILE_COPY : PROFILE_COMPUTE,
                                                 1e-9 * (double)start + p->offset, seconds });
    return true;
}

/* With the lock held. */
static bool settle(struct profile *p, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; i < p->pending_count; i++) {
        ok = ok && read_record(p, &p->pending[i], err);
        drop_events(&p->pending[i]);
    }
    p->pending_count = 0;
    return ok;
}

static bool add(struct profile *p, const struct purpose *purpose, const struct record *record, strata_error *err)
{
    struct record own = *record;
    void *pending = p->pending;
    if (!find_line(p, purpose, &own.line, err)
        || !strata_reserve(&pending, &p->pending_room, p->pending_count + 1, sizeof *p->pending, err))
        return false;
    strata_profile_line *line = &p->told.lines[own.line];
    line->times += !purpose->again;
    line->tuned = purpose->tuned;
    line->flops += purpose->flops;
    line->bytes += purpose->bytes;
    p->pending = pending;
    p->pending[p->pending_count++] = own;
    return true;
}

bool strata_profile_note(struct profile *profile, const struct purpose *purpose, int queue, cl_event first,
                         cl_event last, strata_error *err)
{
    struct record record = { first, last, 0, queue };
    if (!profile) return true;
    pthread_mutex_lock(&profile->lock);
    bool ok = add(profile, purpose, &record, err);
    if (!ok) drop_events(&record);
    if (ok && profile->pending_count >= PENDING) ok = settle(profile, err);
    pthread_mutex_unlock(&profile->lock);
    return ok;
}

void strata_profile_host(struct profile *p, enum profile_thread thread, const char *what, double start)
{
    strata_error ignored = { 0 };
    const struct purpose purpose = { .step = "", .operation = what, .implementation = "", .again = true };
    struct profile_span span = { .thread = thread, .start = start, .seconds = strata_clock() - start };
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    if (find_line(p, &purpose, &span.line, &ignored)) add_span(&p->host, &span);
    pthread_mutex_unlock(&p->lock);
}

/* ---- two clocks -------------------------------------------------------------------------------------------------- */

/* OpenCL 1.2 does not say how the device's clock and the host's hang together, but a command ends between its queueing and
 * the end of the wait for it. */
static bool read_clock(struct device *device, double *offset, double *doubt, strata_error *err)
{
    cl_event mark = NULL;
    cl_ulong end = 0;
    const double before = strata_clock();
    cl_int got = clEnqueueMarkerWithWaitList(device->queues[QUEUE_COMPUTE], 0, NULL, &mark);
    if (got == CL_SUCCESS) got = clWaitForEvents(1, &mark);
    const double after = strata_clock();
    if (got == CL_SUCCESS) got = clGetEventProfilingInfo(mark, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
    if (mark) clReleaseEvent(mark);
    *doubt = after - before;
    *offset = (before + after) / 2 - 1e-9 * (double)end;
    return got == CL_SUCCESS || strata_fail_opencl(err, got, "%s: reading its clock", device->text);
}

static bool find_offset(struct device *device, double *offset, strata_error *err)
{
    double least = 0;
    for (int i = 0; i < READINGS; i++) {
        double doubt, read;
        if (!read_clock(device, &read, &doubt, err)) return false;
        if (i > 0 && doubt >= least) continue;
        least = doubt;
        *offset = read;
    }
    return true;
}

bool strata_profile_spans(struct profile *p, struct device *device, struct profile_spans *spans, strata_error *err)
{
    double offset = 0;
    if (!find_offset(device, &offset, err) || !strata_profile_read(p, err)) return false;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->device.count; i++) p->device.spans[i].start += offset - p->offset;
    p->offset = offset;
    pthread_mutex_unlock(&p->lock);
    *spans = (struct profile_spans){ { p->device.spans, p->host.spans }, { p->device.count, p->host.count } };
    return true;
}

const strata_profile *strata_profile_read(struct profile *profile, strata_error *err)
{
    pthread_mutex_lock(&profile->lock);
    const bool ok = settle(profile, err);
    pthread_mutex_unlock(&profile->lock);
    return ok ? &profile->told : NULL;
}

bool strata_profile_reset(struct profile *profile, strata_error *err)
{
    pthread_mutex_lock(&profile->lock);
    const bool ok = settle(profile, err);
    empty(profile);
    pthread_mutex_unlock(&profile->lock);
    return ok;
}
