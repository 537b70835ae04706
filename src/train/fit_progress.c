/* What is shown inside an epoch. The sums over the ranks travel while the next step runs, which waits for nothing: what is shown is a
 * step old. Where callbacks look, or every step is to be shown, they see the step that is over, and the next one waits. */
#include "train/fit.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

static const double look_seconds = 1; /* how often callbacks look when nobody else does */

enum { INTERVAL, STOP, SECONDS, EXTRA }; /* behind the sums */

bool strata_fit_make_progress(struct fit *f, strata_error *err)
{
    return (f->telling.sum = strata_comm_sum_create(f->trainer.comm, f->objective->sums + EXTRA, err));
}

/* When every rank shows progress again, in steps: by rank 0's clock, which alone decides. */
static double next_interval(const struct fit *f)
{
    const double wanted = fmin(f->config->progress_seconds, look_seconds), spent = strata_clock() - f->last_shown;
    if (wanted == 0 || strata_callbacks_watch_steps(f->callbacks)) return 1;
    const double steps = spent > 0 ? (double)f->interval * wanted / spent : 1;
    return fmin(fmax(floor(steps), 1), fmin(2.0 * (double)f->interval, 1e6));
}

static void begin(struct fit *f)
{
    const size_t sums = f->objective->sums;
    memcpy(f->all, f->sums, sums * sizeof *f->all);
    f->all[sums + INTERVAL] = f->trainer.rank == 0 ? next_interval(f) : 0;
    f->all[sums + STOP] = f->stop || f->telling.stop;
    f->last_shown = strata_clock();
    f->telling.progress = strata_fit_progress(f, false);
    f->all[sums + SECONDS] = f->trainer.rank == 0 ? f->telling.progress.seconds : 0;
    f->telling.begun = true;
    strata_comm_sum_begin(f->telling.sum, f->all);
}

/* A rank that stopped alone would leave the others waiting for it: they hear of it with the next numbers. */
static void wish_to_stop(struct fit *f)
{
    if (f->trainer.ranks == 1)
        f->stop = true;
    else
        f->telling.stop = true;
}

bool strata_fit_shown(struct fit *f, strata_error *err)
{
    const size_t sums = f->objective->sums;
    strata_progress *progress = &f->telling.progress;
    if (!f->telling.begun) return true;
    f->telling.begun = false;
    if (!strata_comm_sum_end(f->telling.sum, f->all, err)) return false;
    strata_objective_results(f->objective, f->all, f->values);
    progress->count = f->count = strata_objective_values(f->objective);
    f->interval = (size_t)f->all[sums + INTERVAL];
    f->next_shown = progress->step + f->interval;
    f->stop = f->all[sums + STOP] > 0;
    progress->seconds = f->all[sums + SECONDS];
    strata_comm_phase(f->trainer.comm, "telling its progress", progress->step);
    if (f->config->progress && !f->config->progress(f->config->progress_context, progress)) wish_to_stop(f);
    return !strata_callbacks_look_inside(f->callbacks) || strata_fit_call(f, CALLBACK_STEP_END, progress, err);
}

bool strata_fit_show(struct fit *f, strata_error *err)
{
    const bool look = strata_callbacks_look_inside(f->callbacks), each = f->config->progress_seconds == 0;
    if (!look && !(f->config->progress && isfinite(f->config->progress_seconds))) return true;
    if (!strata_fit_shown(f, err)) return false;
    if (f->stop || f->step < f->next_shown) return true;
    const bool early = f->step <= READBACK_DEPTH; /* the first steps are still on their way to the host */
    if (look && !strata_fit_settle(f, err)) return false;
    if ((early || each || strata_callbacks_watch_steps(f->callbacks)) && !strata_fit_drain(f, err)) return false;
    begin(f);
    const bool now = look || each || early || f->trainer.ranks == 1;
    return !now || strata_fit_shown(f, err);
}
