/* Writing the .h5 of Keras 2 and the legacy .h5 of Keras 3.
 * Source: hdf5_format.py of tf-keras, legacy_h5_format.py of Keras 3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/compile_config.h"
#include "files/leaves.h"
#include "files/save.h"
#include "model/model.h"

/* One layer of the model that is being written. */
struct section {
    struct h5 *file;
    char *group; /* path of the layer's group */
    strata_flavour flavour;
    struct names weights; /* names written so far */
};

/* ---- weights ---- */

static bool add_name(const struct leaf *leaf, strata_flavour flavour, bool whole_path, struct names *names,
                     strata_error *err)
{
    struct text name = { 0 };
    if (whole_path)
        strata_text_add(&name, "%s/", leaf->path);
    else if (flavour == STRATA_FLAVOUR_KERAS3 && strata_model_is_sequential(leaf->parent))
        strata_text_add(&name, "%s/%s/", strata_model_name(leaf->parent), strata_layer_name(leaf->layer));
    else
        strata_text_add(&name, "%s/", strata_layer_name(leaf->layer));
    if (flavour == STRATA_FLAVOUR_KERAS2)
        strata_text_add(&name, "%s:0", leaf->info.keras2 ? leaf->info.keras2 : leaf->info.name);
    else
        strata_text_add(&name, "%s", leaf->info.name);
    char *text = strata_text_take(&name, err);
    if (text && strata_names_have(names, text) && !whole_path) {
        /* two models in one layer may have layers of one name; Keras could not write them */
        free(text);
        return add_name(leaf, flavour, true, names, err);
    }
    return strata_names_adopt(names, text, err);
}

static bool put_leaf(struct section *section, struct leaf *leaf, strata_error *err)
{
    if (!add_name(leaf, section->flavour, false, &section->weights, err) || !strata_leaf_fetch(leaf, err))
        return false;
    struct text path = { 0 };
    strata_text_add(&path, "%s/%s", section->group, section->weights.list[section->weights.count - 1]);
    char *text = strata_text_take(&path, err);
    const bool ok = text && strata_h5_put_floats(section->file, text, &leaf->info.shape, leaf->values, err);
    free(text);
    free(leaf->values);
    leaf->values = NULL;
    return ok;
}

/* The weights of one layer: those that train now first, then the others, each in the order of the layers. */
static bool put_section(struct section *section, struct leaves *leaves, size_t top, strata_error *err)
{
    if (!strata_h5_put_group(section->file, section->group, err)) return false;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < leaves->count; i++) {
            struct leaf *leaf = &leaves->list[i];
            if (leaf->top == top && leaf->info.trainable == (pass == 0) && !put_leaf(section, leaf, err))
                return false;
        }
    return strata_h5_put_texts(section->file, section->group, "weight_names", &section->weights, err);
}

static bool put_layer(struct h5 *file, const char *group, strata_flavour flavour, struct leaves *leaves,
                      const char *name, size_t top, strata_error *err)
{
    struct section section = { .file = file, .flavour = flavour };
    struct text path = { 0 };
    strata_text_add(&path, "%s%s%s", group, *group ? "/" : "", name);
    section.group = strata_text_take(&path, err);
    const bool ok = section.group && put_section(&section, leaves, top, err);
    strata_names_release(&section.weights);
    free(section.group);
    return ok;
}

static const char *version(strata_flavour flavour)
{
    return flavour == STRATA_FLAVOUR_KERAS2 ? STRATA_KERAS2_VERSION : STRATA_KERAS3_VERSION;
}

bool strata_legacy_put_weights(struct h5 *file, const char *group, const strata_model *model,
                               strata_flavour flavour, strata_error *err)
{
    const size_t count = strata_model_layer_count(model);
    struct names layers = { 0 };
    struct leaves leaves = { 0 };
    bool ok = strata_h5_put_group(file, group, err) && strata_leaves_collect(model, &leaves, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = strata_names_add(&layers, strata_layer_name(strata_model_layer(model, i)), err);
    ok = ok && strata_h5_put_texts(file, group, "layer_names", &layers, err)
         && strata_h5_put_text(file, group, "backend", "tensorflow", false, err)
         && strata_h5_put_text(file, group, "keras_version", version(flavour), false, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = put_layer(file, group, flavour, &leaves, layers.list[i], i, err);
    ok = ok && put_layer(file, group, flavour, &leaves, "top_level_model_weights", count, err);
    strata_leaves_release(&leaves);
    strata_names_release(&layers);
    return ok;
}

/* ---- config ---- */

/* The form of the legacy files: {"class_name", "config"} for layers; inside a functional model Keras 2 keeps the rest. */
static void strip(json_t *model, strata_flavour flavour)
{
    json_t *layers = json_object_get(json_object_get(model, "config"), "layers");
    const bool functional =
        strcmp(json_string_value(json_object_get(model, "class_name")), "Sequential") != 0;
    json_object_del(model, "module");
    json_object_del(model, "registered_name");
    json_object_del(model, "build_config");
    json_object_del(model, "compile_config");
    json_object_del(model, "keras_version");
    json_object_del(model, "backend");
    if (functional && flavour == STRATA_FLAVOUR_KERAS2) return;
    for (size_t i = 0; i < json_array_size(layers); i++) strip(json_array_get(layers, i), flavour);
}

static bool put_json(struct h5 *file, const char *name, const json_t *json, strata_error *err)
{
    char *text = json ? strata_json_text(json, false, err) : NULL;
    const bool ok = text && strata_h5_put_text(file, "", name, text, false, err);
    free(text);
    return ok;
}

static bool put_config(struct h5 *file, const strata_model *model, strata_flavour flavour, strata_error *err)
{
    json_t *json =
        strata_model_write(model, flavour == STRATA_FLAVOUR_KERAS2 ? STRATA_KERAS2 : STRATA_KERAS3, err);
    if (json) strip(json, flavour);
    const bool ok = put_json(file, "model_config", json, err);
    json_decref(json);
    return ok;
}

/* ---- training ---- */

/* "Adam/m/dense_kernel:0" of Keras 3's "dense_kernel_momentum": Keras 2 reads by order, so that any name will do. */
static void add_keras2_name(struct text *text, const char *optimizer, const char *name)
{
    static const struct {
        const char *keras3, *keras2;
    } slots[] = {
        { "_velocity_hat", "vhat" },
        { "_momentum", "m" },
        { "_velocity", "v" },
        { "_norm", "u" },
    };
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        const size_t end = strlen(slots[i].keras3);
        if (length > end && strcmp(name + length - end, slots[i].keras3) == 0) {
            strata_text_add(text, "%s/%s/%.*s:0", optimizer, slots[i].keras2, (int)(length - end), name);
            return;
        }
    }
    strata_text_add(text, "%s/%s:0", optimizer, name);
}

static char *variable_name(const struct saved_training *training, size_t index, strata_flavour flavour,
                           strata_error *err)
{
    const char *name = training->variables[index].name;
    struct text text = { 0 };
    const char *inside = strata_inner_optimizer_name(training->compile_config);
    if (inside && index >= STRATA_OUTER_VARIABLES && !strchr(name, '/')) /* its iteration and rate are called after it alone */
        strata_text_add(&text, "%s/%s", inside, name);
    else if (flavour == STRATA_FLAVOUR_KERAS3)
        strata_text_add(&text, "%s/%s", strata_optimizer_name(training->compile_config), name);
    else if (index == 0)
        strata_text_add(&text, "%s:0", name);
    else
        add_keras2_name(&text, strata_optimizer_class(training->compile_config), name);
    return strata_text_take(&text, err);
}

static bool put_variable(struct h5 *file, const struct saved_variable *variable, const char *name,
                         strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "optimizer_weights/%s", name);
    char *text = strata_text_take(&path, err);
    const bool ok =
        text
        && (variable->integer ? strata_h5_put_integer(file, text, variable->integers, err)
                              : strata_h5_put_floats(file, text, &variable->shape, variable->values, err));
    free(text);
    return ok;
}

static bool put_variables(struct h5 *file, const struct saved_training *training, strata_flavour flavour,
                          strata_error *err)
{
    struct names names = { 0 };
    bool ok = strata_h5_put_group(file, "optimizer_weights", err);
    for (size_t i = 0; ok && i < training->count; i++) {
        /* in Keras 2 the rate is in the config alone */
        if (flavour == STRATA_FLAVOUR_KERAS2 && strcmp(training->variables[i].name, "learning_rate") == 0)
            continue;
        ok = strata_names_adopt(&names, variable_name(training, i, flavour, err), err)
             && put_variable(file, &training->variables[i], names.list[names.count - 1], err);
    }
    ok = ok && strata_h5_put_texts(file, "optimizer_weights", "weight_names", &names, err);
    strata_names_release(&names);
    return ok;
}

static bool put_training(struct h5 *file, const struct saved_training *training, strata_flavour flavour,
                         strata_error *err)
{
    /* Keras fails on a training_config without an optimizer, as its own .keras may have after its own .h5 */
    if (!training || !json_object_get(training->compile_config, "optimizer")) return true;
    json_t *config = strata_training_config_write(training->compile_config, flavour, err);
    const bool ok = put_json(file, "training_config", config, err)
                    && (training->count == 0 || put_variables(file, training, flavour, err));
    json_decref(config);
    return ok;
}

bool strata_legacy_put_model(struct h5 *file, const strata_model *model, strata_flavour flavour,
                             const struct saved_training *training, strata_error *err)
{
    return strata_h5_put_text(file, "", "keras_version", version(flavour), true, err)
           && strata_h5_put_text(file, "", "backend", "tensorflow", true, err)
           && put_config(file, model, flavour, err) && put_training(file, training, flavour, err)
           && strata_legacy_put_weights(file, "model_weights", model, flavour, err);
}
