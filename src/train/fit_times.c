/* Where the time of an epoch went. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/fit.h"

enum { COMPUTING, COMMUNICATION, SLOWEST, DATA, SAVING, VALIDATING, KINDS };

static const struct {
    const char *key, *words;
} kinds[KINDS] = { { "computing", "computing" }, { "communication", "waiting for communication" },
                   { "slowest", "waiting for the slowest rank" }, { "data", "reading data" }, { "saving", "saving" },
                   { "validating", "validating" } };

static struct reducer_waits waits_of(const struct fit *f)
{
    return f->updater ? strata_reducer_waits(strata_updater_reducer(f->updater)) : (struct reducer_waits){ 0 };
}

void strata_fit_begin_times(struct fit *f)
{
    f->times = (struct times){ .start = strata_clock(), .before = waits_of(f), .idle_before = f->pace.idle };
}

/* This rank's seconds by kind; what is not known to be something else was computing. Returns all of them. */
static double seconds_of(const struct fit *f, double seconds[KINDS])
{
    const struct times *t = &f->times;
    const struct reducer_waits waits = waits_of(f);
    const double all = strata_clock() - t->start;
    seconds[COMMUNICATION] = t->exchanging + waits.communication - t->before.communication + f->pace.idle - t->idle_before;
    seconds[SLOWEST] = waits.slowest - t->before.slowest;
    seconds[DATA] = t->data;
    seconds[SAVING] = t->saving;
    seconds[VALIDATING] = t->validating;
    seconds[COMPUTING] = all;
    for (int k = COMPUTING + 1; k < KINDS; k++) seconds[COMPUTING] -= seconds[k];
    if (seconds[COMPUTING] < 0) seconds[COMPUTING] = 0;
    return all;
}

/* By rank, so that one that all wait for shows. */
static bool log_times(const struct fit *f, double all, const double *seconds, strata_error *err)
{
    json_t *event = json_pack("{s:s, s:I, s:f, s:[]}", "event", "times", "epoch", (json_int_t)f->epoch, "seconds", all, "ranks");
    for (int r = 0; event && r < f->trainer.ranks; r++) {
        json_t *rank = json_object();
        for (int k = 0; rank && k < KINDS; k++) json_object_set_new(rank, kinds[k].key, json_real(seconds[r * KINDS + k]));
        json_array_append_new(json_object_get(event, "ranks"), rank);
    }
    return strata_run_folder_log(f->folder, event, err);
}

/* Means over the ranks. */
static void note_times(const struct fit *f, const double *seconds)
{
    struct text text = { 0 };
    double mean[KINDS] = { 0 }, all = 0;
    for (int i = 0; i < f->trainer.ranks * KINDS; i++) {
        mean[i % KINDS] += seconds[i];
        all += seconds[i];
    }
    strata_text_add(&text, "  of the time: %.1f %% %s", 100 * mean[COMPUTING] / all, kinds[COMPUTING].words);
    for (int k = COMPUTING + 1; k < KINDS; k++)
        if (mean[k] >= 0.0005 * all) strata_text_add(&text, ", %.1f %% %s", 100 * mean[k] / all, kinds[k].words);
    if (f->config->note && text.data) f->config->note(f->config->note_context, f->trainer.ranks == 1, text.data);
    strata_text_free(&text);
}

bool strata_fit_tell_times(struct fit *f, strata_error *err)
{
    double own[KINDS];
    double *seconds = strata_alloc((size_t)f->trainer.ranks, sizeof own, err);
    const double all = seconds_of(f, own);
    bool ok = strata_comm_agree(f->trainer.comm, seconds != NULL, err)
              && strata_comm_gather(f->trainer.comm, own, sizeof own, seconds, err);
    if (ok && f->trainer.rank == 0) {
        note_times(f, seconds);
        ok = !f->folder || log_times(f, all, seconds, err);
    }
    free(seconds);
    return strata_comm_agree(f->trainer.comm, ok, err);
}
