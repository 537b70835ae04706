/* The state that saving a model takes along. */
#include "train/training.h"

#include <stdlib.h>
#include <string.h>
#include <strata/train.h>

#include "base/memory.h"
#include "model/model.h"
#include "train/optimizer_state.h"

static size_t elements(const struct saved_variable *variable)
{
    size_t count = 1;
    for (int i = 0; i < variable->shape.rank; i++) count *= variable->shape.dim[i];
    return count;
}

static bool copy_variable(const struct saved_variable *from, struct saved_variable *to, strata_error *err)
{
    *to = *from;
    to->values = NULL;
    to->name = strata_copy_text(from->name, err);
    if (!to->name || !from->values) return to->name != NULL;
    to->values = strata_alloc(elements(from), sizeof *to->values, err);
    if (to->values) memcpy(to->values, from->values, elements(from) * sizeof *to->values);
    return to->values != NULL;
}

bool strata_training_collect(strata_model *model, struct saved_training *saved, strata_error *err)
{
    const struct training *t = strata_model_training(model);
    *saved = (struct saved_training){ 0 };
    saved->compile_config = strata_training_config(t, err);
    saved->variables = saved->compile_config ? strata_alloc(t->count, sizeof *saved->variables, err) : NULL;
    bool ok = saved->variables != NULL;
    for (; ok && saved->count < t->count; saved->count++)
        ok = copy_variable(&t->variables[saved->count], &saved->variables[saved->count], err);
    if (!ok) strata_saved_training_release(saved);
    return ok;
}

bool strata_model_optimizer_params(const strata_model *model, size_t *count, size_t *bytes, strata_error *err)
{
    const struct training *t = strata_model_training(model);
    size_t total, trainable;
    *count = *bytes = 0;
    if (!t) return true;
    if (!strata_model_count_params(model, &total, &trainable, err)) return false;
    const struct slot_kinds kinds = strata_slot_kinds(t);
    const bool has_rate = strata_schedule_is_constant(&strata_training_common(t)->learning_rate);
    const size_t floats = (size_t)kinds.count * trainable + has_rate + (strata_training_optimizer(t)->advance != NULL);
    *count = floats + 1; /* and the iteration, of eight bytes */
    *bytes = floats * sizeof(float) + sizeof(int64_t);
    return true;
}
