/* Slot arenas, of which every rank holds its owned part, on rank 0's host: for checkpoints. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dist/reducer_priv.h"

enum { CHUNK_FLOATS = 1 << 28, TAG = 0 }; /* MPI counts in ints */

struct transfer {
    struct reducer *reducer;
    struct buffer *slots;
    const struct stretch *stretches; /* rank 0's, of a collection */
    size_t stretch_count;
    const float *host; /* rank 0's, of a distribution: count floats */
    float *part;       /* owned: room for what any rank owns on rank 0, else for the own part */
};

static size_t owned_by(const struct reducer *r, int rank)
{
    size_t owned = 0;
    for (size_t b = 0; b < r->bucket_count; b++) {
        const struct span slice = strata_reducer_slice(r, b, rank);
        owned += slice.end - slice.begin;
    }
    return owned;
}

/* What lies in the stretches of a rank's owned spans, which are packed in `part`. */
static void unpack(const struct transfer *t, int rank, const float *part)
{
    const struct reducer *r = t->reducer;
    size_t i = 0;
    for (size_t b = 0; b < r->bucket_count; b++) {
        const struct span slice = strata_reducer_slice(r, b, rank);
        for (; i < t->stretch_count && t->stretches[i].at < slice.end; i++) {
            const struct stretch *s = &t->stretches[i];
            const size_t end = s->at + s->count < slice.end ? s->at + s->count : slice.end;
            const size_t begin = s->at > slice.begin ? s->at : slice.begin;
            if (begin < end) memcpy(s->host + (begin - s->at), part + (begin - slice.begin), (end - begin) * sizeof *part);
            if (s->at + s->count > slice.end) break; /* it goes on in another rank's */
        }
        part += strata_span_length(slice);
    }
}

static void pack(const struct reducer *r, int rank, const float *host, float *part)
{
    for (size_t b = 0; b < r->bucket_count; b++) {
        const struct span slice = strata_reducer_slice(r, b, rank);
        memcpy(part, host + slice.begin, strata_span_length(slice) * sizeof *part);
        part += strata_span_length(slice);
    }
}

/* Floats between rank 0 and another; the other side calls it too. */
static bool move_floats(struct comm *comm, bool send, float *floats, size_t count, int peer, strata_error *err)
{
    const char *what = "moving optimizer slots";
    for (size_t done = 0; done < count; done += CHUNK_FLOATS) {
        const int part = (int)(count - done < CHUNK_FLOATS ? count - done : CHUNK_FLOATS);
        MPI_Request request = MPI_REQUEST_NULL;
        const int code = send ? MPI_Isend(floats + done, part, MPI_FLOAT, peer, TAG, comm->world, &request)
                              : MPI_Irecv(floats + done, part, MPI_FLOAT, peer, TAG, comm->world, &request);
        if (!strata_comm_check(comm, code, what, err) || !strata_comm_complete(comm, &request, 1, what, err))
            return false;
    }
    return true;
}

static bool make_part(struct transfer *t, strata_error *err)
{
    const struct reducer *r = t->reducer;
    size_t room = r->owned;
    for (int rank = 1; r->comm->rank == 0 && rank < r->comm->size; rank++)
        if (owned_by(r, rank) > room) room = owned_by(r, rank);
    return (t->part = strata_alloc(room, sizeof *t->part, err));
}

/* With one rank updates run on the compute queue, else on the copy queue: what was queued there comes first. */
static enum queue_index queue_of(const struct reducer *r)
{
    return r->comm->size > 1 ? QUEUE_COPY : QUEUE_COMPUTE;
}

static bool read_slots(struct transfer *t, strata_error *err)
{
    const struct reducer *r = t->reducer;
    return r->owned == 0
           || strata_buffer_read(r->device, queue_of(r), t->slots, 0, r->owned * sizeof(float), t->part, err);
}

static bool write_slots(struct transfer *t, strata_error *err)
{
    const struct reducer *r = t->reducer;
    return r->owned == 0
           || strata_buffer_write(r->device, queue_of(r), t->slots, 0, r->owned * sizeof(float), t->part, err);
}

static bool agree(struct comm *comm, bool ok, strata_error *err)
{
    return comm->size == 1 ? ok : strata_comm_agree_now(comm, ok, err);
}

/* One rank owns all, so that its slots lie as in the arena. */
static bool queue_stretches(const struct transfer *t, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < t->stretch_count; i++) {
        const struct stretch *s = &t->stretches[i];
        ok = strata_buffer_read_async(t->reducer->device, QUEUE_COPY, t->slots, s->at * sizeof(float), s->count * sizeof(float),
                                      s->host, NULL, err);
    }
    return ok;
}

static bool collect_job(struct comm *comm, void *context, strata_error *err)
{
    struct transfer *t = context;
    struct reducer *r = t->reducer;
    if (comm->size == 1) return queue_stretches(t, err);
    if (!agree(comm, make_part(t, err) && read_slots(t, err), err)) return false;
    if (comm->rank > 0) return move_floats(comm, true, t->part, r->owned, 0, err);
    unpack(t, 0, t->part);
    for (int rank = 1; rank < comm->size; rank++) {
        if (!move_floats(comm, false, t->part, owned_by(r, rank), rank, err)) return false;
        unpack(t, rank, t->part);
    }
    return true;
}

static bool distribute_job(struct comm *comm, void *context, strata_error *err)
{
    struct transfer *t = context;
    struct reducer *r = t->reducer;
    if (!agree(comm, make_part(t, err), err)) return false;
    if (comm->rank > 0 && !move_floats(comm, false, t->part, r->owned, 0, err)) return false;
    for (int rank = 1; comm->rank == 0 && rank < comm->size; rank++) {
        pack(r, rank, t->host, t->part);
        if (!move_floats(comm, true, t->part, owned_by(r, rank), rank, err)) return false;
    }
    if (comm->rank == 0) pack(r, 0, t->host, t->part);
    return agree(comm, write_slots(t, err), err);
}

bool strata_reducer_collect(struct reducer *reducer, const struct buffer *slots, const struct stretch *stretches, size_t count,
                            strata_error *err)
{
    struct transfer t = { .reducer = reducer, .slots = (struct buffer *)slots /* is only read */, .stretches = stretches,
                          .stretch_count = count };
    const bool ok = strata_comm_do(reducer->comm, collect_job, &t, err);
    free(t.part);
    return ok;
}

bool strata_reducer_distribute(struct reducer *reducer, struct buffer *slots, const float *host, strata_error *err)
{
    struct transfer t = { .reducer = reducer, .slots = slots, .host = host };
    const bool ok = strata_comm_do(reducer->comm, distribute_job, &t, err);
    free(t.part);
    return ok;
}
