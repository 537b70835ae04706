/* One time line of all ranks, in Chrome's trace event format: complete events ("ph": "X") in microseconds, a process a rank, a
 * thread for each kind of work. Source: "Trace Event Format", the Catapult project. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/profile.h"
#include "dist/comm_priv.h"
#include "dist/context.h"
#include "files/archive.h"

enum { READINGS = 10, CHUNK = 1 << 28, TAG = 0 };

struct trace {
    struct comm *comm;
    struct text text; /* of this rank; on rank 0 in the end of all */
    double offset;    /* of rank 0's strata_clock to this rank's */
};

/* ---- clocks ---------------------------------------------------------------------------------------------------- */

static bool move(struct comm *comm, bool send, void *bytes, size_t size, int peer, strata_error *err)
{
    const char *what = "gathering the time lines";
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = send ? MPI_Isend(bytes, (int)size, MPI_BYTE, peer, TAG, comm->world, &request)
                          : MPI_Irecv(bytes, (int)size, MPI_BYTE, peer, TAG, comm->world, &request);
    return strata_comm_check(comm, code, what, err) && strata_comm_complete(comm, &request, 1, what, err);
}

/* Rank 0 answers each question with its time, which was it half-way between question and answer; the quickest answer is
 * nearest to the truth. */
static bool ask_for_time(struct trace *t, strata_error *err)
{
    double least = DBL_MAX, theirs = 0;
    for (int i = 0; i < READINGS; i++) {
        const double before = strata_clock();
        if (!move(t->comm, true, &theirs, sizeof theirs, 0, err) || !move(t->comm, false, &theirs, sizeof theirs, 0, err))
            return false;
        const double after = strata_clock();
        if (after - before < least) t->offset = theirs - (before + after) / 2;
        least = fmin(least, after - before);
    }
    return true;
}

static bool tell_time(struct comm *comm, int rank, strata_error *err)
{
    for (int i = 0; i < READINGS; i++) {
        double time;
        if (!move(comm, false, &time, sizeof time, rank, err)) return false;
        time = strata_clock();
        if (!move(comm, true, &time, sizeof time, rank, err)) return false;
    }
    return true;
}

/* The ranks of rank 0's node have its clock. */
static bool clock_job(struct comm *comm, void *context, strata_error *err)
{
    struct trace *t = context;
    if (comm->rank > 0) {
        if (!ask_for_time(t, err)) return false;
        if (comm->node == 0) t->offset = 0;
        return true;
    }
    for (int rank = 1; rank < comm->size; rank++)
        if (!tell_time(comm, rank, err)) return false;
    return true;
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

static const char *thread_name(int thread)
{
    switch (thread) {
    case PROFILE_COMPUTE: return "compute";
    case PROFILE_COPY: return "copy";
    case PROFILE_DATA: return "data";
    case PROFILE_SAVING: return "checkpoint";
    default: return "communication";
    }
}

/* "name": a JSON string with what would end it escaped. */
static void add_name(struct text *text, const char *key, const char *name)
{
    strata_text_add(text, "\"%s\":\"", key);
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') strata_text_add_bytes(text, "\\", 1);
        strata_text_add_bytes(text, (unsigned char)*name < ' ' ? " " : name, 1);
    }
    strata_text_add_bytes(text, "\"", 1);
}

static void add_names(struct trace *t, const char *device)
{
    char process[STRATA_HOST + STRATA_DEVICE_TEXT + 40];
    snprintf(process, sizeof process, "rank %d on %s: %.*s", t->comm->rank, t->comm->host, STRATA_DEVICE_TEXT, device);
    strata_text_add(&t->text, "%s{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"tid\":0,\"args\":{",
                    t->comm->rank ? ",\n" : "", t->comm->rank);
    add_name(&t->text, "name", process);
    strata_text_add(&t->text, "}}");
    for (int thread = 0; thread < PROFILE_THREADS; thread++)
        strata_text_add(&t->text, ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"%s\"}}",
                        t->comm->rank, thread, thread_name(thread));
}

static void add_span(struct trace *t, const strata_profile *told, const struct profile_span *span, double origin)
{
    const strata_profile_line *line = &told->lines[span->line];
    strata_text_add(&t->text, ",\n{\"ph\":\"X\",");
    add_name(&t->text, "name", line->step[0] ? line->step : line->operation);
    strata_text_add(&t->text, ",\"cat\":\"%s\",\"ts\":%.3f,\"dur\":%.3f,\"pid\":%d,\"tid\":%d,\"args\":{",
                    thread_name((int)span->thread), 1e6 * (span->start + t->offset - origin), 1e6 * span->seconds,
                    t->comm->rank, (int)span->thread);
    add_name(&t->text, "operation", line->operation);
    strata_text_add(&t->text, ",");
    add_name(&t->text, "implementation", line->implementation);
    strata_text_add(&t->text, "%s}}", line->tuned ? ",\"tuned\":true" : "");
}

/* The begin of the first span on rank 0's clock; infinite when there is none. */
static double first_start(const struct trace *t, const struct profile_spans *spans)
{
    double first = INFINITY;
    for (int l = 0; l < 2; l++)
        for (size_t i = 0; i < spans->count[l]; i++) first = fmin(first, spans->list[l][i].start + t->offset);
    return first;
}

/* ---- together --------------------------------------------------------------------------------------------------- */

/* Every rank's text behind that of the rank before it, on rank 0. */
static bool gather_job(struct comm *comm, void *context, strata_error *err)
{
    struct trace *t = context;
    const int first = comm->rank == 0 ? 1 : comm->rank, last = comm->rank == 0 ? comm->size - 1 : comm->rank;
    for (int rank = first; rank <= last; rank++) {
        const bool send = comm->rank > 0;
        uint64_t size = t->text.length;
        if (!move(comm, send, &size, sizeof size, send ? 0 : rank, err)) return false;
        char *part = send ? t->text.data : strata_alloc(size, 1, err);
        bool ok = part != NULL;
        for (uint64_t at = 0; ok && at < size; at += CHUNK)
            ok = move(comm, send, part + at, size - at < CHUNK ? size - at : CHUNK, send ? 0 : rank, err);
        if (!send) {
            if (ok) strata_text_add_bytes(&t->text, part, size);
            free(part);
        }
        if (!ok) return false;
    }
    return true;
}

static bool write_file(struct trace *t, const char *path, strata_error *err)
{
    strata_text_add(&t->text, "\n]}\n");
    const size_t length = t->text.length;
    char *all = strata_text_take(&t->text, err);
    const bool ok = all && strata_file_replace(path, all, length, err);
    free(all);
    return ok;
}

bool strata_context_trace(strata_context *context, const char *path, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    struct device *device = strata_context_device_of(context);
    struct trace t = { .comm = comm };
    struct profile_spans spans = { 0 };
    const strata_profile *told = strata_context_profile(context, err);
    const bool has_spans = told && strata_device_profile(device);
    bool ok = told && (!has_spans || strata_profile_spans(strata_device_profile(device), device, &spans, err));
    ok = strata_comm_agree(comm, ok, err) && strata_comm_do(comm, clock_job, &t, err);
    double origin = ok ? -first_start(&t, &spans) : 0;
    if (!ok || !strata_comm_max(comm, &origin, 1, err)) return false;
    if (comm->rank == 0) strata_text_add(&t.text, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    add_names(&t, strata_device_text(device));
    for (int l = 0; l < 2; l++)
        for (size_t i = 0; i < spans.count[l]; i++) add_span(&t, told, &spans.list[l][i], -origin);
    ok = strata_comm_agree(comm, !t.text.failed || strata_fail(err, STRATA_EMEMORY, "out of memory for the time line"), err)
         && strata_comm_do(comm, gather_job, &t, err);
    ok = strata_comm_agree(comm, ok && (comm->rank > 0 || write_file(&t, path, err)), err);
    strata_text_free(&t.text);
    return ok;
}
