/* What all ranks do together, as jobs of the communication thread. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/text.h"
#include "dist/comm_priv.h"

enum { CHUNK_BYTES = 1 << 30 }; /* MPI counts in ints */

/* Arguments of the jobs; each uses some. */
struct words {
    bool ok;
    const void *bytes;
    void *all;
    double *values;
    size_t size;
    int root;
    strata_error *err;
};

static bool gather_now(struct comm *comm, const void *bytes, size_t size, void *all, strata_error *err)
{
    MPI_Request request = MPI_REQUEST_NULL;
    if (size > INT_MAX)
        return strata_fail(err, STRATA_EVALUE, "%zu bytes are too many to be gathered at once", size);
    if (comm->size == 1) {
        memcpy(all, bytes, size);
        return true;
    }
    const int code = MPI_Iallgather(bytes, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, comm->world, &request);
    return strata_comm_check(comm, code, "gathering from all ranks", err)
           && strata_comm_complete(comm, &request, 1, "gathering from all ranks", err);
}

static bool broadcast_now(struct comm *comm, void *bytes, size_t size, int root, strata_error *err)
{
    for (size_t done = 0; done < size; done += CHUNK_BYTES) {
        MPI_Request request = MPI_REQUEST_NULL;
        const size_t part = size - done < CHUNK_BYTES ? size - done : CHUNK_BYTES;
        const int code = MPI_Ibcast((char *)bytes + done, (int)part, MPI_BYTE, root, comm->world, &request);
        if (!strata_comm_check(comm, code, "broadcasting", err)
            || !strata_comm_complete(comm, &request, 1, "broadcasting", err))
            return false;
    }
    return true;
}

/* ---- agree ----------------------------------------------------------------------------------------------------- */

/* An error on its way to the other ranks. */
struct letter {
    strata_error error;
    char host[STRATA_HOST];
};

bool strata_comm_agree_now(struct comm *comm, bool ok, strata_error *err)
{
    const char *what = "agreeing with all ranks";
    MPI_Request request = MPI_REQUEST_NULL;
    int mine = ok ? comm->size : comm->rank, lowest = mine;
    const int code = MPI_Iallreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, comm->world, &request);
    if (!strata_comm_check(comm, code, what, err) || !strata_comm_complete(comm, &request, 1, what, err)) return false;
    if (lowest == comm->size) return true;
    struct letter letter = { .error = *err };
    memcpy(letter.host, comm->host, sizeof letter.host);
    if (!broadcast_now(comm, &letter, sizeof letter, lowest, err)) return false;
    letter.error.message[sizeof letter.error.message - 1] = letter.host[sizeof letter.host - 1] = '\0';
    *err = letter.error;
    return strata_fail_in(err, "rank %d on %s", lowest, letter.host);
}

static bool agree_job(struct comm *comm, void *context, strata_error *err)
{
    const struct words *w = context;
    if (!w->ok) *err = *w->err;
    return strata_comm_agree_now(comm, w->ok, err);
}

bool strata_comm_agree(struct comm *comm, bool ok, strata_error *err)
{
    struct words words = { .ok = ok, .err = err };
    return comm->size == 1 ? ok : strata_comm_do(comm, agree_job, &words, err);
}

/* ---- same ------------------------------------------------------------------------------------------------------ */

/* What stands for a rank's bytes. */
struct stamp {
    uint64_t hash, size;
    char host[STRATA_HOST];
};

static bool alike(const struct stamp *a, const struct stamp *b)
{
    return a->hash == b->hash && a->size == b->size;
}

/* The first of those that most ranks have. */
static int majority(const struct stamp *stamps, int count)
{
    int best = 0, best_votes = 0;
    for (int i = 0; i < count; i++) {
        int votes = 0;
        for (int j = 0; j < count; j++)
            votes += alike(&stamps[i], &stamps[j]);
        if (votes > best_votes) {
            best = i;
            best_votes = votes;
        }
    }
    return best;
}

static bool name_odd(const struct stamp *stamps, int count, const char *what, strata_error *err)
{
    struct text odd = { 0 };
    const int usual = majority(stamps, count);
    int different = 0;
    for (int i = 0; i < count; i++)
        if (!alike(&stamps[i], &stamps[usual]))
            strata_text_add(&odd, "%srank %d on %s", different++ ? ", " : "", i, stamps[i].host);
    if (different)
        strata_fail(err, STRATA_EDISAGREE, "the ranks do not have the same %s: %s %s from rank %d on %s%s", what,
                    odd.data ? odd.data : "some", different > 1 ? "differ" : "differs", usual, stamps[usual].host,
                    count - different > 1 ? " and the others" : "");
    strata_text_free(&odd);
    return different == 0;
}

static bool gather_job(struct comm *comm, void *context, strata_error *err)
{
    const struct words *w = context;
    return gather_now(comm, w->bytes, w->size, w->all, err);
}

bool strata_comm_same(struct comm *comm, const char *what, const void *bytes, size_t size, strata_error *err)
{
    if (comm->size == 1) return true;
    struct stamp mine = { .hash = XXH3_64bits(bytes, size), .size = size };
    memcpy(mine.host, comm->host, sizeof mine.host);
    struct stamp *all = strata_alloc((size_t)comm->size, sizeof *all, err);
    struct words words = { .bytes = &mine, .size = sizeof mine, .all = all };
    const bool ok = strata_comm_agree(comm, all != NULL, err) && strata_comm_do(comm, gather_job, &words, err)
                    && name_odd(all, comm->size, what, err);
    free(all);
    return ok;
}

/* ---- broadcast, gather, sum, max ------------------------------------------------------------------------------- */

static bool broadcast_job(struct comm *comm, void *context, strata_error *err)
{
    const struct words *w = context;
    return broadcast_now(comm, w->all, w->size, w->root, err);
}

bool strata_comm_broadcast(struct comm *comm, void *bytes, size_t size, int root, strata_error *err)
{
    struct words words = { .all = bytes, .size = size, .root = root };
    return comm->size == 1 || strata_comm_do(comm, broadcast_job, &words, err);
}

bool strata_comm_gather(struct comm *comm, const void *bytes, size_t size, void *all, strata_error *err)
{
    struct words words = { .bytes = bytes, .size = size, .all = all };
    return strata_comm_do(comm, gather_job, &words, err);
}

/* Every rank gets the numbers of all and combines them itself in rank order: the same bits everywhere. */
static bool combine(struct comm *comm, double *values, size_t count, bool maximum, strata_error *err)
{
    const size_t ranks = (size_t)comm->size;
    double *all = count > 0 ? strata_alloc(ranks * count, sizeof *all, err) : NULL;
    if (!all || !gather_now(comm, values, count * sizeof *values, all, err)) {
        free(all);
        return count == 0;
    }
    memcpy(values, all, count * sizeof *values);
    for (size_t i = count; i < ranks * count; i++) {
        double *to = &values[i % count];
        if (!maximum)
            *to += all[i];
        else if (all[i] > *to || isnan(all[i])) /* a NaN stays, so that it is seen */
            *to = all[i];
    }
    free(all);
    return true;
}

bool strata_comm_sum_now(struct comm *comm, double *values, size_t count, strata_error *err)
{
    return combine(comm, values, count, false, err);
}

static bool sum_job(struct comm *comm, void *context, strata_error *err)
{
    const struct words *w = context;
    return combine(comm, w->values, w->size, false, err);
}

static bool max_job(struct comm *comm, void *context, strata_error *err)
{
    const struct words *w = context;
    return combine(comm, w->values, w->size, true, err);
}

bool strata_comm_sum(struct comm *comm, double *values, size_t count, strata_error *err)
{
    struct words words = { .values = values, .size = count };
    return comm->size == 1 || strata_comm_do(comm, sum_job, &words, err);
}

struct comm_sum {
    struct comm *comm;
    struct job job;
    struct words words;
    bool begun;
};

struct comm_sum *strata_comm_sum_create(struct comm *comm, size_t count, strata_error *err)
{
    struct comm_sum *sum = strata_alloc(1, sizeof *sum, err);
    if (!sum) return NULL;
    sum->comm = comm;
    sum->words = (struct words){ .values = strata_alloc(count, sizeof(double), err), .size = count };
    if (sum->words.values) return sum;
    free(sum);
    return NULL;
}

void strata_comm_sum_begin(struct comm_sum *sum, const double *values)
{
    memcpy(sum->words.values, values, sum->words.size * sizeof *values);
    sum->begun = true;
    sum->job = (struct job){ .work = sum_job, .context = &sum->words };
    if (sum->comm->size > 1) strata_comm_submit(sum->comm, &sum->job);
}

bool strata_comm_sum_end(struct comm_sum *sum, double *values, strata_error *err)
{
    sum->begun = false;
    if (sum->comm->size > 1 && !strata_comm_join(sum->comm, &sum->job, err)) return false;
    memcpy(values, sum->words.values, sum->words.size * sizeof *values);
    return true;
}

void strata_comm_sum_free(struct comm_sum *sum)
{
    strata_error ignored = { 0 };
    if (!sum) return;
    if (sum->begun && sum->comm->size > 1) (void)strata_comm_join(sum->comm, &sum->job, &ignored);
    free(sum->words.values);
    free(sum);
}

bool strata_comm_max(struct comm *comm, double *values, size_t count, strata_error *err)
{
    struct words words = { .values = values, .size = count };
    return comm->size == 1 || strata_comm_do(comm, max_job, &words, err);
}
