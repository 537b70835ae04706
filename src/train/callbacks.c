#include "train/callbacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/callback_list.h"

static const struct class *const classes[] = {
    &strata_callback_early_stopping.class,
    &strata_callback_model_checkpoint.class,
    &strata_callback_reduce_rate.class,
    &strata_callback_rate_scheduler.class,
    &strata_callback_csv_logger.class,
    &strata_callback_terminate_on_nan.class,
    &strata_callback_tensorboard.class,
    NULL,
};

const struct registry strata_callbacks = { "callback", "keras.callbacks", classes };

struct member {
    struct object object;
    void *state;
};

struct callbacks {
    struct member *members;
    size_t count;
};

static const struct callback_class *class_of(const struct member *member)
{
    return (const struct callback_class *)member->object.class;
}

static bool add(struct callbacks *callbacks, const json_t *spec, strata_error *err)
{
    struct member *member = &callbacks->members[callbacks->count];
    if (!strata_object_parse(&strata_callbacks, spec, STRATA_KERAS3, &member->object, err)) return false;
    callbacks->count++;
    if (!member->object.class) return strata_fail(err, STRATA_EVALUE, "a callback is null");
    member->state = strata_alloc(1, class_of(member)->state_size, err);
    return member->state != NULL;
}

static bool add_all(struct callbacks *callbacks, const json_t *list, strata_error *err)
{
    const size_t count = json_array_size(list);
    if (!json_is_array(list)) return strata_fail(err, STRATA_EJOB, "a list of callbacks is expected");
    callbacks->members = strata_alloc(count, sizeof *callbacks->members, err);
    for (size_t i = 0; callbacks->members && i < count; i++)
        if (!add(callbacks, json_array_get(list, i), err)) return strata_fail_in(err, "[%zu]", i);
    return callbacks->members != NULL;
}

struct callbacks *strata_callbacks_create(const char *list, strata_error *err)
{
    struct callbacks *callbacks = strata_alloc(1, sizeof *callbacks, err);
    if (!callbacks || !list) return callbacks;
    json_t *json = strata_json_parse(list, strlen(list), "callbacks", err);
    const bool ok = json && add_all(callbacks, json, err);
    json_decref(json);
    if (ok) return callbacks;
    strata_callbacks_free(callbacks);
    err->code = err->code == STRATA_EVALUE ? STRATA_EJOB : err->code;
    strata_fail_in(err, "callbacks");
    return NULL;
}

void strata_callbacks_free(struct callbacks *callbacks)
{
    if (!callbacks) return;
    for (size_t i = 0; i < callbacks->count; i++) {
        struct member *member = &callbacks->members[i];
        if (member->state && class_of(member)->release) class_of(member)->release(member->state);
        free(member->state);
        strata_object_release(&member->object);
    }
    free(callbacks->members);
    free(callbacks);
}

static bool call(const struct member *member, enum callback_event event, struct callback_step *step, strata_error *err)
{
    const struct callback_class *class = class_of(member);
    bool (*function)(const void *, void *, struct callback_step *, strata_error *) = NULL;
    switch (event) {
    case CALLBACK_TRAIN_BEGIN: function = class->train_begin; break;
    case CALLBACK_EPOCH_BEGIN: function = class->epoch_begin; break;
    case CALLBACK_STEP_END: function = class->step_end; break;
    case CALLBACK_EPOCH_END: function = class->epoch_end; break;
    case CALLBACK_TRAIN_END: function = class->train_end; break;
    }
    return !function || function(member->object.config, member->state, step, err)
           || strata_fail_in(err, "%s", member->object.class->name);
}

bool strata_callbacks_call(struct callbacks *callbacks, enum callback_event event, struct callback_step *step,
                           strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < callbacks->count; i++) ok = call(&callbacks->members[i], event, step, err);
    return ok;
}

bool strata_callbacks_watch_steps(const struct callbacks *callbacks)
{
    bool watch = false;
    for (size_t i = 0; i < callbacks->count; i++) {
        const struct member *member = &callbacks->members[i];
        const struct callback_class *class = class_of(member);
        watch = watch || (class->watches_steps && class->watches_steps(member->object.config));
    }
    return watch;
}

bool strata_callbacks_look_inside(const struct callbacks *callbacks)
{
    bool look = false;
    for (size_t i = 0; i < callbacks->count; i++) look = look || class_of(&callbacks->members[i])->step_end;
    return look;
}

bool strata_callbacks_log_rate(const struct callbacks *callbacks)
{
    bool log = false;
    for (size_t i = 0; i < callbacks->count; i++) log = log || class_of(&callbacks->members[i])->logs_rate;
    return log;
}

json_t *strata_callbacks_save(const struct callbacks *callbacks)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < callbacks->count; i++) {
        const struct member *member = &callbacks->members[i];
        json_t *state = class_of(member)->save ? class_of(member)->save(member->state) : NULL;
        json_array_append_new(list, state ? state : json_null());
    }
    return list;
}

bool strata_callbacks_restore(struct callbacks *callbacks, const json_t *json, strata_error *err)
{
    if (json_array_size(json) != callbacks->count)
        return strata_fail(err, STRATA_EFILE, "the checkpoint has the state of %zu callbacks; the job has %zu",
                           json_array_size(json), callbacks->count);
    for (size_t i = 0; i < callbacks->count; i++) {
        struct member *member = &callbacks->members[i];
        const json_t *state = json_array_get(json, i);
        if (class_of(member)->restore && !class_of(member)->restore(member->state, state, err))
            return strata_fail_in(err, "%s", member->object.class->name);
    }
    return true;
}
