/* One training step, and what ranks tell each other between steps. */
#include "train/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ops/exchange.h"

/* ---- a step ---------------------------------------------------------------------------------------------------------- */

/* Until the device has read what was uploaded last: then its place may be written. */
static bool await_upload(struct fit *f, strata_error *err)
{
    const bool read = !f->uploaded || strata_event_wait(f->uploaded, err);
    strata_event_free(f->uploaded);
    f->uploaded = NULL;
    return read;
}

/* The next batch takes the place of the one before it. */
static bool next_batch(struct fit *f, size_t number, struct batch *batch, strata_error *err)
{
    const bool read = await_upload(f, err);
    strata_comm_step(f->trainer.comm, "waiting for data", number);
    const double start = strata_clock();
    const bool ok = read && strata_batches_next(f->batches, batch, err);
    f->times.data += strata_clock() - start;
    return ok;
}

static bool exchange(void *context, double *values, size_t count, strata_error *err)
{
    struct fit *f = context;
    const double start = strata_clock();
    f->exchanged = true;
    const bool ok = strata_comm_sum(f->trainer.comm, values, count, err);
    f->times.exchanging += strata_clock() - start;
    return ok;
}

/* Weights of the step before. */
static bool pass_gate(void *context, size_t bucket, strata_error *err)
{
    struct fit *f = context;
    struct reducer *reducer = f->updater ? strata_updater_reducer(f->updater) : NULL;
    if (!reducer || strata_reducer_has_bucket(reducer, bucket)) return true;
    return strata_pace_pause(&f->pace, err) && strata_reducer_await_bucket(reducer, bucket, err) && strata_pace_go_on(&f->pace, err);
}

void strata_fit_set_exchange(struct fit *f)
{
    f->exchange = (struct exchange){ .context = f, .sum = exchange };
    f->gate = (struct plan_gate){ .context = f, .pass = pass_gate };
    if (f->trainer.ranks == 1) return;
    f->passes.exchange = &f->exchange;
    f->passes.gate = &f->gate;
}

/* What the others exchange in the step, they exchange with this rank too, which has no samples: a plan says what that is. */
static bool take_part(struct fit *f, const struct batch *batch, strata_error *err)
{
    struct pass *pass = strata_passes_get(&f->passes, 1, batch->global_count, true, err);
    return pass && strata_op_exchange_nothing(strata_plan_run(pass->plan), err);
}

static bool zero_gradients(const struct fit *f, strata_error *err)
{
    const struct params *params = f->trainer.params;
    return !f->updater
           || (strata_buffer_zero(f->trainer.device, QUEUE_COMPUTE, params->gradients, 0,
                                  params->trainable * sizeof(float), err)
               && strata_device_finish(f->trainer.device, err));
}

bool strata_fit_play(struct fit *f, const struct batch *batch, double scale, struct pass **pass, strata_error *err)
{
    const double factor = f->updater ? strata_training_loss_factor(f->training) : (double)NAN;
    const struct step_numbers numbers = { .seed = f->seed, .epoch = (uint32_t)f->epoch,
                                          .loss_scale = (float)(isnan(factor) ? scale : scale * factor) };
    *pass = NULL;
    if (batch->count == 0) return strata_fit_settle(f, err) && zero_gradients(f, err) && take_part(f, batch, err);
    *pass = strata_passes_get(&f->passes, batch->count, batch->global_count, true, err);
    if (*pass && !isnan(factor) && strata_plan_penalty((*pass)->plan).buffer)
        return strata_fail(err, STRATA_EVALUE, "a scaled loss leaves activity regularizers out: drop "
                           "them or loss_scale_factor, or set auto_scale_loss to false");
    return *pass && strata_pass_play(*pass, batch, &numbers, &f->uploaded, err);
}

bool strata_fit_play_part(struct fit *f, const struct batch *batch, size_t at, size_t n, double scale, struct pass **pass,
                          strata_error *err)
{
    const struct batch part = strata_passes_part(&f->passes, batch, at, n);
    return await_upload(f, err) && strata_fit_play(f, &part, scale, pass, err)
           && strata_readback_post(f->readback, *pass, &part, scale, err);
}

/* The losses follow the update in the queue: what they are read from, no update touches. */
static bool count(struct fit *f, const struct batch *batch, const struct pass *pass, double scale, strata_error *err)
{
    f->since_sync += (double)batch->count;
    return !pass || strata_readback_post(f->readback, pass, batch, scale, err);
}

static bool refuse(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    (void)run;
    (void)span;
    (void)slot;
    *err = *(const strata_error *)context;
    return false;
}

static bool refuse_measure(void *context, struct run *run, struct span span, double *values, strata_error *err)
{
    (void)values;
    return refuse(context, run, span, 0, err);
}

static void ignore_measures(void *context, const double *values)
{
    (void)context;
    (void)values;
}

/* This rank cannot go on. The others wait for it in the step, so it takes part with an update that fails, which makes
 * the step fail everywhere; if nothing was its to update, only ending the job is left. */
static bool fail_together(struct fit *f, strata_error *err)
{
    strata_error told = *err;
    if (f->trainer.ranks == 1) {
        (void)strata_fit_end_checkpoint(f, err);
        *err = told;
        return false;
    }
    if (!strata_fit_settle(f, err) || (f->updater && strata_reducer_has_failed(strata_updater_reducer(f->updater)))) return false;
    if (f->updater && !f->exchanged && !f->exact) {
        if (!strata_fit_end_checkpoint(f, err)) return false;
        const struct reducer_update *step = strata_updater_step(f->updater);
        struct reducer_update failing = { .context = &told, .update = refuse, .measure_count = step->measure_count };
        if (step->measure) {
            failing.measure = refuse_measure;
            failing.measured = ignore_measures;
        }
        struct reducer *reducer = strata_updater_reducer(f->updater);
        if (!strata_reducer_start(reducer, NULL, NULL, &failing, err) || !strata_reducer_wait(reducer, err))
            return false;
    }
    strata_comm_abort(f->trainer.comm, &told);
    return false;
}

/* This rank cannot go on, at a place where the others do not ask. */
static bool fail_alone(const struct fit *f, strata_error *err)
{
    if (f->trainer.ranks > 1) strata_comm_abort(f->trainer.comm, err);
    return false;
}

static bool reduce(struct fit *f, const struct pass *pass, strata_error *err)
{
    if (!f->updater) return true;
    return strata_reducer_start(strata_updater_reducer(f->updater), pass ? strata_plan_run(pass->plan) : NULL,
                                pass ? strata_plan_marks(pass->plan) : NULL, strata_updater_step(f->updater), err);
}

static bool wait_for_update(struct fit *f, strata_error *err)
{
    if (!f->updater) return true;
    if (!strata_reducer_await_update(strata_updater_reducer(f->updater), err)) return false;
    strata_updater_end(f->updater);
    return true;
}

bool strata_fit_settle(const struct fit *f, strata_error *err)
{
    return !f->updater || strata_reducer_wait(strata_updater_reducer(f->updater), err);
}

bool strata_fit_drain(struct fit *f, strata_error *err)
{
    return strata_readback_drain(f->readback, err);
}

/* ---- sums over the ranks ------------------------------------------------------------------------------------------------ */

bool strata_fit_sum(struct fit *f, double *extra, size_t extra_count, strata_error *err)
{
    const size_t count = f->objective->sums;
    memcpy(f->all, f->sums, count * sizeof *f->all);
    if (extra_count) memcpy(f->all + count, extra, extra_count * sizeof *extra);
    if (!strata_comm_sum(f->trainer.comm, f->all, count + extra_count, err)) return false;
    if (extra_count) memcpy(extra, f->all + count, extra_count * sizeof *extra);
    return true;
}

/* ---- the step as a whole ---------------------------------------------------------------------------------------------------- */

/* Where a share runs in parts, no pass stands for the whole of it. */
static bool queue(struct fit *f, const struct batch *batch, double scale, struct pass **pass, strata_error *err)
{
    *pass = NULL;
    if (f->exact) return strata_fit_exact(f, batch, scale, pass, err);
    return f->accumulation ? strata_fit_accumulate(f, batch, scale, err) : strata_fit_play(f, batch, scale, pass, err);
}

bool strata_fit_step(struct fit *f, strata_error *err)
{
    struct batch batch;
    struct pass *pass;
    const size_t number = f->epoch * f->steps + f->step + 1;
    strata_comm_step(f->trainer.comm, "training", number);
    if (!next_batch(f, number, &batch, err)) return fail_together(f, err);
    strata_comm_step(f->trainer.comm, "training", number);
    const double divisor = strata_objective_divisor(f->objective, batch.global_count, batch.global_weight,
                                                    batch.weight != NULL);
    const double scale = divisor != 0 ? 1 / divisor : 0; /* Keras's divide_no_nan */
    if (f->updater) strata_updater_begin(f->updater);
    if (f->exact && !strata_fit_settle(f, err)) return false;
    strata_pace_begin(&f->pace, batch.count);
    if (!queue(f, &batch, scale, &pass, err) || !strata_fit_spoil(f, err) || !strata_pace_queued(&f->pace, err))
        return fail_together(f, err);
    if (!strata_fit_settle(f, err) || !strata_fit_end_checkpoint(f, err) || !reduce(f, pass, err)) return false;
    if (!count(f, &batch, pass, scale, err) || !strata_pace_end(&f->pace, err)) return fail_alone(f, err);
    if (!wait_for_update(f, err)) return false;
    f->step++;
    return strata_fit_exact_statistics(f, &batch, err) && strata_fit_teach_idle(f, &batch, err) && strata_fit_hear_odd(f, err)
           && strata_fit_guard(f, err) && strata_fit_balance(f, batch.global_count, err);
}
