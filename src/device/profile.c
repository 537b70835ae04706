#include "device/profile.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/native.h"

enum { PENDING = 4096 }; /* events that are kept before their times are read */

struct record {
    cl_event first, last;
    size_t line;
    int queue;
};

struct profile {
    pthread_mutex_t lock;
    strata_profile told;
    size_t line_room, span_room;
    size_t next; /* the line that probably comes next: a step follows its predecessor's order */
    struct record *pending;
    size_t pending_count, pending_room;
    bool begun;
    cl_ulong origin; /* nanoseconds of the device's clock at the first command */
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
    p->pending_count = p->told.count = p->told.span_count = p->next = 0;
    p->begun = false;
}

void strata_profile_free(struct profile *profile)
{
    if (!profile) return;
    empty(profile);
    free(profile->told.lines);
    free(profile->told.spans);
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

static void add_span(struct profile *p, const struct record *record, cl_ulong start, double seconds)
{
    strata_error ignored = { 0 }; /* the list is cut short when there is no memory for it */
    void *spans = p->told.spans;
    if (!p->begun) p->origin = start;
    p->begun = true;
    if (p->told.span_count == STRATA_PROFILE_SPANS
        || !strata_reserve(&spans, &p->span_room, p->told.span_count + 1, sizeof *p->told.spans, &ignored))
        return;
    p->told.spans = spans;
    p->told.spans[p->told.span_count++] = (strata_profile_span){
        record->line, record->queue, ((double)start - (double)p->origin) * 1e-9, seconds
    };
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
    add_span(p, record, start, seconds);
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
