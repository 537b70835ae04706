/* Signals and the like: one rank is asked to stop, and all stop after the same step. A rank that left alone would leave the
 * others waiting for it. */
#include "train/fit.h"

void strata_fit_listen(struct fit *f)
{
    const strata_fit_config *c = f->config;
    f->asked = f->asked || (c->stop_asked && c->stop_asked(c->stop_context)) || strata_fit_saver_failed(f);
    if (f->updater) strata_reducer_wish(strata_updater_reducer(f->updater), f->asked);
}

bool strata_fit_hear(struct fit *f, strata_error *err)
{
    double asked = f->asked;
    if (f->updater) {
        f->interrupted = strata_reducer_wished(strata_updater_reducer(f->updater));
        return true;
    }
    if (!strata_comm_max(f->trainer.comm, &asked, 1, err)) return false;
    f->interrupted = asked > 0;
    return true;
}

bool strata_fit_agree_to_stop(struct fit *f, strata_error *err)
{
    strata_fit_listen(f);
    double stop[] = { f->stop, f->asked };
    if (!strata_comm_max(f->trainer.comm, stop, 2, err)) return false;
    f->stop = stop[0] > 0;
    f->interrupted = stop[1] > 0;
    return true;
}

bool strata_fit_interrupt(struct fit *f, bool saved, strata_error *err)
{
    const bool saves = f->folder && f->config->checkpoint;
    if (!saved && !strata_fit_checkpoint(f, false, true, err)) return false;
    if (!strata_fit_saved(f, true, err)) return false;
    if (!saves)
        return strata_fail(err, STRATA_ESTOPPED, "epoch %zu, step %zu of %zu; nothing is saved, for the run writes no "
                           "checkpoints", f->epoch + 1, f->step, f->steps);
    return strata_fail(err, STRATA_ESTOPPED, "epoch %zu, step %zu of %zu is saved in %s", f->epoch + 1,
                       f->step, f->steps, f->config->run_dir);
}
