/* Who gets how much of each global batch: by measured speed, equally, or as the job says. */
#include "train/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/order.h"
#include "base/text.h"
#include "dist/balance.h"
#include "train/rating.h"

enum { LOOK_STEPS = 5, MOST_GRAINS = 1024, PLACE_TEXT = 400 };

struct balancing {
    struct balance balance;
    double *share;    /* owned: what struct share points to, by rank */
    double *gathered; /* owned: a number of every rank */
    size_t *before;   /* owned: the shares before a change */
    double seconds[LOOK_STEPS]; /* of this rank's steps with whole batches since the last look */
    int known, steps; /* how many of them; steps since the last look */
    bool measured;    /* shares follow speeds */
    bool fresh;       /* the next step is the first with its shares: it may build kernels */
    uint64_t rating;  /* the key of this rank's */
};

static bool is_measured(const struct fit *f)
{
    return f->balancing->measured;
}

/* What tells ranks apart before anything was measured. */
struct kind {
    char device[PLACE_TEXT];
    double slow[2];
};

/* Ranks that are alike get equal shares unless the job says more, so that a run can be repeated bit for bit. */
static bool are_unlike(const struct fit *f, bool *unlike, strata_error *err)
{
    struct kind mine = { .slow = { f->pace.slow.factor, f->pace.slow.each } };
    struct kind *all = strata_alloc((size_t)f->trainer.ranks, sizeof *all, err);
    snprintf(mine.device, sizeof mine.device, "%s", strata_device_text(f->trainer.device));
    const bool ok = strata_comm_agree(f->trainer.comm, all != NULL, err)
                    && strata_comm_gather(f->trainer.comm, &mine, sizeof mine, all, err);
    *unlike = false;
    for (int r = 1; ok && r < f->trainer.ranks; r++) *unlike = *unlike || memcmp(&all[r], &all[0], sizeof *all) != 0;
    free(all);
    return ok;
}

static bool make(struct fit *f, bool measured, strata_error *err)
{
    const size_t ranks = (size_t)f->trainer.ranks, batch = f->config->batch_size;
    struct balancing *b = f->balancing = strata_alloc(1, sizeof *b, err);
    if (!b) return false;
    b->measured = measured;
    f->trainer.share.grain = f->exact ? f->trainer.grain : is_measured(f) ? (batch + MOST_GRAINS - 1) / MOST_GRAINS : 1;
    b->share = strata_alloc(ranks, sizeof *b->share, err);
    b->gathered = b->share ? strata_alloc(ranks, sizeof *b->gathered, err) : NULL;
    b->before = b->gathered ? strata_alloc(ranks, sizeof *b->before, err) : NULL;
    b->fresh = true;
    return b->before && strata_balance_open(&b->balance, (int)ranks,
                                            (batch + f->trainer.share.grain - 1) / f->trainer.share.grain, err);
}

void strata_fit_end_balance(struct fit *f)
{
    struct balancing *b = f->balancing;
    if (!b) return;
    const double speed = is_measured(f) && b->balance.speed ? b->balance.speed[f->trainer.rank] : 0;
    if (speed > 0) strata_rating_write(b->rating, speed * (double)f->trainer.share.grain);
    strata_balance_close(&b->balance);
    free(b->share);
    free(b->gathered);
    free(b->before);
    free(b);
    f->balancing = NULL;
}

/* ---- the shares in force ------------------------------------------------------------------------------------------------- */

static void put_in_force(struct fit *f)
{
    struct balancing *b = f->balancing;
    for (int r = 0; r < f->trainer.ranks; r++) b->share[r] = (double)b->balance.share[r];
    f->trainer.share.speeds = b->share;
    b->fresh = true;
}

/* What this rank's memory can hold, in grains, by what its plan takes. CPU devices have the host's memory, which the ranks of
 * a node share. */
static double most_grains(const struct fit *f, const struct pass *pass)
{
    const strata_device_info *info = strata_device_info_of(f->trainer.device);
    const double ranks = info->is_cpu ? strata_comm_local_size(f->trainer.comm) : 1;
    const double fixed = 4.0 * sizeof(float) * (double)f->trainer.params->total;
    const double room = 0.9 * (double)info->memory / ranks - fixed;
    const double each = (double)strata_plan_memory(pass->plan) / (double)pass->n * (double)f->trainer.share.grain;
    const double bound = (double)f->trainer.memory.most / (double)f->trainer.share.grain;
    if (bound > 0) return f->accumulation ? (double)f->balancing->balance.grains : bound < 1 ? 1 : bound;
    const double parts = f->accumulation ? (double)f->config->accumulate : 1;
    const double most = each > 0 ? parts * room / each : (double)f->balancing->balance.grains;
    return most < 1 ? 1 : most;
}

/* Makes the plan for this rank's share of a whole batch; those of earlier shares are given up, so that there is memory for
 * one. *fits false: some rank has not enough, and now has a limit that says so. */
static bool try_shares(struct fit *f, bool *fits, strata_error *err)
{
    struct balance *b = &f->balancing->balance;
    size_t first, count;
    strata_error failure = { 0 };
    double *most = f->balancing->gathered;
    put_in_force(f);
    if (!strata_comm_agree(f->trainer.comm, strata_device_finish(f->trainer.device, err), err)) return false;
    strata_passes_free(&f->passes);
    strata_passes_free(&f->validation_passes);
    strata_share(&f->trainer.share, f->config->batch_size, &first, &count);
    count = strata_fit_at_once(f, first, count);
    const struct pass *pass =
        count ? strata_passes_get(&f->passes, count, f->config->batch_size, true, &failure) : NULL;
    const bool short_of_memory = count && !pass && (failure.code == STRATA_EMEMORY || failure.code == STRATA_EDEVICE);
    if (count && !pass && !short_of_memory) *err = failure;
    if (!strata_comm_agree(f->trainer.comm, !count || pass || short_of_memory, err)) return false;
    const bool grows = !f->exact || f->trainer.together; /* grains that run alone need no more memory than one */
    const double own = pass && grows ? most_grains(f, pass) : short_of_memory ? 0 : (double)b->grains;
    if (!strata_comm_gather(f->trainer.comm, &own, sizeof own, most, err)) return false;
    *fits = true;
    for (int r = 0; r < b->ranks; r++) {
        if (most[r] == 0 && b->share[r] > 1) {
            *fits = false;
            b->most[r] = b->share[r] / 2;
        } else if (most[r] == 0) {
            return strata_fail(err, STRATA_EMEMORY, "the memory of rank %d cannot hold a step of %zu samples", r,
                               f->trainer.share.grain);
        } else if (most[r] < (double)b->most[r] && most[r] >= (double)b->share[r]) {
            b->most[r] = (size_t)most[r];
        }
    }
    return true;
}

/* Puts the balance's shares in force, or, where memory is short, the best ones that fit. */
static bool settle(struct fit *f, strata_error *err)
{
    bool fits = false;
    while (!fits) {
        if (!try_shares(f, &fits, err)) return false;
        if (!fits) strata_balance_deal(&f->balancing->balance, f->balancing->balance.share);
    }
    return true;
}

/* ---- telling ------------------------------------------------------------------------------------------------------------- */

struct place {
    char host[64], device[PLACE_TEXT - 64];
};

static size_t samples_of(const struct fit *f, int rank)
{
    struct share share = f->trainer.share;
    size_t first, count;
    share.rank = rank;
    strata_share(&share, f->config->batch_size, &first, &count);
    return count;
}

static void note(const struct fit *f, bool detail, struct text *text)
{
    if (f->trainer.rank == 0 && f->config->note && text->data) f->config->note(f->config->note_context, detail, text->data);
    strata_text_free(text);
}

static bool log_ranks(struct fit *f, const struct place *places, strata_error *err)
{
    json_t *event = json_pack("{s:s, s:I, s:[]}", "event", "ranks", "batch_size", (json_int_t)f->config->batch_size, "ranks");
    for (int r = 0; event && r < f->trainer.ranks; r++)
        json_array_append_new(json_object_get(event, "ranks"),
                              json_pack("{s:i, s:s, s:s, s:I}", "rank", r, "host", places[r].host, "device",
                                        places[r].device, "samples", (json_int_t)samples_of(f, r)));
    return strata_run_folder_log(f->folder, event, err);
}

/* The table of ranks. Collective. */
static bool tell_ranks(struct fit *f, strata_error *err)
{
    struct place mine = { 0 }, *all = strata_alloc((size_t)f->trainer.ranks, sizeof *all, err);
    struct text table = { 0 };
    snprintf(mine.host, sizeof mine.host, "%s", strata_comm_host(f->trainer.comm));
    snprintf(mine.device, sizeof mine.device, "%s", strata_device_text(f->trainer.device));
    bool ok = strata_comm_agree(f->trainer.comm, all != NULL, err)
              && strata_comm_gather(f->trainer.comm, &mine, sizeof mine, all, err);
    for (int r = 0; ok && r < f->trainer.ranks; r++)
        strata_text_add(&table, "%s  rank %d on %s: %s, %zu of %zu samples a step", r ? "\n" : "", r, all[r].host,
                        all[r].device, samples_of(f, r), f->config->batch_size);
    note(f, false, &table);
    ok = ok && strata_comm_agree(f->trainer.comm, !f->folder || log_ranks(f, all, err), err);
    free(all);
    return ok;
}

static bool log_change(struct fit *f, double gain, strata_error *err)
{
    const struct balance *b = &f->balancing->balance;
    json_t *event = json_pack("{s:s, s:I, s:I, s:f, s:[], s:[]}", "event", "balance", "epoch", (json_int_t)f->epoch + 1,
                              "step", (json_int_t)f->step, "gain", gain, "samples", "samples_per_second");
    for (int r = 0; event && r < b->ranks; r++) {
        json_array_append_new(json_object_get(event, "samples"), json_integer((json_int_t)samples_of(f, r)));
        json_array_append_new(json_object_get(event, "samples_per_second"),
                              json_real(b->speed[r] * (double)f->trainer.share.grain));
    }
    return strata_run_folder_log(f->folder, event, err);
}

static bool tell_change(struct fit *f, double gain, strata_error *err)
{
    struct text text = { 0 };
    strata_text_add(&text, "epoch %zu, step %zu: the ranks' samples a step are now", f->epoch + 1, f->step);
    for (int r = 0; r < f->trainer.ranks; r++) strata_text_add(&text, "%s %zu", r ? "," : "", samples_of(f, r));
    strata_text_add(&text, "; by their speeds a step takes %.0f %% less time", 100 * (1 - 1 / gain));
    note(f, true, &text);
    return strata_comm_agree(f->trainer.comm, !f->folder || log_change(f, gain, err), err);
}

/* ---- the beginning ---------------------------------------------------------------------------------------------------------- */

static bool take_given(struct fit *f, strata_error *err)
{
    const strata_fit_config *c = f->config;
    if (c->share_count != (size_t)f->trainer.ranks)
        return strata_fail(err, STRATA_EVALUE, "fit: balance is a list of %zu shares; there are %d ranks", c->share_count,
                           f->trainer.ranks);
    f->trainer.share.speeds = c->shares;
    return true;
}

/* Ratings of all ranks, if all have one. */
static bool take_ratings(struct fit *f, strata_error *err)
{
    struct balance *b = &f->balancing->balance;
    f->balancing->rating = strata_rating_key(f->trainer.model, f->trainer.device, &f->pace.slow);
    const double own = strata_rating_read(f->balancing->rating);
    bool all = strata_comm_gather(f->trainer.comm, &own, sizeof own, f->balancing->gathered, err);
    if (!all) return false;
    for (int r = 0; r < b->ranks; r++) all = all && f->balancing->gathered[r] > 0;
    for (int r = 0; all && r < b->ranks; r++)
        b->speed[r] = f->balancing->gathered[r] / (double)f->trainer.share.grain;
    strata_balance_deal(b, b->share);
    return true;
}

/* The shares of the run that the checkpoint is of, if it had as many ranks. */
static bool take_saved(struct fit *f, const json_t *saved)
{
    struct balance *b = &f->balancing->balance;
    size_t sum = 0;
    if (json_array_size(saved) != (size_t)b->ranks) return false;
    for (int r = 0; r < b->ranks; r++) {
        const json_int_t share = json_integer_value(json_array_get(saved, (size_t)r));
        if (share < 0 || (size_t)share > b->grains) return false;
        sum += (size_t)share;
    }
    for (int r = 0; sum == b->grains && r < b->ranks; r++)
        b->share[r] = (size_t)json_integer_value(json_array_get(saved, (size_t)r));
    return sum == b->grains;
}

bool strata_fit_begin_balance(struct fit *f, const json_t *saved, strata_error *err)
{
    const strata_balance kind = f->config->balance;
    bool unlike = false;
    if (kind == STRATA_BALANCE_UNLIKE && !are_unlike(f, &unlike, err)) return false;
    bool ok = make(f, f->trainer.ranks > 1 && (kind == STRATA_BALANCE_AUTO || unlike), err);
    if (ok && kind == STRATA_BALANCE_SHARES) ok = take_given(f, err);
    if (!strata_comm_agree(f->trainer.comm, ok, err)) return false;
    if (is_measured(f)) {
        f->pace.times = true;
        if (!take_ratings(f, err)) return false;
        (void)take_saved(f, saved);
        if (!settle(f, err)) return false;
    }
    return f->trainer.ranks == 1 || tell_ranks(f, err);
}

json_t *strata_fit_save_balance(const struct fit *f)
{
    json_t *list = json_array();
    for (int r = 0; list && is_measured(f) && r < f->trainer.ranks; r++)
        json_array_append_new(list, json_integer((json_int_t)f->balancing->balance.share[r]));
    return list;
}

/* ---- between steps ------------------------------------------------------------------------------------------------------------ */

/* The batches that were prepared ahead are cut by the old shares. */
static bool begin_batches_anew(struct fit *f, strata_error *err)
{
    const bool over = f->step == f->steps;
    strata_batches_stop(f->batches);
    f->batches = strata_batches_start(&f->batching, &f->trainer.share, f->epoch + over, over ? 0 : f->step, err);
    return strata_comm_agree(f->trainer.comm, f->batches != NULL, err);
}

static bool change(struct fit *f, double gain, strata_error *err)
{
    struct balance *b = &f->balancing->balance;
    const size_t bytes = (size_t)b->ranks * sizeof *b->share;
    memcpy(f->balancing->before, b->share, bytes);
    memcpy(b->share, b->wanted, bytes);
    return settle(f, err) && begin_batches_anew(f, err)
           && (memcmp(f->balancing->before, b->share, bytes) == 0 || tell_change(f, gain, err));
}

bool strata_fit_balance(struct fit *f, size_t samples, strata_error *err)
{
    struct balancing *b = f->balancing;
    if (!is_measured(f)) return true;
    if (samples == f->config->batch_size && f->pace.seconds > 0 && !b->fresh) b->seconds[b->known++] = f->pace.seconds;
    if (samples == f->config->batch_size) b->fresh = false;
    if (++b->steps < LOOK_STEPS) return true;
    const double own = b->known > 0 ? strata_median(b->seconds, (size_t)b->known) : 0;
    double gain = 1;
    b->known = b->steps = 0;
    return strata_comm_gather(f->trainer.comm, &own, sizeof own, b->gathered, err)
           && (!strata_balance_look(&b->balance, b->gathered, &gain) || change(f, gain, err));
}
