/* A saved model with what it was compiled with, and the size of an optimizer's state. */
#include <stdlib.h>
#include <strata/train.h>

#include "files/archive.h"
#include "model/model.h"
#include "train/optimizer_state.h"
#include "train/training.h"

json_t *strata_training_own(const struct training *t)
{
    json_t *own = t->rates || !t->winograd ? json_object() : NULL;
    if (t->rates) json_object_set(own, "learning_rate_multipliers", t->rates);
    if (!t->winograd) json_object_set_new(own, "winograd", json_false());
    return own;
}

/* The variables change hands: the model goes on from them. */
static bool compile_saved(strata_model *model, struct saved_training *saved, strata_error *err)
{
    const json_t *own = json_object_get(saved->strata, "compile");
    if (json_object_size(saved->compile_config) == 0)
        return true;
    if (own && !json_is_object(own))
        return strata_fail(err, STRATA_EFILE, "strata.json: compile is %s; an object is expected", strata_json_kind(own));
    if (own) json_object_update(saved->compile_config, (json_t *)own);
    if (!strata_training_compile(model, saved->compile_config, err))
        return strata_fail_in(err, "compile_config");
    ((struct training *)strata_model_training(model))->checkpoint = json_object_get(saved->strata, "format") != NULL;
    if (saved->count > 0) {
        strata_training_adopt(strata_model_training(model), saved->variables, saved->count);
        saved->variables = NULL;
        saved->count = 0;
    }
    return true;
}

strata_model *strata_model_open(const char *path, strata_error *err)
{
    struct saved_training saved = { 0 };
    strata_model *model = strata_archive_load(path, &saved, err);
    if (model && !compile_saved(model, &saved, err)) {
        strata_fail_in(err, "%s", path);
        strata_model_free(model);
        model = NULL;
    }
    strata_saved_training_release(&saved);
    return model;
}

strata_model_extras strata_model_carries(const strata_model *model)
{
    const struct training *t = strata_model_training(model);
    return (strata_model_extras){ .multipliers = t && t->rates, .winograd = t && !t->winograd, .position = t && t->checkpoint };
}

bool strata_model_optimizer_params(const strata_model *model, size_t *count, size_t *bytes, strata_error *err)
{
    const struct training *training = strata_model_training(model);
    size_t weights = 0, trainable = 0;
    *count = *bytes = 0;
    if (!training)
        return true;
    if (!strata_model_count_params(model, &weights, &trainable, err))
        return false;
    const struct slot_kinds kinds = strata_slot_kinds(training);
    const bool rate = strata_schedule_is_constant(&strata_training_common(training)->learning_rate);
    const bool scalar = strata_training_optimizer(training)->advance != NULL;
    const size_t scaled = training->scaling.on, integers = 1 + 2 * scaled; /* of 64 bits: iterations and the counter of good steps */
    *count = trainable * (size_t)kinds.count + 1 + rate + scalar + scaled * STRATA_OUTER_VARIABLES;
    *bytes = (*count - integers) * sizeof(float) + integers * sizeof(int64_t);
    return true;
}
