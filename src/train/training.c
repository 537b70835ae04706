/* The state that saving a model takes along. */
#include "train/training.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"

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
    json_t *own = strata_training_own(t);
    if (own) saved->strata = json_pack("{s:o}", "compile", own);
    saved->variables = saved->compile_config ? strata_alloc(t->count, sizeof *saved->variables, err) : NULL;
    bool ok = saved->variables != NULL;
    for (; ok && saved->count < t->count; saved->count++)
        ok = copy_variable(&t->variables[saved->count], &saved->variables[saved->count], err);
    if (!ok) strata_saved_training_release(saved);
    return ok;
}
