#include "train/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

static const double MIB = 1024 * 1024;

bool strata_memory_measure_passes(void *of, const struct memory_use *use, size_t n, struct plan_sizes *sizes, strata_error *err)
{
    return strata_passes_measure(of, n, use->global, use->training, sizes, err);
}

size_t strata_memory_at_once(const struct memory *memory, size_t count, size_t parts)
{
    const size_t least = memory->most ? (count + memory->most - 1) / memory->most : 1;
    if (parts < least) parts = least;
    return parts ? (count + parts - 1) / parts : count;
}

/* ---- what so many samples at once take ---------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool add(const struct memory_use *use, size_t n, struct plan_sizes *all, strata_error *err)
{
    struct plan_sizes one;
    if (n == 0) return true;
    if (!use->measure(use->of, use, n, &one, err)) return false;
    all->arena = larger(all->arena, one.arena);
    all->input = larger(all->input, one.input);
    all->scratch = larger(all->scratch, one.scratch);
    all->rest += one.rest;
    return true;
}

/* A rank without samples takes part with one where others exchange in the middle of a step. */
static bool measure_all(const struct memory_use *uses, size_t count, const struct memory_rest *rest, size_t most,
                        struct plan_sizes *all, size_t *bytes, strata_error *err)
{
    const struct memory memory = { .most = most };
    bool split = false;
    *all = (struct plan_sizes){ 0 };
    for (size_t i = 0; i < count; i++) {
        const struct memory_use *use = &uses[i];
        const size_t samples = use->count ? use->count : 1;
        const size_t n = rest->grain ? most < samples ? most : samples : strata_memory_at_once(&memory, samples, use->parts);
        if (!add(use, n, all, err) || !add(use, samples % n, all, err)) return false;
        split = split || (use->training && n < samples);
    }
    *bytes = rest->bytes + (split ? rest->split : 0) + all->arena + all->input + all->scratch + all->rest;
    return true;
}

static bool too_little(const struct memory *memory, size_t samples, size_t bytes, strata_error *err)
{
    return strata_fail(err, STRATA_EMEMORY, "the limit of device memory is %.2f MiB; with %zu sample%s at once at least %.2f MiB are "
                       "needed: raise --max-memory or run.max_memory", (double)memory->limit / MIB, samples,
                       samples == 1 ? "" : "s", (double)bytes / MIB);
}

/* The most samples at once that fit: what they take grows with them. */
static bool search(struct memory *memory, const struct memory_use *uses, size_t count, const struct memory_rest *rest,
                   struct plan_sizes *all, strata_error *err)
{
    size_t fits = 0, not = 1, bytes;
    for (size_t i = 0; i < count; i++) not = larger(not, uses[i].count);
    if (rest->grain && rest->together) {
        const struct memory_rest whole = { .bytes = rest->bytes };
        memory->most = not;
        if (!measure_all(uses, count, &whole, not, all, &memory->planned, err)) return false;
        if (memory->planned <= memory->limit) return true;
    }
    if (rest->grain) not = rest->grain;
    if (!measure_all(uses, count, rest, not, all, &bytes, err)) return false;
    if (rest->grain && bytes > memory->limit) return too_little(memory, not, bytes, err);
    if (bytes <= memory->limit) fits = not++;
    while (not - fits > 1) {
        const size_t middle = fits + (not - fits) / 2;
        if (!measure_all(uses, count, rest, middle, all, &bytes, err)) return false;
        if (bytes <= memory->limit)
            fits = middle;
        else
            not = middle;
    }
    if (!measure_all(uses, count, rest, fits ? fits : 1, all, &memory->planned, err)) return false;
    memory->most = fits;
    return fits > 0 || too_little(memory, 1, memory->planned, err);
}

/* ---- the memory that plans share ---------------------------------------------------------------------------------------------- */

static bool make_pool(struct trainer *t, const struct plan_sizes *sizes, strata_error *err)
{
    enum { LEAST = 64 };
    struct plan_pool *pool = &t->memory.pool;
    return (pool->arena = strata_buffer_create(t->device, larger(sizes->arena, LEAST), err))
           && (pool->input = strata_buffer_create(t->device, larger(sizes->input, LEAST), err))
           && (pool->scratch = strata_buffer_create(t->device, larger(sizes->scratch, LEAST), err));
}

/* ---- telling --------------------------------------------------------------------------------------------------------------------- */

/* What a rank does. */
struct division {
    double count, at_once, planned, limit;
};

static bool tell(const struct trainer *t, const struct memory_use *first, bool grains, strata_error *err)
{
    const size_t count = first->count, at_once = grains ? t->memory.most : strata_memory_at_once(&t->memory, count, first->parts);
    const struct division mine = { (double)count, (double)(at_once < count ? at_once : count), (double)t->memory.planned,
                                   (double)t->memory.limit };
    struct division *all = strata_alloc((size_t)t->ranks, sizeof *all, err);
    struct text text = { 0 };
    const bool ok = strata_comm_agree(t->comm, all != NULL, err) && strata_comm_gather(t->comm, &mine, sizeof mine, all, err);
    for (int r = 0; ok && r < t->ranks; r++) {
        if (all[r].limit == 0) continue;
        strata_text_add(&text, "%srank %d: %.0f samples of a batch, %.0f at once, in %.2f MiB of device memory, at most %.2f",
                        text.length ? "; " : "", r, all[r].count, all[r].at_once, all[r].planned / MIB, all[r].limit / MIB);
    }
    if (ok && t->rank == 0 && t->memory.note && text.data) t->memory.note(t->memory.note_context, text.data);
    strata_text_free(&text);
    free(all);
    return ok;
}

bool strata_memory_plan(struct trainer *t, const struct memory_use *uses, size_t count, const struct memory_rest *rest,
                        strata_error *err)
{
    struct plan_sizes all;
    double limited = t->memory.limit > 0;
    if (!strata_comm_max(t->comm, &limited, 1, err)) return false;
    if (limited == 0) return true;
    const bool ok = t->memory.limit == 0 || (search(&t->memory, uses, count, rest, &all, err) && make_pool(t, &all, err));
    return strata_comm_agree(t->comm, ok, err) && tell(t, &uses[0], rest->grain > 0, err);
}

bool strata_memory_plan_looking(struct trainer *t,
                                bool (*measure)(void *of, const struct memory_use *use, size_t n, struct plan_sizes *sizes,
                                                strata_error *err),
                                void *of, size_t samples, size_t batch, strata_error *err)
{
    enum { SMALL = 64 << 10 }; /* what ops need outside of plans */
    const struct memory_rest rest = { .bytes = t->params->total * sizeof(float) + SMALL };
    const size_t sizes[] = { batch < samples ? batch : samples, samples % batch };
    struct memory_use uses[2];
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        size_t first, own;
        if (sizes[i] == 0) continue;
        strata_share(&t->share, sizes[i], &first, &own);
        uses[count++] = (struct memory_use){ .count = own, .global = sizes[i], .measure = measure, .of = of };
    }
    return strata_memory_plan(t, uses, count, &rest, err);
}
