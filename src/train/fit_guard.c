/* Whether all ranks still hold the same weights: memory that errs, a driver that computes otherwise. */
#include "train/fit.h"

#include <stdlib.h>

#include "base/memory.h"

enum { GUARD_STEPS = 100 };

/* All weights but moving statistics, which each rank moves by its own samples. */
static bool read_weights(const struct fit *f, float *host, size_t *count, strata_error *err)
{
    const struct params *params = f->trainer.params;
    bool ok = true;
    *count = 0;
    for (size_t i = 0; ok && i < params->count; i++) {
        const struct param *param = &params->list[i];
        if (param->statistic) continue;
        ok = strata_buffer_read(f->trainer.device, QUEUE_COMPUTE, params->weights, param->offset * sizeof(float),
                                param->count * sizeof(float), host + *count, err);
        *count += param->count;
    }
    return ok;
}

bool strata_fit_guard(struct fit *f, strata_error *err)
{
    if (f->trainer.ranks == 1 || f->pace.step % GUARD_STEPS != 0) return true;
    if (!strata_fit_settle(f, err)) return false;
    size_t count = 0;
    float *host = strata_alloc(f->trainer.params->total, sizeof *host, err);
    bool ok = host && read_weights(f, host, &count, err);
    ok = strata_comm_agree(f->trainer.comm, ok, err)
         && (strata_comm_same(f->trainer.comm, "weights", host, count * sizeof *host, err)
             || strata_fail_in(err, "epoch %zu, step %zu", f->epoch + 1, f->step));
    free(host);
    return ok;
}

bool strata_fit_tell_saturated(struct fit *f, strata_error *err)
{
    strata_error text = { 0 };
    double now = f->updater ? (double)strata_reducer_saturated(strata_updater_reducer(f->updater)) : 0;
    if (f->config->compression != STRATA_COMPRESSION_FP16) return true;
    if (!strata_comm_sum(f->trainer.comm, &now, 1, err)) return false;
    if (now > f->saturated && f->trainer.rank == 0 && f->config->warn) {
        strata_fail(&text, STRATA_EVALUE, "epoch %zu: %.0f gradients were too large for fp16 and travelled as 65504; compression "
                    "bf16 has the range of floats", f->epoch + 1, now - f->saturated);
        f->config->warn(f->config->warn_context, text.message);
    }
    f->saturated = now;
    return true;
}
