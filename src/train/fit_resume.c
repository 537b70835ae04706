/* Going on from a checkpoint: the newest file whose every check holds. */
#include "train/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- finding one ------------------------------------------------------------------------------------------------------------- */

static bool copy_weights(strata_model *to, strata_model *from, strata_error *err)
{
    size_t count, other;
    float *values = NULL;
    bool ok = strata_model_weight_count(to, &count, err) && strata_model_weight_count(from, &other, err)
              && (count == other
                  || strata_fail(err, STRATA_EFILE, "it holds %zu weights; the model has %zu", other, count));
    for (size_t i = 0; ok && i < count; i++) {
        const strata_weight_info info = strata_model_weight_info(to, i), there = strata_model_weight_info(from, i);
        ok = info.count == there.count
             || strata_fail(err, STRATA_EFILE, "%s/%s has %zu elements there and %zu here", info.layer, info.name,
                            there.count, info.count);
        ok = ok && (values = strata_alloc(info.count, sizeof *values, err))
             && strata_model_get_weight(from, i, values, info.count, err)
             && strata_model_set_weight(to, i, values, info.count, err);
        free(values);
        values = NULL;
    }
    return ok;
}

static bool same_conditions(const struct fit *f, const json_t *state, strata_error *err)
{
    json_t *wanted = strata_fit_conditions(f);
    const json_t *there = json_object_get(state, "conditions");
    const char *key;
    json_t *value;
    bool ok = wanted || strata_fail(err, STRATA_EMEMORY, "out of memory");
    json_object_foreach(wanted, key, value)
    {
        char a[STRATA_JSON_BRIEF], b[STRATA_JSON_BRIEF];
        const json_t *other = json_object_get(there, key);
        if (!ok || json_equal(value, other)) continue;
        ok = strata_fail(err, STRATA_EJOB, "%s is %s; the run that it was written by had %s. Start anew in another folder, "
                         "or go on with the old value", key, strata_json_brief(value, a),
                         other ? strata_json_brief(other, b) : "none");
    }
    json_decref(wanted);
    return ok;
}

static void warn_damaged(const struct fit *f, const char *path, const strata_error *damage)
{
    strata_error text = { 0 };
    strata_fail(&text, STRATA_EFILE, "%s is passed over: %s", path, damage->code ? damage->message : "it is no checkpoint");
    if (f->config->warn) f->config->warn(f->config->warn_context, text.message);
}

/* One file: false when it is damaged or not ours; *fits false (with err) when it is of another run. */
static bool try_file(struct fit *f, strata_model *model, const char *path, json_t **state, bool *fits, strata_error *err)
{
    struct saved_training saved = { 0 };
    strata_error damage = { 0 };
    strata_model *loaded = strata_archive_load(path, &saved, &damage);
    *fits = true;
    const bool good = loaded && json_integer_value(json_object_get(saved.strata, "format")) == STRATA_CHECKPOINT_FORMAT;
    const json_int_t phase = good ? json_integer_value(json_object_get(saved.strata, "phase")) : 0;
    if (good && phase > (json_int_t)f->phase->index) {
        *state = json_incref(saved.strata);
    } else if (good && phase == (json_int_t)f->phase->index) {
        *fits = (same_conditions(f, saved.strata, err) && copy_weights(model, loaded, err)) || strata_fail_in(err, "%s", path);
        if (*fits) {
            strata_training_adopt(f->training, saved.variables, saved.count);
            saved.variables = NULL;
            saved.count = 0;
            *state = json_incref(saved.strata);
        }
    }
    if (!good) warn_damaged(f, path, &damage);
    strata_model_free(loaded);
    strata_saved_training_release(&saved);
    return good;
}

/* The newest file whose every check holds; none is no failure. */
static bool find(struct fit *f, strata_model *model, json_t **state, strata_error *err)
{
    size_t *steps, count;
    bool done = false, fits = true;
    if (!strata_run_folder_checkpoints(f->folder, &steps, &count, err)) return false;
    for (size_t i = count; i-- > 0 && !done;) {
        char name[64];
        snprintf(name, sizeof name, "checkpoints/step-%zu.keras", steps[i]);
        char *path = strata_run_folder_path(f->folder, name, err);
        fits = path != NULL;
        done = !path || try_file(f, model, path, state, &fits, err);
        free(path);
    }
    free(steps);
    return fits;
}

/* ---- reading it on all ranks ---------------------------------------------------------------------------------------------------- */

static bool share_weights(struct comm *comm, strata_model *model, strata_error *err)
{
    size_t count = 0;
    bool ok = strata_model_weight_count(model, &count, err);
    for (size_t i = 0; ok && i < count; i++) {
        const size_t elements = strata_model_weight_info(model, i).count;
        float *values = strata_alloc(elements, sizeof *values, err);
        ok = values && strata_model_get_weight(model, i, values, elements, err);
        ok = strata_comm_agree(comm, ok, err)
             && strata_comm_broadcast(comm, values, elements * sizeof *values, 0, err)
             && strata_model_set_weight(model, i, values, elements, err);
        free(values);
    }
    return ok;
}

/* Rank 0's state as text to all. */
static bool share_state(struct comm *comm, json_t **state, strata_error *err)
{
    char *text = *state ? strata_json_text(*state, false, err) : NULL;
    uint64_t length = text ? strlen(text) : 0;
    bool ok = strata_comm_broadcast(comm, &length, sizeof length, 0, err);
    if (ok && length > 0) {
        const bool room = text || (text = strata_alloc(length + 1, 1, err));
        ok = strata_comm_agree(comm, room, err) && strata_comm_broadcast(comm, text, length, 0, err);
        if (ok && !*state) ok = (*state = strata_json_parse(text, length, "strata.json", err)) != NULL;
    }
    free(text);
    return ok;
}

bool strata_fit_load(struct fit *f, struct comm *comm, strata_model *model, json_t **state, strata_error *err)
{
    *state = NULL;
    if (!f->config->resume) return true;
    bool ok = strata_trainer_build(model, f->data, err)
              && (strata_comm_rank(comm) != 0 || find(f, model, state, err));
    if (!strata_comm_agree(comm, ok, err) || !share_state(comm, state, err)) return false;
    f->phase->skipped = json_integer_value(json_object_get(*state, "phase")) > (json_int_t)f->phase->index;
    return !*state || f->phase->skipped || share_weights(comm, model, err);
}

static bool restore_sums(struct fit *f, const json_t *list, strata_error *err)
{
    if (json_array_size(list) != f->objective->sums)
        return strata_fail(err, STRATA_EFILE, "the checkpoint holds other metrics than the job");
    for (size_t i = 0; i < f->objective->sums; i++) {
        double value;
        if (!strata_exact_value(json_array_get(list, i), &value))
            return strata_fail(err, STRATA_EFILE, "strata.json: sums[%zu] is not a number", i);
        f->sums[i] = f->trainer.rank == 0 ? value : 0;
    }
    return true;
}

bool strata_fit_restore(struct fit *f, const json_t *state, strata_error *err)
{
    struct training *t = f->training;
    f->epoch = (size_t)json_integer_value(json_object_get(state, "epoch"));
    f->step = (size_t)json_integer_value(json_object_get(state, "step_in_epoch"));
    f->next_shown = f->step + 1;
    f->phase->steps = (size_t)json_integer_value(json_object_get(state, "steps_before"));
    if (!strata_exact_value(json_object_get(state, "scalar"), &t->scalar)
        || !strata_exact_value(json_object_get(state, "rate"), &t->rate)
        || !strata_exact_value(json_object_get(state, "best"), &f->best))
        return strata_fail(err, STRATA_EFILE, "strata.json: scalar, rate and best must be numbers");
    return restore_sums(f, json_object_get(state, "sums"), err)
           && strata_comm_agree(f->trainer.comm,
                                strata_fit_restore_statistics(f, json_object_get(state, "statistics"), err), err)
           && strata_history_restore(f->history, json_object_get(state, "history"), err)
           && strata_callbacks_restore(f->callbacks, json_object_get(state, "callbacks"), err);
}
