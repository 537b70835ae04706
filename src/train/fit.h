/* A training run on its way. */
#ifndef STRATA_TRAIN_FIT_H
#define STRATA_TRAIN_FIT_H

#include "train/callbacks.h"
#include "train/frozen_cache.h"
#include "train/history.h"
#include "train/pace.h"
#include "train/run_folder.h"
#include "train/saver.h"
#include "train/trainer.h"
#include "train/updater.h"

/* Progress on its way to whom it is shown. */
struct telling {
    struct comm_sum *sum; /* owned */
    bool begun;
    bool stop;                /* whoever is shown progress on this rank wants to stop; the others have not heard of it yet */
    strata_progress progress; /* of the step when it was begun; its values come last */
};

/* Where a fit stands in a run of several; what it leaves to the next one. Starts as { .best = INFINITY, .first_epoch }. */
struct fit_phase {
    size_t index;
    size_t first_epoch;      /* of the whole run */
    size_t steps;            /* done by those before; then by this one too */
    double best;
    strata_history *history; /* of those before; then with this one's; owned */
    bool skipped;            /* to go on, a later phase's checkpoint is there */
};

/* What follows when a checkpoint cannot be written: the run ends, or tells and goes on without it. */
enum on_failure { ON_FAILURE_STOP, ON_FAILURE_CONTINUE };

/* What a checkpoint says beside its numbers. */
struct moment {
    bool open; /* one was begun that the saver does not have yet; the same on every rank */
    bool ok;   /* else this rank could not, which the others have not heard of */
    strata_error error;
    char *path; /* owned, as is the JSON of what is saved, whose variables are those of `optimizer`; on rank 0 */
    struct saved_training saved;
    json_t *statistics;  /* each rank's own; NULL: none; owned */
    struct event *there; /* the numbers have come; owned; NULL: not asked for yet, or the saver's */
    char *best;          /* where the model is saved too; owned; NULL: nowhere, or the saver's */
};

/* Since the epoch began, or was gone on with, in seconds. */
struct times {
    double start;      /* by strata_clock */
    double data, saving, validating;
    double exchanging; /* in the middle of a step */
    struct reducer_waits before; /* what the reducer's were then, */
    double idle_before;          /* and the pace's */
};

struct fit {
    struct fit_phase *phase;
    const strata_fit_config *config;
    struct trainer trainer;
    struct training *training;
    struct objective *objective;
    struct updater *updater; /* NULL: nothing is trainable */
    struct passes passes, validation_passes;
    const strata_data *data, *validation; /* validation NULL: none */
    strata_data *head, *tail;             /* owned, of a validation split */
    struct frozen_cache cache, validation_cache;
    double caching; /* seconds that filling them took, which count to the first epoch */
    struct batches_config batching;
    struct batches *batches;
    struct event *uploaded; /* of the batch that the device reads */
    struct readback *readback;
    struct pace pace;
    struct times times;
    struct exchange exchange; /* sums over the ranks in the middle of a step */
    struct plan_gate gate;    /* weights that the step before may still bring */
    bool exchanged;           /* there were some: a rank cannot leave a step without them */
    struct balancing *balancing;
    struct exact *exact;               /* NULL: the run is not exact */
    struct accumulation *accumulation; /* NULL: a rank runs its share of a batch as one, or the run is exact */
    double *sums, *all;     /* of this rank since the epoch's start; of all ranks */
    double saturated;       /* gradients so far that were too large for the wire, of all ranks */
    double since_sync;      /* samples that this rank put through since the moving statistics were averaged */

    size_t epoch, step, steps; /* steps done in the epoch, and in all of it */
    uint64_t seed;
    double epoch_start, last_shown; /* seconds */
    size_t interval, next_shown;    /* steps between progress updates; the step of the next one */
    struct telling telling;

    const char **names; /* logs */
    char **validation_names; /* owned: "val_" and a name of the objective's */
    const char **known; /* all names that logs may have, but the learning rate's */
    double *values;
    size_t count, room;

    strata_history *history;
    struct callbacks *callbacks;
    struct run_folder *folder; /* NULL: none */
    struct saver *saver;       /* of checkpoints; on rank 0 alone */
    struct keras_parts *parts;     /* of the last one; owned; the saver's while it writes */
    struct saved_training optimizer; /* its variables, of which those without values have them in the parts; owned */
    float **places;                /* where, by variable; owned */
    struct moment moment;
    size_t taken;                  /* the step of the last one */
    size_t odd_step;           /* of the run, from 1, in which this rank saw a gradient that is not finite; 0: none */
    bool odd_told;             /* .. and where it came from was told, or that of another rank */
    bool odd;                  /* there is no checkpoint of the moment that the last one was for: numbers are not finite */
    double best;               /* the least loss of an epoch so far, of validation where there is one */
    bool best_due;             /* it is the latest one's, of which best.keras is still to be saved; the same on every rank */
    struct checkpointing {
        long every_steps, every_epochs; /* STRATA_NO_INT: not by these */
        long keep;
        int on_failure; /* enum on_failure */
    } checkpointing;
    bool stop;
    bool asked, interrupted; /* this rank, and all ranks, are to save and leave */
};

/* strata_model_fit as one phase of a run. */
bool strata_fit_phase(strata_model *model, strata_context *context, const strata_data *data, const strata_fit_config *config,
                      struct fit_phase *phase, strata_error *err);
/* Steps of the whole run so far. */
size_t strata_fit_done(const struct fit *fit);

/* ---- fit_epoch.c ---- */

bool strata_fit_make_logs(struct fit *fit, strata_error *err);
void strata_fit_free_logs(struct fit *fit);
strata_progress strata_fit_progress(const struct fit *fit, bool epoch_end);
/* Tells the callbacks. Collective. */
bool strata_fit_call(struct fit *fit, enum callback_event event, const strata_progress *progress, strata_error *err);
void strata_fit_begin_epoch(struct fit *fit);
/* From where the fit stands to its end, or until something stops it. */
bool strata_fit_run_epochs(struct fit *fit, strata_error *err);

/* ---- fit_progress.c ---- */

bool strata_fit_make_progress(struct fit *fit, strata_error *err);
/* After a step that does not end the epoch: shows progress where it is time, to those who look. Collective. */
bool strata_fit_show(struct fit *fit, strata_error *err);
/* Until what was begun to be shown was. Collective. */
bool strata_fit_shown(struct fit *fit, strata_error *err);

/* ---- fit_start.c ---- */

/* Checks what was asked for, before anything is made. */
bool strata_fit_check(const strata_fit_config *config, strata_error *err);
/* STRATA_EDISAGREE unless all ranks have the same settings, by which they meet; it names the first that differs. Before they do anything else
 * together. */
bool strata_fit_agree_settings(struct comm *comm, const strata_fit_config *config, strata_error *err);
/* STRATA_EDISAGREE unless all ranks hold the same model, data, weights and job. */
bool strata_fit_agree(const struct fit *fit, strata_error *err);

/* ---- fit_cache.c ---- */

/* Where it pays and may be: computes what comes before the first trainable layer for all samples, and lets the passes go on from there.
 * fit->interrupted when a rank was asked to stop: then it is not all computed. Collective. */
bool strata_fit_cache(struct fit *fit, strata_error *err);

/* ---- fit_step.c ---- */

bool strata_fit_step(struct fit *fit, strata_error *err);
/* Lets the training passes reach the other ranks. */
void strata_fit_set_exchange(struct fit *fit);
/* Until all steps so far are in the sums of this rank. */
bool strata_fit_drain(struct fit *fit, strata_error *err);
/* Until the weights of the latest step are on the device; before anybody but the next step's forward reads them. */
bool strata_fit_settle(const struct fit *fit, strata_error *err);
/* fit->all: the sums of all ranks. `extra` doubles are summed beside them. Collective. */
bool strata_fit_sum(struct fit *fit, double *extra, size_t extra_count, strata_error *err);

/* Queues forward and backward of a part of a batch; *pass is NULL when that is empty. */
bool strata_fit_play(struct fit *fit, const struct batch *batch, double scale, struct pass **pass, strata_error *err);

/* The same of samples [at, at + n) of this rank's share, and their losses are on their way to the sums. */
bool strata_fit_play_part(struct fit *fit, const struct batch *batch, size_t at, size_t n, double scale, struct pass **pass,
                          strata_error *err);

/* ---- fit_limit.c ---- */

/* Where the context limits memory: in how many parts this rank's share of a batch runs. After strata_fit_begin_exact. Collective. */
bool strata_fit_limit(struct fit *fit, strata_error *err);
/* Whether the share of a whole batch runs in parts, by that or by config.accumulate. */
bool strata_fit_is_divided(const struct fit *fit);

/* ---- fit_accumulate.c ---- */

/* Where strata_fit_is_divided says so. After strata_fit_limit. Collective. */
bool strata_fit_begin_accumulation(struct fit *fit, strata_error *err);
void strata_fit_end_accumulation(struct fit *fit);
/* How many of samples [first, first + count) of a batch, this rank's share, go through the model together at most. */
size_t strata_fit_at_once(const struct fit *fit, size_t first, size_t count);
/* Runs this rank's share in parts and leaves their gradients' sum; the losses are on their way to the sums. */
bool strata_fit_accumulate(struct fit *fit, const struct batch *batch, double scale, strata_error *err);

/* ---- fit_statistics.c ---- */

/* How many floats of moving statistics there are, of synchronized layers alone or of all. */
size_t strata_fit_count_statistics(const struct fit *fit, bool synchronized_alone);
/* This rank's own, one after the other, into or from `values`. */
bool strata_fit_copy_statistics(const struct fit *fit, bool to_host, bool synchronized_alone, float *values, strata_error *err);
/* STRATA_EVALUE when a layer is synchronized; `why` says what of the run keeps it from being so. */
bool strata_fit_refuse_synchronized(const struct fit *fit, const char *why, strata_error *err);
/* Averages the moving statistics over the ranks. Collective. */
bool strata_fit_sync(struct fit *fit, strata_error *err);
/* After a step: a rank without samples in it learns from the others what the step made of the synchronized statistics. Collective. */
bool strata_fit_teach_idle(struct fit *fit, const struct batch *batch, strata_error *err);
/* Each rank's own statistics, on rank 0, for a checkpoint; NULL where there is nothing to keep. Collective. */
bool strata_fit_keep_statistics(struct fit *fit, json_t **list, strata_error *err);
/* Puts back what was kept, where there are as many ranks. Not collective. */
bool strata_fit_restore_statistics(struct fit *fit, const json_t *list, strata_error *err);

/* ---- fit_exact.c ---- */

/* Where config.exact says so: trainer.grain and trainer.together. Before the passes are made. */
void strata_fit_cut(struct fit *fit);
/* Where config.exact says so. Before the updater is made. Collective. */
bool strata_fit_begin_exact(struct fit *fit, strata_error *err);
void strata_fit_end_exact(struct fit *fit);
/* The buffer of partial sums for the updater, NULL where the run is not exact. */
struct buffer *strata_fit_parts(const struct fit *fit, size_t *most);
/* Queues this rank's grains and leaves what the reducer wants. *pass NULL: it is there, and the losses are on their way to the sums;
 * else one pass takes them all, as strata_fit_play's. */
bool strata_fit_exact(struct fit *fit, const struct batch *batch, double scale, struct pass **pass, strata_error *err);
/* How many samples of such a share the largest pass takes. */
size_t strata_fit_exact_most(const struct fit *fit, size_t first, size_t count);
/* After the step: what it made of the moving statistics. Collective. */
bool strata_fit_exact_statistics(struct fit *fit, const struct batch *batch, strata_error *err);

/* ---- fit_balance.c ---- */

/* Before batches are prepared: the ranks' shares, which are told; `saved` is what a checkpoint kept, or NULL. Collective. */
bool strata_fit_begin_balance(struct fit *fit, const json_t *saved, strata_error *err);
/* After a step of so many samples on all ranks: looks at times, and changes shares where that pays. Collective. */
bool strata_fit_balance(struct fit *fit, size_t samples, strata_error *err);
json_t *strata_fit_save_balance(const struct fit *fit); /* for a checkpoint */
void strata_fit_end_balance(struct fit *fit);           /* keeps this rank's rating */

/* ---- fit_guard.c ---- */

/* Every hundred steps: STRATA_EDISAGREE, naming the rank, when one holds other weights than the rest. Collective. */
bool strata_fit_guard(struct fit *fit, strata_error *err);
/* After an epoch: warns when gradients were too large for how they travel. Collective. */
bool strata_fit_tell_saturated(struct fit *fit, strata_error *err);

/* ---- fit_odd.c ---- */

/* Where STRATA_FAULT says so: a gradient of this rank that is no number. After a step was queued, before it is reduced. */
bool strata_fit_spoil(const struct fit *fit, strata_error *err);
/* After a step: tells where the first gradient that is not finite came from, once it is known on all ranks that there is one.
 * Collective. */
bool strata_fit_hear_odd(struct fit *fit, strata_error *err);
/* Whether this rank knows of one that is not told. Where any does, all tell it. */
bool strata_fit_sees_odd(struct fit *fit);
bool strata_fit_tell_odd(struct fit *fit, strata_error *err); /* collective */

/* ---- fit_times.c ---- */

void strata_fit_begin_times(struct fit *fit);
/* After an epoch and its checkpoint: logs where the time of each rank went, and notes it. Collective. */
bool strata_fit_tell_times(struct fit *fit, strata_error *err);

/* ---- fit_stop.c ---- */

/* Before a step: whether this rank is asked to stop, which travels with the step. */
void strata_fit_listen(struct fit *fit);
/* After it: fit->interrupted, the same on every rank. Collective. */
bool strata_fit_hear(struct fit *fit, strata_error *err);
/* The same with no step in between. Collective. */
bool strata_fit_agree_to_stop(struct fit *fit, strata_error *err);
/* Writes a checkpoint unless this moment has one, and fails with STRATA_ESTOPPED and words that say what was saved. Collective. */
bool strata_fit_interrupt(struct fit *fit, bool saved, strata_error *err);

/* ---- fit_checkpoint.c ---- */

enum { STRATA_CHECKPOINT_FORMAT = 1 };
extern const struct field strata_checkpointing_fields[]; /* of struct checkpointing */

/* Reads the settings and opens the run folder. A model that its files cannot hold is an error. */
bool strata_fit_open_folder(struct fit *fit, const strata_model *model, bool writes, strata_error *err);
/* Takes a checkpoint where one is due, or at once: what it holds is copied, and written while training goes on, after the one
 * before was written. What only updates change may be left to strata_fit_end_checkpoint. Collective, as is that. */
bool strata_fit_checkpoint(struct fit *fit, bool epoch_end, bool at_once, strata_error *err);
/* Whether one is due at the end of this epoch that writes best.keras too, where that is due. */
bool strata_fit_saves_best(const struct fit *fit, bool at_once);
/* Takes the rest, with the sums of all steps so far, and leaves it to the saver. In the next step, once the device has its forward and
 * backward to do, and where there is none. */
bool strata_fit_end_checkpoint(struct fit *fit, strata_error *err);
void strata_fit_forget_checkpoint(struct fit *fit); /* what was not left to the saver */
/* Until the last checkpoint is written; `must`: a failure is one whatever checkpointing.on_failure says. Collective. */
bool strata_fit_saved(struct fit *fit, bool must, strata_error *err);
/* Whether a checkpoint failed and the run has to stop for it. Not collective. */
bool strata_fit_saver_failed(struct fit *fit);
/* What must be the same in a run that goes on: else its batches would be others. NULL: out of memory. */
json_t *strata_fit_conditions(const struct fit *fit);
/* Saves the model with its optimizer as it is now, under a name in the run folder or a path. Collective. */
bool strata_fit_save(struct fit *fit, const char *path, strata_error *err);
bool strata_fit_save_in_folder(struct fit *fit, const char *name, strata_error *err);

/* ---- fit_resume.c ---- */

/* Goes on from the newest good checkpoint of the run folder, if there is one. Before the trainer is opened: the model's
 * weights and the optimizer's variables, and *state, which is NULL when there is none. Afterwards, with that state: the
 * position, sums, history and callbacks. Both collective. */
bool strata_fit_load(struct fit *fit, struct comm *comm, strata_model *model, json_t **state, strata_error *err);
bool strata_fit_restore(struct fit *fit, const json_t *state, strata_error *err);

#endif
