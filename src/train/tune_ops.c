/* Which ops a model has: its plans tell them while they are measured, for every number of samples that a rank runs at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/choices.h"
#include "dist/context.h"
#include "train/training.h"
#include "train/tune.h"

static void hear(void *context, const char *step, const void *told)
{
    struct ops *ops = context;
    const struct request *request = told;
    char key[STRATA_REQUEST_TEXT], other[STRATA_REQUEST_TEXT];
    void *list = ops->list;
    strata_request_key(request, key);
    for (size_t i = 0; i < ops->count; i++)
        if (strcmp(strata_request_key(&ops->list[i].request, other), key) == 0) {
            ops->list[i].times++;
            return;
        }
    if (ops->failure.code || !strata_reserve(&list, &ops->room, ops->count + 1, sizeof *ops->list, &ops->failure)) return;
    ops->list = list;
    struct seen *new = &ops->list[ops->count++];
    *new = (struct seen){ .request = *request, .times = 1, .whole = ops->whole };
    snprintf(new->step, sizeof new->step, "%s", step);
}

void strata_ops_free(struct ops *ops)
{
    free(ops->list);
    *ops = (struct ops){ 0 };
}

/* Of so many samples at once. */
static bool collect_at_once(struct passes *passes, size_t n, size_t global, bool training, strata_error *err)
{
    struct plan_sizes sizes;
    return n == 0 || strata_passes_measure(passes, n, global, training, &sizes, err);
}

/* Of every rank's share of a batch of so many samples, in so many parts. */
static bool collect_batch(const struct trainer *t, struct passes *passes, size_t global, size_t parts, bool training,
                          strata_error *err)
{
    struct share share = t->share;
    size_t before = 0;
    bool ok = true;
    for (share.rank = 0; ok && share.rank < share.size; share.rank++) {
        size_t first, count;
        strata_share(&share, global, &first, &count);
        if (count == before || count == 0) continue;
        const size_t part = (count + parts - 1) / parts;
        ok = collect_at_once(passes, part, global, training, err)
             && collect_at_once(passes, count % part, global, training, err);
        before = count;
    }
    return ok;
}

/* Whole batches, or the last one, which may be smaller. */
static bool collect_pass(const struct trainer *t, struct passes *passes, size_t batch, size_t parts, bool training, bool whole,
                         strata_error *err)
{
    const size_t samples = passes->data->count, size = whole ? batch : samples % batch;
    return size == 0 || size > samples || collect_batch(t, passes, size, parts, training, err);
}

static bool collect(struct ops *ops, const struct trainer *t, const strata_data *data, const strata_data *validation,
                    const strata_fit_config *c, const struct objective *objective, strata_error *err)
{
    const strata_data *looked_at = validation ? validation : data;
    struct passes training = strata_trainer_passes(t, data, objective, c->class_weight != NULL);
    struct passes looking = strata_trainer_passes(t, looked_at, objective, false);
    const size_t batch = strata_batch_size_or(c->validation_batch_size, c->batch_size);
    bool ok = true;
    for (int whole = 1; ok && whole >= 0; whole--) {
        ops->whole = whole;
        ok = collect_pass(t, &training, c->batch_size, c->accumulate, true, whole, err)
             && collect_pass(t, &looking, batch, 1, false, whole, err);
    }
    strata_passes_free(&training);
    strata_passes_free(&looking);
    return ok;
}

static bool collect_in(struct ops *ops, struct trainer *t, const strata_data *data, const strata_data *validation,
                       const strata_fit_config *c, strata_error *err)
{
    const struct training *training = strata_training_of(t->model, err);
    struct objective *objective = training ? strata_objective_create(training, t->model, data, err) : NULL;
    strata_device_listen(t->device, (struct listener){ hear, ops });
    bool ok = objective && collect(ops, t, data, validation, c, objective, err);
    strata_device_listen(t->device, (struct listener){ 0 });
    if (ok && ops->failure.code) *err = ops->failure;
    ok = ok && !ops->failure.code;
    strata_objective_free(objective);
    return strata_comm_agree(t->comm, ok, err);
}

bool strata_ops_collect(struct ops *ops, strata_model *model, strata_context *context, const strata_data *data,
                        const strata_data *validation, const strata_fit_config *config, strata_error *err)
{
    strata_data *head = NULL, *tail = NULL;
    struct trainer t = { 0 };
    strata_fit_config c = *config;
    if (c.batch_per_rank) c.batch_size *= (size_t)strata_context_size(context);
    bool ok = c.validation_split == 0 || strata_data_split(data, c.validation_split, &head, &tail, err);
    ok = strata_context_agree(context, ok, err);
    if (ok) {
        ok = strata_trainer_open(&t, model, context, head ? head : data, true, err)
             && collect_in(ops, &t, head ? head : data, tail ? tail : validation, &c, err);
        ok = strata_trainer_close(&t, ok, err);
    }
    strata_data_free(head);
    strata_data_free(tail);
    return ok;
}
