/* How much memory of a device a fit takes. */
#include "train/trainer.h"
#include "train/training.h"

/* The optimizer's numbers are divided among the ranks, for each updates its own slices. */
static bool add_state(const struct trainer *t, size_t *bytes, strata_error *err)
{
    size_t count = 0, optimizer = 0;
    if (!strata_model_optimizer_params(t->model, &count, &optimizer, err)) return false;
    *bytes += (t->params->total + t->params->trainable) * sizeof(float) + optimizer / (size_t)t->ranks;
    return true;
}

static bool add_pass(const struct trainer *t, struct passes *passes, size_t batch_size, size_t *bytes,
                     strata_error *err)
{
    size_t first, count;
    strata_share(&t->share, batch_size, &first, &count);
    struct plan_sizes own = { 0 };
    count = count > 0 ? count : 1;
    const bool ok = strata_passes_measure(passes, count, batch_size, true, &own, err);
    *bytes += own.arena + own.input + own.scratch + own.rest;
    return ok;
}

static bool check(const struct trainer *t, size_t bytes, strata_error *err)
{
    const strata_device_info *info = strata_device_info_of(t->device);
    return bytes <= info->memory
           || strata_fail(err, STRATA_EMEMORY, "%s: %zu MiB are needed; the device has %zu MiB", strata_device_text(t->device),
                          bytes >> 20, info->memory >> 20);
}

bool strata_model_fit_memory(strata_model *model, strata_context *context, const strata_data *data,
                             size_t batch_size, size_t *bytes, strata_error *err)
{
    struct trainer t = { 0 };
    struct passes passes = { 0 };
    struct objective *objective = NULL;
    const struct training *training = strata_training_of(model, err);
    *bytes = 0;
    bool ok = training && strata_trainer_open(&t, model, context, data, true, err)
              && (objective = strata_objective_create(training, model, data, err));
    if (ok) {
        passes = strata_trainer_passes(&t, data, objective, false);
        ok = add_pass(&t, &passes, batch_size, bytes, err) && add_state(&t, bytes, err) && check(&t, *bytes, err);
    }
    ok = strata_context_agree(context, ok, err);
    strata_passes_free(&passes);
    ok = strata_trainer_close(&t, ok, err);
    strata_objective_free(objective);
    return ok;
}
