/* What ranks send each other in a step. Ranks of one node read each other's memory, and for each owner elsewhere one of them
 * adds up the gradients of all of them, so that between nodes each number travels once a node; likewise for new weights one
 * of them receives for all. Where sums must be built of single parts (strata_reducer_parts) every rank sends its own. */
#include <math.h>
#include <string.h>

#include "dist/half.h"
#include "dist/reducer_priv.h"

static const double LONGEST = 2000; /* seconds that an int of microseconds can hold */

static int tag_of(const struct lane *lane)
{
    return (int)(lane->bucket % 32768);
}

static int own_begin(const struct reducer *r)
{
    return r->nodes.begin[r->nodes.own];
}

static int own_end(const struct reducer *r)
{
    return r->nodes.begin[r->nodes.own + 1];
}

static bool is_near(const struct reducer *r, int rank)
{
    return r->nodes.of[rank] == r->nodes.own;
}

/* Where a rank of this node has its gradients of a span. */
static float *gradients_of(const struct reducer *r, int rank, struct span span)
{
    return r->staging.gradients[rank] + span.begin;
}

/* ---- posting ---------------------------------------------------------------------------------------------------- */

static MPI_Request *next_request(struct lane *lane)
{
    MPI_Request *request = &lane->requests[lane->request_count++];
    *request = MPI_REQUEST_NULL;
    return request;
}

/* A bucket is shorter than the 2^31 that MPI counts. */
static int post(struct lane *lane, bool send, void *at, size_t count, MPI_Datatype type, int peer, MPI_Comm comm)
{
    if (count == 0) return MPI_SUCCESS;
    return send ? MPI_Isend(at, (int)count, type, peer, tag_of(lane), comm, next_request(lane))
                : MPI_Irecv(at, (int)count, type, peer, tag_of(lane), comm, next_request(lane));
}

static int post_notice(const struct reducer *r, struct lane *lane, MPI_Comm comm)
{
    const bool last = lane->bucket + 1 == r->bucket_count;
    const bool odd = r->odd.found && !r->heard_odd;
    lane->own.flag = r->failed ? FLAG_FAILED : comm != r->exchange ? FLAG_FINE : r->wish ? FLAG_WISH : odd ? FLAG_ODD : FLAG_FINE;
    lane->own.ready = last ? (int)(fmin(r->ready - r->met, LONGEST) * 1e6) : 0;
    lane->worst = (struct notice){ FLAG_FAILED, 0 };
    return MPI_Iallreduce(&lane->own, &lane->worst, 2, MPI_INT, MPI_MAX, comm, next_request(lane));
}

int strata_wire_near(struct reducer *r, struct lane *lane, MPI_Comm near)
{
    lane->request_count = 0;
    strata_staging_sync(r);
    return MPI_Ibarrier(near, next_request(lane));
}

/* ---- gradients to their owners ------------------------------------------------------------------------------------ */

/* In 16 bits where the job says so. */
static int send_part(struct reducer *r, struct lane *lane, float *from, size_t count, int to)
{
    uint16_t *halves = lane->sent + lane->sent_count;
    if (r->wire == STRATA_WIRE_FLOAT) return post(lane, true, from, count, MPI_FLOAT, to, r->exchange);
    if (r->wire == STRATA_WIRE_BF16)
        strata_to_bf16(from, halves, count);
    else
        r->saturated += strata_to_fp16(from, halves, count);
    lane->sent_count += count;
    return post(lane, true, halves, count, MPI_UINT16_T, to, r->exchange);
}

/* The next of the parts that come from other nodes, in order. */
static int receive_part(struct reducer *r, struct lane *lane, size_t part, int from)
{
    const size_t mine = strata_span_length(strata_reducer_slice(r, lane->bucket, r->comm->rank));
    if (r->wire == STRATA_WIRE_FLOAT)
        return post(lane, false, lane->parts + part * mine, mine, MPI_FLOAT, from, r->exchange);
    return post(lane, false, lane->received + part * mine, mine, MPI_UINT16_T, from, r->exchange);
}

static void add_near(const struct reducer *r, struct span span, float *sum)
{
    const int begin = own_begin(r), end = own_end(r);
    memcpy(sum, gradients_of(r, r->nodes.ranks[begin], span), strata_span_length(span) * sizeof *sum);
    for (int i = begin + 1; i < end; i++) {
        const float *part = gradients_of(r, r->nodes.ranks[i], span);
        for (size_t e = 0; e < strata_span_length(span); e++) sum[e] += part[e];
    }
}

/* Node sums: every node begins with the node after it, so that not all send to the same one. */
static int post_sums(struct reducer *r, struct lane *lane)
{
    const int me = r->comm->rank, nodes = r->nodes.count;
    float *sum = lane->sums;
    int code = MPI_SUCCESS;
    for (int i = 1; i < nodes && code == MPI_SUCCESS; i++) {
        const int from = (r->nodes.own + nodes - i) % nodes;
        code = receive_part(r, lane, (size_t)(from < r->nodes.own ? from : from - 1), strata_nodes_helper(&r->nodes, from, me));
    }
    for (int i = 0; i < r->comm->size && code == MPI_SUCCESS; i++) {
        const int to = r->nodes.ranks[(own_end(r) + i) % r->comm->size];
        const struct span theirs = strata_reducer_slice(r, lane->bucket, to);
        if (is_near(r, to) || strata_nodes_helper(&r->nodes, r->nodes.own, to) != me) continue;
        if (own_end(r) - own_begin(r) == 1) {
            code = send_part(r, lane, gradients_of(r, me, theirs), strata_span_length(theirs), to);
            continue;
        }
        add_near(r, theirs, sum);
        code = send_part(r, lane, sum, strata_span_length(theirs), to);
        sum += strata_span_length(theirs);
    }
    return code;
}

/* Single parts, from and to every rank of another node. */
static int post_parts(struct reducer *r, struct lane *lane)
{
    const int ranks = r->comm->size, me = r->comm->rank;
    size_t part = 0;
    int code = MPI_SUCCESS;
    for (int from = 0; from < ranks; from++)
        for (size_t p = 0; !is_near(r, from) && p < r->parts[from] && code == MPI_SUCCESS; p++)
            code = receive_part(r, lane, part++, from);
    for (int i = 1; i < ranks; i++) {
        const int to = (me + i) % ranks;
        const struct span theirs = strata_reducer_slice(r, lane->bucket, to);
        for (size_t p = 0; !is_near(r, to) && p < r->parts[me] && code == MPI_SUCCESS; p++)
            code = send_part(r, lane, gradients_of(r, me, theirs) + p * r->count, strata_span_length(theirs), to);
    }
    return code;
}

int strata_wire_exchange(struct reducer *r, struct lane *lane)
{
    int code = MPI_SUCCESS;
    lane->request_count = 0;
    lane->sent_count = 0;
    strata_staging_sync(r);
    if (r->nodes.count > 1) code = r->by_node ? post_sums(r, lane) : post_parts(r, lane);
    return code == MPI_SUCCESS ? post_notice(r, lane, r->exchange) : code;
}

/* ---- adding them up ------------------------------------------------------------------------------------------------ */

static size_t far_parts(const struct reducer *r)
{
    size_t count = 0;
    for (int rank = 0; !r->by_node && rank < r->comm->size; rank++)
        if (!is_near(r, rank)) count += r->parts[rank];
    return r->by_node ? (size_t)r->nodes.count - 1 : count;
}

void strata_wire_arrived(struct reducer *r, struct lane *lane)
{
    const size_t count = far_parts(r) * strata_span_length(strata_reducer_slice(r, lane->bucket, r->comm->rank));
    strata_staging_sync(r);
    if (r->wire == STRATA_WIRE_BF16) strata_from_bf16(lane->received, lane->parts, count);
    if (r->wire == STRATA_WIRE_FP16) strata_from_fp16(lane->received, lane->parts, count);
}

/* By node: a part is a rank of this node, or another node. */
static const float *sum_of(const struct reducer *r, const struct lane *lane, struct span mine, size_t part)
{
    const size_t before = (size_t)r->nodes.own, near = (size_t)(own_end(r) - own_begin(r));
    if (part >= before && part < before + near)
        return gradients_of(r, r->nodes.ranks[(size_t)own_begin(r) + part - before], mine);
    return lane->parts + (part < before ? part : part - near) * strata_span_length(mine);
}

const float *strata_wire_part(const struct reducer *r, const struct lane *lane, struct span mine, size_t part)
{
    size_t far = 0, p = part;
    int rank = 0;
    if (r->by_node) return sum_of(r, lane, mine, part);
    while (p >= r->parts[rank]) {
        if (!is_near(r, rank)) far += r->parts[rank];
        p -= r->parts[rank++];
    }
    return is_near(r, rank) ? gradients_of(r, rank, mine) + p * r->count : lane->parts + (far + p) * strata_span_length(mine);
}

int strata_wire_rank(const struct reducer *r, size_t part, bool *others)
{
    const size_t before = (size_t)r->nodes.own, near = (size_t)(own_end(r) - own_begin(r));
    int rank = 0;
    *others = false;
    if (!r->by_node) {
        while (part >= r->parts[rank]) part -= r->parts[rank++];
        return rank;
    }
    if (part >= before && part < before + near) return r->nodes.ranks[(size_t)own_begin(r) + part - before];
    const size_t node = part < before ? part : part - near + 1;
    *others = r->nodes.begin[node + 1] - r->nodes.begin[node] > 1;
    return r->nodes.ranks[r->nodes.begin[node]];
}

/* Ranks of this node among themselves, then nodes in their order: the sum is the same whichever node's rank builds it. */
void strata_wire_order(struct reducer *r)
{
    r->step_count = 0;
    for (int node = 0; node < r->nodes.count; node++) {
        const int parts = node == r->nodes.own ? own_end(r) - own_begin(r) : 1;
        for (int i = 0; i < parts; i++) {
            r->steps[r->step_count++] = true;
            if (i > 0) r->steps[r->step_count++] = false;
        }
        if (node > 0) r->steps[r->step_count++] = false;
    }
}

/* ---- weights from their owners ------------------------------------------------------------------------------------- */

int strata_wire_gather(struct reducer *r, struct lane *lane)
{
    const int ranks = r->comm->size, me = r->comm->rank, nodes = r->nodes.count;
    const struct span mine = strata_reducer_slice(r, lane->bucket, me);
    int code = MPI_SUCCESS;
    lane->request_count = 0;
    strata_staging_sync(r);
    for (int i = 1; i < ranks && code == MPI_SUCCESS; i++) {
        const int from = (me + ranks - i) % ranks;
        const struct span theirs = strata_reducer_slice(r, lane->bucket, from);
        if (!is_near(r, from) && strata_nodes_helper(&r->nodes, r->nodes.own, from) == me)
            code = post(lane, false, r->staging.weights + theirs.begin, strata_span_length(theirs), MPI_FLOAT, from, r->gather);
    }
    for (int i = 1; i < nodes && code == MPI_SUCCESS; i++)
        code = post(lane, true, r->staging.weights + mine.begin, strata_span_length(mine), MPI_FLOAT,
                    strata_nodes_helper(&r->nodes, (r->nodes.own + i) % nodes, me), r->gather);
    return code == MPI_SUCCESS ? post_notice(r, lane, r->gather) : code;
}
