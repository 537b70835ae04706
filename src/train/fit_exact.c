/* Exact runs: a global batch is cut into grains of a fixed number of samples, and what comes of them is added in the order of one
 * tree: the same bits for any number of ranks and any shares. A pass takes all grains of a node of the tree, alone all there are,
 * and adds their gradients itself; where the model or the device does not allow that, each grain goes through the model alone.
 * Moving statistics are moved by each grain from where the step found them; the step leaves their mean, weighted by samples. */
#include "train/fit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dist/tree.h"
#include "model/plan.h"
#include "ops/map.h"

/* A pass of few samples costs nearly what one of more does, so grains have at least FULL samples unless that makes fewer than
 * LEAST of them. */
enum { GRAINS = 16, LEAST = 8, FULL = 16 };

struct exact {
    struct buffer *parts;  /* owned: a stack of sums of gradients; after a step's grains, the rank's nodes of the tree */
    size_t most, top;
    struct run *run;       /* owned */
    size_t statistics;     /* floats of moving statistics */
    float *moved;          /* owned: they, as each grain of this rank left them */
    double *all;           /* owned: .. as all did */
    size_t *counts;        /* owned: nodes by rank */
    struct node *nodes;    /* owned: of all ranks */
    bool *steps;           /* owned */
};

/* A run of leaves of a tree of so many has at most so many nodes. */
static size_t most_nodes(size_t grains)
{
    size_t level = 0;
    while ((size_t)1 << level < grains) level++;
    return level < 2 ? 1 : 2 * (level - 1);
}

static bool make_statistics(struct fit *f, struct exact *e, strata_error *err)
{
    e->statistics = strata_fit_count_statistics(f, false);
    if (!strata_fit_refuse_synchronized(f, "an exact run takes grains one after the other", err)) return false;
    if (e->statistics == 0) return true;
    return (e->moved = strata_alloc(GRAINS * e->statistics, sizeof *e->moved, err))
           && (e->all = strata_alloc(GRAINS * e->statistics, sizeof *e->all, err));
}

static size_t grain_of(size_t batch)
{
    const size_t most = (batch + LEAST - 1) / LEAST, grain = (batch + GRAINS - 1) / GRAINS;
    return grain >= FULL ? grain : most < FULL ? most : FULL;
}

void strata_fit_cut(struct fit *f)
{
    if (!f->config->exact) return;
    f->trainer.grain = grain_of(f->config->batch_size);
    f->trainer.together = f->config->accumulate <= 1 && strata_plan_takes_grains(f->trainer.model, f->trainer.device);
}

static bool make(struct fit *f, strata_error *err)
{
    struct exact *e = f->exact = strata_alloc(1, sizeof *e, err);
    if (!e) return false;
    const size_t batch = f->config->batch_size, ranks = (size_t)f->trainer.ranks, trainable = f->trainer.params->trainable;
    e->most = most_nodes((batch + f->trainer.grain - 1) / f->trainer.grain);
    e->parts = strata_buffer_create(f->trainer.device, (trainable ? e->most * trainable : 1) * sizeof(float), err);
    e->run = e->parts ? strata_run_immediate(f->trainer.device, QUEUE_COMPUTE, err) : NULL;
    e->counts = e->run ? strata_alloc(ranks, sizeof *e->counts, err) : NULL;
    e->nodes = e->counts ? strata_alloc(ranks * e->most + STRATA_TREE_PARTS, sizeof *e->nodes, err) : NULL;
    e->steps = e->nodes ? strata_alloc(2 * ranks * e->most, sizeof *e->steps, err) : NULL;
    return e->steps && make_statistics(f, e, err);
}

bool strata_fit_begin_exact(struct fit *f, strata_error *err)
{
    return !f->config->exact || strata_comm_agree(f->trainer.comm, make(f, err), err);
}

void strata_fit_end_exact(struct fit *f)
{
    struct exact *e = f->exact;
    if (!e) return;
    strata_run_free(e->run);
    strata_buffer_free(e->parts);
    free(e->moved);
    free(e->all);
    free(e->counts);
    free(e->nodes);
    free(e->steps);
    free(e);
    f->exact = NULL;
}

struct buffer *strata_fit_parts(const struct fit *f, size_t *most)
{
    *most = f->exact ? f->exact->most : 0;
    return f->exact ? f->exact->parts : NULL;
}

/* ---- passes ------------------------------------------------------------------------------------------------------------------- */

/* The nodes of the tree that a share is. */
static size_t nodes_of(const struct fit *f, size_t first, size_t count, struct node nodes[STRATA_TREE_PARTS])
{
    const size_t grain = f->trainer.grain;
    return strata_tree_nodes((first + grain - 1) / grain, (first + count + grain - 1) / grain, nodes);
}

static size_t samples_of(const struct fit *f, const struct node *node, size_t first, size_t count)
{
    const size_t at = (node->index << node->level) * f->trainer.grain - first, most = f->trainer.grain << node->level;
    return count - at < most ? count - at : most;
}

size_t strata_fit_exact_most(const struct fit *f, size_t first, size_t count)
{
    struct node nodes[STRATA_TREE_PARTS];
    const size_t grain = f->trainer.grain, parts = nodes_of(f, first, count, nodes);
    size_t most = 0;
    if (!f->trainer.together) return count < grain ? count : grain;
    if (f->trainer.ranks == 1) return count;
    for (size_t i = 0; i < parts; i++) {
        const size_t samples = samples_of(f, &nodes[i], first, count);
        if (samples > most) most = samples;
    }
    return most;
}

/* ---- gradients -------------------------------------------------------------------------------------------------------------- */

static struct view part_view(const struct fit *f, size_t part)
{
    const size_t count = f->trainer.params->trainable;
    return (struct view){ .buffer = f->exact->parts, .offset = part * count, .shape = { 1, { count } } };
}

static bool add_top(const struct fit *f, strata_error *err)
{
    struct exact *e = f->exact;
    const struct view left = part_view(f, e->top - 2), right = part_view(f, e->top - 1);
    e->top--;
    return strata_op_add(e->run, &left, &right, &left, err);
}

/* The grain's gradients onto the stack; a leaf that is the right half of a node needs no place of its own. */
static bool push(const struct fit *f, size_t begin, size_t leaf, strata_error *err)
{
    struct exact *e = f->exact;
    const struct view g = { .buffer = f->trainer.params->gradients, .offset = 0, .shape = { 1, { f->trainer.params->trainable } } };
    int merges = strata_tree_merges(begin, leaf);
    if (f->trainer.params->trainable == 0) return true;
    if (merges == 0) {
        const struct view place = part_view(f, e->top++);
        return strata_op_copy(e->run, &g, &place, err);
    }
    const struct view left = part_view(f, e->top - 1);
    bool ok = strata_op_add(e->run, &left, &g, &left, err);
    while (ok && --merges > 0) ok = add_top(f, err);
    return ok;
}

/* Alone, a rank has the whole tree: what is left are the halves that a last batch leaves out. */
static bool finish_alone(const struct fit *f, strata_error *err)
{
    struct exact *e = f->exact;
    const struct view g = { .buffer = f->trainer.params->gradients, .offset = 0, .shape = { 1, { f->trainer.params->trainable } } };
    bool ok = true;
    while (ok && e->top > 1) ok = add_top(f, err);
    if (e->top == 0) return ok;
    const struct view sum = part_view(f, 0);
    return ok && strata_op_copy(e->run, &sum, &g, err);
}

static void tell_parts(struct fit *f, size_t global_count)
{
    struct exact *e = f->exact;
    struct share share = f->trainer.share;
    size_t count = 0;
    for (share.rank = 0; share.rank < share.size; share.rank++) {
        size_t first, samples;
        strata_share(&share, global_count, &first, &samples);
        e->counts[share.rank] = nodes_of(f, first, samples, e->nodes + count);
        count += e->counts[share.rank];
    }
    const size_t steps = strata_tree_program(e->nodes, count, (global_count + f->trainer.grain - 1) / f->trainer.grain, e->steps);
    strata_reducer_parts(strata_updater_reducer(f->updater), e->counts, e->steps, steps);
}

/* ---- moving statistics ---------------------------------------------------------------------------------------------------------- */

/* What the pass that took samples from `at` on made of them. */
static bool read_statistics(const struct fit *f, const struct pass *pass, size_t at, strata_error *err)
{
    if (f->exact->statistics == 0) return true;
    const struct view moved = strata_plan_statistics(pass->plan);
    float *to = f->exact->moved + at / f->trainer.grain * f->exact->statistics;
    assert(moved.shape.dim[1] == f->exact->statistics);
    return strata_buffer_read_async(f->trainer.device, QUEUE_COMPUTE, moved.buffer, 0, strata_view_count(&moved) * sizeof(float),
                                    to, NULL, err);
}

/* The mean over the grains of all ranks, added in their order. */
bool strata_fit_exact_statistics(struct fit *f, const struct batch *batch, strata_error *err)
{
    struct exact *e = f->exact;
    if (!e || e->statistics == 0) return true;
    if (!strata_comm_agree(f->trainer.comm, strata_device_finish(f->trainer.device, err), err)) return false; /* they were read */
    const size_t grain = f->trainer.grain, grains = (batch->global_count + grain - 1) / grain, s = e->statistics;
    const size_t own = (batch->count + grain - 1) / grain, first = batch->first / grain;
    memset(e->all, 0, grains * s * sizeof *e->all);
    for (size_t k = 0; k < own * s; k++) e->all[first * s + k] = (double)e->moved[k];
    if (!strata_comm_sum(f->trainer.comm, e->all, grains * s, err)) return false;
    for (size_t i = 0; i < s; i++) {
        double sum = 0;
        for (size_t k = 0; k < grains; k++) {
            const size_t left = batch->global_count - k * grain;
            sum += (double)(left < grain ? left : grain) * e->all[k * s + i];
        }
        e->moved[i] = (float)(sum / (double)batch->global_count);
    }
    return strata_comm_agree(f->trainer.comm, strata_fit_copy_statistics(f, false, false, e->moved, err), err);
}

/* ---- a step ------------------------------------------------------------------------------------------------------------------------ */

static bool run_grain(struct fit *f, const struct batch *batch, size_t at, double scale, strata_error *err)
{
    const size_t left = batch->count - at, n = left < f->trainer.grain ? left : f->trainer.grain;
    struct pass *pass;
    return strata_fit_play_part(f, batch, at, n, scale, &pass, err)
           && push(f, batch->first / f->trainer.grain, (batch->first + at) / f->trainer.grain, err)
           && read_statistics(f, pass, at, err);
}

static bool run_grains(struct fit *f, const struct batch *batch, double scale, strata_error *err)
{
    bool ok = true;
    for (size_t at = 0; ok && at < batch->count; at += f->trainer.grain) ok = run_grain(f, batch, at, scale, err);
    return ok && (f->trainer.ranks > 1 || finish_alone(f, err));
}

/* Sums are nodes as they come. */
static bool run_nodes(struct fit *f, const struct batch *batch, double scale, strata_error *err)
{
    struct node nodes[STRATA_TREE_PARTS];
    const size_t count = nodes_of(f, batch->first, batch->count, nodes), trainable = f->trainer.params->trainable;
    const struct view gradients = { .buffer = f->trainer.params->gradients, .offset = 0, .shape = { 1, { trainable } } };
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const size_t at = (nodes[i].index << nodes[i].level) * f->trainer.grain - batch->first;
        const struct view part = part_view(f, i);
        struct pass *pass;
        ok = strata_fit_play_part(f, batch, at, samples_of(f, &nodes[i], batch->first, batch->count), scale, &pass, err)
             && (trainable == 0 || strata_op_copy(f->exact->run, &gradients, &part, err)) && read_statistics(f, pass, at, err);
    }
    return ok;
}

bool strata_fit_exact(struct fit *f, const struct batch *batch, double scale, struct pass **pass, strata_error *err)
{
    f->exact->top = 0;
    *pass = NULL;
    if (f->trainer.together && f->trainer.ranks == 1)
        return strata_fit_play(f, batch, scale, pass, err) && read_statistics(f, *pass, 0, err);
    const bool ok = (f->trainer.together ? run_nodes(f, batch, scale, err) : run_grains(f, batch, scale, err))
                    && strata_device_finish(f->trainer.device, err);
    if (ok && f->updater) tell_parts(f, batch->global_count);
    return ok;
}
