/* Slot arenas, of which every rank holds its owned part, whole on rank 0's host: for checkpoints. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dist/reducer_priv.h"

enum { CHUNK_FLOATS = 1 << 28, TAG = 0 }; /* MPI counts in ints */

struct transfer {
    struct reducer *reducer;
    struct buffer *slots;
    float *host;  /* rank 0's: count floats */
    float *part;  /* owned: room for what any rank owns on rank 0, else for the own part */
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

/* Between the arena's order and a rank's packed spans. */
static void unpack(const struct reducer *r, int rank, const float *part, float *host)
{
    for (size_t b = 0; b < r->bucket_count; b++) {
        const struct span slice = strata_reducer_slice(r, b, rank);
        memcpy(host + slice.begin, part, (slice.end - slice.begin) * sizeof *part);
        part += slice.end - slice.begin;
    }
}

static void pack(const struct reducer *r, int rank, const float *host, float *part)
{
    for (size_t b = 0; b < r->bucket_count; b++) {
        const struct span slice = strata_reducer_slice(r, b, rank);
        memcpy(part, host + slice.begin, (slice.end - slice.begin) * sizeof *part);
        part += slice.end - slice.begin;
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

static bool collect_job(struct comm *comm, void *context, strata_error *err)
{
    struct transfer *t = context;
    struct reducer *r = t->reducer;
    if (!agree(comm, make_part(t, err) && read_slots(t, err), err)) return false;
    if (comm->rank > 0) return move_floats(comm, true, t->part, r->owned, 0, err);
    unpack(r, 0, t->part, t->host);
    for (int rank = 1; rank < comm->size; rank++) {
        if (!move_floats(comm, false, t->part, owned_by(r, rank), rank, err)) return false;
        unpack(r, rank, t->part, t->host);
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

bool strata_reducer_collect(struct reducer *reducer, const struct buffer *slots, float *host, strata_error *err)
{
    struct transfer t = { .reducer = reducer, .slots = (struct buffer *)slots, .host = host }; /* is only read */
    const bool ok = strata_comm_do(reducer->comm, collect_job, &t, err);
    free(t.part);
    return ok;
}

bool strata_reducer_distribute(struct reducer *reducer, struct buffer *slots, const float *host, strata_error *err)
{
    struct transfer t = { .reducer = reducer, .slots = slots, .host = (float *)host }; /* is only read */
    const bool ok = strata_comm_do(reducer->comm, distribute_job, &t, err);
    free(t.part);
    return ok;
}
