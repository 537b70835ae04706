/* Gradients that are not finite. Training goes on, as Keras's does: TerminateOnNaN is who stops it. What is told is where they came
 * from, of which nothing is left to see a step later: all weights are NaN then. */
#include "train/fit.h"

#include <math.h>
#include <stdio.h>

#include "base/fault.h"

bool strata_fit_spoil(const struct fit *f, strata_error *err)
{
    const struct params *params = f->trainer.params;
    const float nan = NAN;
    size_t most;
    struct buffer *parts = strata_fit_parts(f, &most);
    if (!f->updater || strata_fault(FAULT_GRADIENT) != FAULT_NAN) return true;
    const struct param *param = &params->list[params->trainable_params / 2];
    return strata_device_finish(f->trainer.device, err)
           && strata_buffer_write(f->trainer.device, QUEUE_COMPUTE, parts ? parts : params->gradients,
                                  (param->offset + param->count / 2) * sizeof nan, sizeof nan, &nan, err);
}

static const struct param *at(const struct params *params, size_t element)
{
    size_t i = 0;
    while (i + 1 < params->trainable_params && params->list[i + 1].offset <= element) i++;
    return &params->list[i];
}

static void warn(const struct fit *f, size_t step, size_t element, int rank, bool others)
{
    const struct param *param = at(f->trainer.params, element);
    strata_error told = { 0 };
    char whose[80] = "in the sum over the ranks, which is too large";
    if (f->trainer.rank != 0 || !f->config->warn) return;
    if (rank >= 0) snprintf(whose, sizeof whose, "on rank %d%s", rank, others ? " or another of its node" : "");
    strata_fail(&told, STRATA_EVALUE, "epoch %zu, step %zu: the gradient of %s/%s is not finite %s; training goes on, unless the "
                "callback TerminateOnNaN ends it once the loss is not finite either", (step - 1) / f->steps + 1,
                (step - 1) % f->steps + 1, strata_layer_name(param->layer), param->name, whose);
    f->config->warn(f->config->warn_context, told.message);
}

/* The largest of all ranks' numbers; -INFINITY: none has one. */
static bool largest(const struct fit *f, double *value, strata_error *err)
{
    return strata_comm_max(f->trainer.comm, value, 1, err);
}

bool strata_fit_tell_odd(struct fit *f, strata_error *err)
{
    const struct oddity odd = strata_reducer_odd(strata_updater_reducer(f->updater));
    const double mine = -(double)f->odd_step;
    double step = f->odd_step > 0 ? mine : (double)-INFINITY, element = (double)-INFINITY, whose = (double)-INFINITY;
    f->odd_told = true;
    if (!strata_fit_settle(f, err) || !largest(f, &step, err)) return false;
    const bool first = f->odd_step > 0 && step == mine;
    if (first) element = -(double)odd.element;
    if (!largest(f, &element, err)) return false;
    if (first && element == -(double)odd.element) whose = 2 * odd.rank + odd.others;
    if (!largest(f, &whose, err)) return false;
    if (isfinite(step)) warn(f, (size_t)-step, (size_t)-element, (int)floor(whose / 2), fmod(whose, 2) == 1);
    return true;
}

/* With a scaled loss they are nothing to tell: the scale is halved for them. */
static bool tells(const struct fit *f)
{
    return f->updater && !f->odd_told && !f->training->scaling.on;
}

bool strata_fit_sees_odd(struct fit *f)
{
    if (!tells(f)) return false;
    if (f->odd_step == 0 && strata_reducer_odd(strata_updater_reducer(f->updater)).found) f->odd_step = f->epoch * f->steps + f->step;
    return f->odd_step > 0;
}

bool strata_fit_hear_odd(struct fit *f, strata_error *err)
{
    (void)strata_fit_sees_odd(f);
    if (!tells(f) || !strata_reducer_heard_odd(strata_updater_reducer(f->updater))) return true;
    return strata_fit_tell_odd(f, err);
}
