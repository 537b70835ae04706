/* Host memory between the devices of a node. */
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "dist/reducer_priv.h"

enum { PAGE = STRATA_LEND_ALIGNMENT, PAGE_FLOATS = PAGE / sizeof(float) };

/* Where the next page begins, as devices want memory that they take over. What ranks share is mapped by pages, so in each of them it
 * is the same number. */
static float *at_page(float *memory)
{
    return (float *)((char *)memory + (PAGE - (uintptr_t)memory % PAGE) % PAGE);
}

/* `floats` on this rank in memory that the node shares, with room to begin at a page. */
static bool share(struct comm *comm, size_t floats, MPI_Win *window, strata_error *err)
{
    const MPI_Aint bytes = floats ? (MPI_Aint)((floats + PAGE_FLOATS) * sizeof(float)) : 0;
    float *base = NULL;
    MPI_Info info = MPI_INFO_NULL;
    int code = MPI_Info_create(&info);
    if (code == MPI_SUCCESS) code = MPI_Info_set(info, "alloc_shared_noncontig", "true"); /* each on its own pages */
    if (code == MPI_SUCCESS)
        code = MPI_Win_allocate_shared(bytes, sizeof(float), info, comm->local, &base, window);
    if (code == MPI_SUCCESS) code = MPI_Win_lock_all(MPI_MODE_NOCHECK, *window);
    if (info != MPI_INFO_NULL) MPI_Info_free(&info);
    return strata_comm_check(comm, code, "memory that the ranks of a node share", err);
}

static bool find(struct comm *comm, MPI_Win window, int rank, float **base, strata_error *err)
{
    MPI_Aint size = 0;
    int unit = 0;
    if (!strata_comm_check(comm, MPI_Win_shared_query(window, rank, &size, &unit, base), "memory that the ranks of a node share", err))
        return false;
    *base = at_page(*base);
    return true;
}

static bool create_shared(struct reducer *r, strata_error *err)
{
    struct staging *s = &r->staging;
    struct comm *comm = r->comm;
    if (!share(comm, r->count * r->most_parts, &s->windows[0], err)
        || !share(comm, comm->local_rank == 0 ? r->count : 0, &s->windows[1], err)
        || !find(comm, s->windows[1], 0, &s->weights, err))
        return false;
    for (int i = 0; i < comm->local_size; i++)
        if (!find(comm, s->windows[0], i, &s->gradients[r->nodes.ranks[r->nodes.begin[r->nodes.own] + i]], err)) return false;
    return true;
}

static bool create_own(struct reducer *r, strata_error *err)
{
    struct staging *s = &r->staging;
    s->memory = strata_alloc(r->count * r->most_parts + PAGE_FLOATS, sizeof(float), err);
    s->weights = s->memory ? strata_alloc(r->count, sizeof(float), err) : NULL;
    if (!s->weights) return false;
    s->gradients[r->comm->rank] = at_page(s->memory);
    return true;
}

bool strata_staging_create(struct reducer *r, strata_error *err)
{
    struct staging *s = &r->staging;
    s->windows[0] = s->windows[1] = MPI_WIN_NULL;
    s->shared = r->comm->local_size > 1 && r->count > 0;
    s->gradients = strata_alloc((size_t)r->comm->size, sizeof *s->gradients, err);
    if (!strata_comm_agree_now(r->comm, s->gradients && (s->shared || create_own(r, err)), err)) return false;
    if (s->shared && !create_shared(r, err)) return false;
    const bool ok = r->count == 0 || strata_buffer_lend(r->source, s->gradients[r->comm->rank], &s->lent, err);
    return strata_comm_agree_now(r->comm, ok, err);
}

void strata_staging_free(struct reducer *r)
{
    struct staging *s = &r->staging;
    if (s->lent) strata_buffer_take_back(r->source);
    for (int i = 0; s->shared && !r->comm->broken && i < 2; i++)
        if (s->windows[i] != MPI_WIN_NULL) {
            MPI_Win_unlock_all(s->windows[i]);
            MPI_Win_free(&s->windows[i]);
        }
    free(s->memory);
    if (!s->shared) free(s->weights);
    free(s->gradients);
    *s = (struct staging){ .windows = { MPI_WIN_NULL, MPI_WIN_NULL } };
}

void strata_staging_sync(const struct reducer *r)
{
    for (int i = 0; r->staging.shared && i < 2; i++)
        MPI_Win_sync(r->staging.windows[i]);
}
