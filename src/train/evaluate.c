/* evaluate: the loss and the metrics over a dataset. */
#include <stdlib.h>

#include "base/memory.h"
#include "train/memory.h"
#include "train/trainer.h"

void strata_logs_free(strata_logs *logs)
{
    for (size_t i = 0; logs->names && i < logs->count; i++) free(logs->names[i]);
    free(logs->names);
    free(logs->values);
    *logs = (strata_logs){ 0 };
}

static bool make_logs(const struct objective *o, const double *sums, strata_logs *logs, strata_error *err)
{
    const size_t count = strata_objective_values(o);
    logs->names = strata_alloc(count, sizeof *logs->names, err);
    logs->values = logs->names ? strata_alloc(count, sizeof *logs->values, err) : NULL;
    bool ok = logs->values != NULL;
    for (; ok && logs->count < count; logs->count += ok)
        ok = (logs->names[logs->count] = strata_copy_text(o->names[logs->count], err)) != NULL;
    if (ok) strata_objective_results(o, sums, logs->values);
    return ok;
}

static bool limit(struct trainer *t, struct passes *passes, size_t batch, strata_error *err)
{
    if (!strata_memory_plan_looking(t, strata_memory_measure_passes, passes, passes->data->count, batch, err)) return false;
    if (t->memory.limit > 0) passes->pool = &t->memory.pool;
    return true;
}

bool strata_model_evaluate(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                           strata_logs *logs, strata_error *err)
{
    struct trainer t = { 0 };
    struct passes passes = { 0 };
    struct objective *o = NULL;
    double *sums = NULL;
    *logs = (strata_logs){ 0 };
    const struct training *training = strata_training_of(model, err);
    bool ok = training && strata_trainer_open(&t, model, context, data, false, err)
              && (o = strata_objective_create(training, model, data, err))
              && (sums = strata_alloc(o->sums, sizeof *sums, err));
    if (ok) {
        const size_t batch = strata_batch_size_or(batch_size, 32);
        passes = strata_trainer_passes(&t, data, o, false);
        ok = limit(&t, &passes, batch, err) && strata_trainer_evaluate(&t, &passes, batch, 0, sums, err)
             && make_logs(o, sums, logs, err);
    }
    strata_passes_free(&passes);
    ok = strata_trainer_close(&t, ok, err);
    strata_objective_free(o);
    free(sums);
    if (!ok) strata_logs_free(logs);
    return ok;
}
