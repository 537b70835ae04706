/* The optimizer's state in Keras's files, brought to Keras 3's order and names.
 * Source: the optimizers of Keras 3 and tf-keras, which make their variables in the same order; Keras 2 has no variable
 * for the learning rate, and SGD without momentum keeps slots that nothing uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/shape.h"
#include "base/text.h"
#include "files/compile_config.h"
#include "files/save.h"

enum { MOST_VARIABLES = 100000 };

size_t strata_saved_variable_count(const struct saved_variable *variable)
{
    size_t count = 1;
    for (int i = 0; i < variable->shape.rank; i++) count *= variable->shape.dim[i];
    return count;
}

void strata_saved_training_release(struct saved_training *training)
{
    if (!training) return;
    json_decref(training->compile_config);
    json_decref(training->strata);
    for (size_t i = 0; i < training->count; i++) {
        free(training->variables[i].name);
        free(training->variables[i].values);
    }
    free(training->variables);
    *training = (struct saved_training){ 0 };
}

static size_t count_of(const strata_shape *shape)
{
    struct shape same = { .rank = shape->rank };
    for (int i = 0; i < shape->rank; i++) same.dim[i] = shape->dim[i];
    return strata_shape_count(&same);
}

static bool read_variable(const struct h5 *file, const char *path, struct saved_variable *variable,
                          strata_error *err)
{
    if (!strata_h5_shape(file, path, &variable->shape, err)
        || !strata_h5_is_integer(file, path, &variable->integer, err))
        return false;
    if (variable->integer && variable->shape.rank == 0)
        return strata_h5_integer(file, path, &variable->integers, err);
    const size_t count = count_of(&variable->shape);
    variable->integer = false;
    variable->values = strata_alloc(count, sizeof *variable->values, err);
    return variable->values && strata_h5_floats(file, path, variable->values, count, err);
}

/* Room for the variables of a file and a learning rate. */
static bool start(struct saved_training *training, size_t count, strata_error *err)
{
    training->variables = strata_alloc(count + 1, sizeof *training->variables, err);
    return training->variables != NULL;
}

static bool add_rate(struct saved_training *training, strata_error *err)
{
    struct saved_variable *variable = &training->variables[training->count++];
    variable->values = strata_alloc(1, sizeof *variable->values, err);
    if (variable->values) strata_constant_rate(training->compile_config, variable->values);
    variable->name = strata_copy_text("learning_rate", err);
    return variable->values && variable->name;
}

/* Adopts the name. */
static bool add(const struct h5 *file, const char *path, char *name, struct saved_training *training,
                strata_error *err)
{
    if (!name) return false;
    struct saved_variable *variable = &training->variables[training->count++];
    variable->name = name;
    return read_variable(file, path, variable, err);
}

/* Whether Keras 2 wrote slots that Keras 3 does not make. */
static bool idle_slots(const json_t *compile_config)
{
    const json_t *config = json_object_get(json_object_get(compile_config, "optimizer"), "config");
    return strcmp(strata_optimizer_class(compile_config), "SGD") == 0
           && json_number_value(json_object_get(config, "momentum")) == 0;
}

/* ---- .h5 ---- */

/* "dense_kernel_momentum" of "Adam/m/dense/kernel:0". */
static char *keras2_name(const char *name, strata_error *err)
{
    static const struct {
        const char *keras2, *keras3;
    } slots[] = {
        { "m/", "momentum" },
        { "v/", "velocity" },
        { "vhat/", "velocity_hat" },
        { "u/", "norm" },
    };
    struct text text = { 0 };
    const char *slash = strchr(name, '/'), *rest = slash ? slash + 1 : name, *slot = NULL;
    for (size_t i = 0; i < sizeof slots / sizeof *slots && !slot; i++)
        if (slash && strncmp(rest, slots[i].keras2, strlen(slots[i].keras2)) == 0) {
            slot = slots[i].keras3;
            rest += strlen(slots[i].keras2);
        }
    const size_t length = strcspn(rest, ":");
    for (size_t i = 0; i < length; i++) strata_text_add(&text, "%c", rest[i] == '/' ? '_' : rest[i]);
    if (slot) strata_text_add(&text, "_%s", slot);
    return strata_text_take(&text, err);
}

static char *keras3_name(const char *name, strata_error *err)
{
    const char *slash = strchr(name, '/');
    return strata_copy_text(slash ? slash + 1 : name, err);
}

static bool add_named(const struct h5 *file, const struct names *names, bool keras2,
                      struct saved_training *training, strata_error *err)
{
    const size_t count =
        keras2 && names->count > 0 && idle_slots(training->compile_config) ? 1 : names->count;
    bool ok = start(training, count, err);
    for (size_t i = 0; ok && i < count; i++) {
        struct text path = { 0 };
        const char *name = names->list[i];
        strata_text_add(&path, "optimizer_weights/%s", name);
        char *text = strata_text_take(&path, err);
        ok = text && add(file, text, keras2 ? keras2_name(name, err) : keras3_name(name, err), training, err);
        if (ok && keras2 && i == 0 && strata_constant_rate(training->compile_config, NULL))
            ok = add_rate(training, err);
        free(text);
    }
    return ok;
}

/* The version of Keras that wrote an .h5: 2 or 3; before 2.0 it was not noted. */
static bool is_keras2(const struct h5 *file, bool *keras2, strata_error *err)
{
    char *version;
    if (!strata_h5_text(file, "", "keras_version", &version, err)) return false;
    *keras2 = !version || version[0] != '3';
    free(version);
    return true;
}

static bool read_variables(const struct h5 *file, struct saved_training *training, strata_error *err)
{
    struct names names = { 0 };
    bool keras2;
    bool ok = is_keras2(file, &keras2, err)
              && strata_h5_texts(file, "optimizer_weights", "weight_names", &names, err);
    /* optimizers before Keras 2.11 had variables of another kind; their state is not taken over, as in Keras */
    const bool old = ok && keras2 && (names.count == 0 || strcmp(names.list[0], "iteration:0") != 0);
    ok = ok && (old || add_named(file, &names, keras2, training, err));
    strata_names_release(&names);
    return ok;
}

bool strata_legacy_read_training(const struct h5 *file, struct saved_training *training, strata_error *err)
{
    char *text;
    if (!strata_h5_text(file, "", "training_config", &text, err)) return false;
    if (!text) return true;
    json_t *json = strata_json_parse(text, strlen(text), "training_config", err);
    free(text);
    training->compile_config = json ? strata_compile_config_read(json, strata_h5_what(file), err) : NULL;
    json_decref(json);
    return training->compile_config
           && (!strata_h5_has(file, "optimizer_weights") || read_variables(file, training, err));
}

/* ---- .keras ---- */

/* Adds variable `number` of the file. A single number after the iteration is the learning rate. */
static bool add_numbered(const struct h5 *file, size_t number, struct saved_training *training,
                         strata_error *err)
{
    char path[64], name[32] = "iteration";
    snprintf(path, sizeof path, "optimizer/vars/%zu", number);
    if (number > 0) snprintf(name, sizeof name, "%zu", training->count);
    if (!add(file, path, strata_copy_text(name, err), training, err)) return false;
    struct saved_variable *added = &training->variables[training->count - 1];
    if (training->count != 2 || added->shape.rank != 0) return true;
    free(added->name);
    return (added->name = strata_copy_text("learning_rate", err)) != NULL;
}

bool strata_store_read_training(const struct h5 *file, bool keras2, struct saved_training *training,
                                strata_error *err)
{
    struct names vars = { 0 };
    if (!strata_h5_has(file, "optimizer/vars")) return true;
    bool ok = strata_h5_children(file, "optimizer/vars", &vars, err)
              && (vars.count <= MOST_VARIABLES
                  || strata_fail(err, STRATA_EFILE, "%s: %zu optimizer variables", strata_h5_what(file),
                                 vars.count));
    size_t count = vars.count;
    if (ok && keras2 && count > 0 && idle_slots(training->compile_config)) count = 1;
    ok = ok && start(training, count, err);
    for (size_t i = 0; ok && i < count; i++) {
        ok = add_numbered(file, i, training, err);
        if (ok && keras2 && i == 0 && strata_constant_rate(training->compile_config, NULL))
            ok = add_rate(training, err);
    }
    strata_names_release(&vars);
    return ok;
}
