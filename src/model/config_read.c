/* Models from the configs of both Kerases and from a job's short list.
 * Source: get_config of Sequential and Functional in Keras 3 and tf-keras. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/model_priv.h"

/* Whether some layer's config below `json` has the key; nested models are looked into. */
static bool has_key(const json_t *json, const char *key)
{
    const char *name;
    json_t *value;
    size_t index;
    if (json_is_object(json)) {
        if (json_object_get(json, key))
            return true;
        json_object_foreach((json_t *)json, name, value)
            if (has_key(value, key))
                return true;
    }
    json_array_foreach(json, index, value)
        if (has_key(value, key))
            return true;
    return false;
}

enum flavour strata_config_flavour(const json_t *json)
{
    const char *version = json_string_value(json_object_get(json, "keras_version"));
    if (version)
        return version[0] == '1' || version[0] == '2' ? STRATA_KERAS2 : STRATA_KERAS3;
    if (has_key(json, "batch_input_shape"))
        return STRATA_KERAS2;
    if (has_key(json, "batch_shape") || has_key(json, "registered_name"))
        return STRATA_KERAS3;
    const json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    const json_t *first = json_object_get(json_array_get(layers, 0), "config");
    return json_is_string(json_object_get(first, "dtype")) ? STRATA_KERAS2 : STRATA_KERAS3;
}

static strata_model *start(const json_t *config, bool sequential, enum flavour flavour, strata_error *err)
{
    const json_t *name = json_object_get(config, "name"), *trainable = json_object_get(config, "trainable");
    strata_model *model = strata_sequential_create(json_is_string(name) ? json_string_value(name)
                                                   : sequential ? "sequential" : "functional", err);
    if (!model)
        return NULL;
    model->sequential = sequential;
    model->flavour = flavour;
    model->trainable = !json_is_false(trainable);
    if (strata_policy_read(json_object_get(config, "dtype"), "dtype", &model->policy, &model->policy_stated, err))
        return model;
    strata_model_free(model);
    return NULL;
}

static bool add_layers(strata_model *model, const json_t *layers, strata_error *err)
{
    size_t index;
    json_t *json;
    json_array_foreach(layers, index, json) {
        strata_layer *layer = strata_layer_from_parsed(json, model->flavour, err);
        if (!layer || !strata_model_add(model, layer, err))
            return strata_fail_in(err, "layer %zu", index);
    }
    return true;
}

/* Keras 3 notes the input shape of a model that was built by a call. */
static bool build_as_noted(strata_model *model, const json_t *config, strata_error *err)
{
    const json_t *noted = json_object_get(config, "build_input_shape");
    if (model->built || model->count == 0 || !json_is_array(noted) || json_array_size(noted) < 1)
        return true;
    json_t *wrapped = json_object();
    json_object_set(wrapped, "batch_shape", (json_t *)noted);
    struct input_spec spec;
    bool ok = strata_input_spec_read(wrapped, false, &spec, err);
    const strata_shape shape = strata_public_shape(&spec.shape);
    ok = ok && strata_model_build(model, &shape, spec.batch, err);
    strata_input_spec_release(&spec);
    json_decref(wrapped);
    return ok;
}

/* Where a config states none, as those of functional models and of Keras 2, the model's policy is that of its layers. */
static void find_policy(strata_model *model)
{
    for (size_t i = 0; !model->policy_stated && i < model->count; i++) {
        const strata_layer *layer = model->nodes[i].layer;
        model->policy = layer->model ? layer->model->policy : layer->policy;
        model->policy_stated = model->policy != STORAGE_FLOAT32;
    }
}

static strata_model *read_sequential(const json_t *config, enum flavour flavour, strata_error *err)
{
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    if (!json_is_array(layers)) {
        strata_fail(err, STRATA_EFILE, "Sequential: config has no list \"layers\"");
        return NULL;
    }
    strata_model *model = start(config, true, flavour, err);
    if (model && add_layers(model, layers, err) && build_as_noted(model, config, err)) {
        find_policy(model);
        return model;
    }
    if (model)
        strata_fail_in(err, "%s", model->name);
    strata_model_free(model);
    return NULL;
}

/* Where a layer's input comes from: ["name", 0, 0, ...]. */
struct link {
    const char *names[STRATA_MAX_INPUTS];
    int count;
};

static bool is_reference(const json_t *json)
{
    return json_array_size(json) >= 3 && json_is_string(json_array_get(json, 0))
        && json_is_integer(json_array_get(json, 1)) && json_is_integer(json_array_get(json, 2));
}

/* Collects references in order: Keras 2's [name, node, tensor, {}], Keras 3's "keras_history" inside tensors. */
static bool collect(const json_t *json, struct link *link, strata_error *err)
{
    size_t index;
    json_t *value;
    const json_t *history = json_object_get(json_object_get(json, "config"), "keras_history");
    const char *first = json_string_value(json_array_get(json, 0));
    if (first && strcmp(first, "_CONSTANT_VALUE") == 0) /* a number comes before the tensor */
        return collect(json_object_get(json_array_get(json, 3), "y"), link, err);
    if (is_reference(json) || history) {
        const json_t *reference = history ? history : json;
        if (!is_reference(reference) || link->count == STRATA_MAX_INPUTS)
            return strata_fail(err, STRATA_EFILE, "inbound_nodes holds more than %d inputs or a reference that is not one",
                               STRATA_MAX_INPUTS);
        link->names[link->count++] = json_string_value(json_array_get(reference, 0));
        return collect(json_object_get(json_array_get(reference, 3), "y"), link, err); /* Keras 2's second operand */
    }
    json_array_foreach(json, index, value)
        if (!collect(value, link, err))
            return false;
    return true;
}

static bool read_link(const json_t *layer, const char *name, struct link *link, strata_error *err)
{
    const json_t *inbound = json_object_get(layer, "inbound_nodes");
    if (json_array_size(inbound) > 1)
        return strata_fail(err, STRATA_EFILE, "layer %s is called %zu times (a shared layer); Strata's models use each layer "
                           "once", name, json_array_size(inbound));
    const json_t *node = json_array_get(inbound, 0), *args = json_object_get(node, "args");
    return collect(args ? args : node, link, err);
}

static int find_node(const strata_model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->nodes[i].layer->name, name) == 0)
            return (int)i;
    return MODEL_INPUT;
}

/* First pass: every layer becomes a node, its inputs still open. */
static bool add_functional_layers(strata_model *model, const json_t *layers, strata_error *err)
{
    static const int open = MODEL_INPUT;
    size_t index;
    json_t *json;
    json_array_foreach(layers, index, json) {
        json_t *operation = strata_operation_form(json);
        strata_layer *layer = strata_layer_from_parsed(operation ? operation : json, model->flavour, err);
        const char *name = json_string_value(json_object_get(json, "name"));
        json_decref(operation);
        if (layer && !layer->name && name)
            layer->name = strata_copy_text(name, err);
        if (!layer || !strata_model_append(model, layer, &open, 1, err))
            return strata_fail_in(err, "layer %zu", index);
    }
    return true;
}

static bool connect(strata_model *model, struct node *node, const json_t *json, strata_error *err)
{
    struct link link = { .count = 0 };
    const char *name = node->layer->name;
    if (node->layer->class && node->layer->class->host_only) {
        if (model->input.known)
            return strata_fail(err, STRATA_EFILE, "%s is a second input; models have one input", name);
        model->input.known = node->layer->input.known;
        model->input.shape = node->layer->input.shape;
        model->input.batch = node->layer->input.batch;
        return true;
    }
    if (!read_link(json, name, &link, err))
        return false;
    if (link.count == 0)
        return strata_fail(err, STRATA_EFILE, "layer %s has no input", name);
    int *inputs = strata_alloc((size_t)link.count, sizeof *inputs, err);
    if (!inputs)
        return false;
    free(node->inputs);
    node->inputs = inputs;
    node->input_count = link.count;
    for (int i = 0; i < link.count; i++) {
        inputs[i] = find_node(model, link.names[i]);
        if (inputs[i] == MODEL_INPUT)
            return strata_fail(err, STRATA_EFILE, "layer %s takes its input from \"%s\", which is not in the model", name,
                               link.names[i]);
    }
    return true;
}

/* References of "input_layers" or "output_layers": one, or a list. */
static bool read_ends(const json_t *config, const char *key, struct link *link, strata_error *err)
{
    const json_t *ends = json_object_get(config, key);
    if (!collect(ends, link, err))
        return false;
    return link->count > 0 || strata_fail(err, STRATA_EFILE, "config has no \"%s\"", key);
}

static bool find_outputs(strata_model *model, const struct link *link, strata_error *err)
{
    model->outputs = strata_alloc((size_t)link->count, sizeof *model->outputs, err);
    if (!model->outputs)
        return false;
    model->output_count = (size_t)link->count;
    for (int i = 0; i < link->count; i++) {
        model->outputs[i] = find_node(model, link->names[i]);
        if (model->outputs[i] == MODEL_INPUT)
            return strata_fail(err, STRATA_EFILE, "output \"%s\" is not in the model", link->names[i]);
    }
    model->output = model->outputs[0];
    return true;
}

static bool fill_functional(strata_model *model, const json_t *config, strata_error *err)
{
    const json_t *layers = json_object_get(config, "layers");
    struct link inputs = { .count = 0 }, outputs = { .count = 0 };
    if (!json_is_array(layers))
        return strata_fail(err, STRATA_EFILE, "config has no list \"layers\"");
    if (!read_ends(config, "input_layers", &inputs, err) || !read_ends(config, "output_layers", &outputs, err))
        return false;
    if (inputs.count > 1)
        return strata_fail(err, STRATA_EFILE, "the model has %d inputs (%s, %s, ...); Strata trains models with one input",
                           inputs.count, inputs.names[0], inputs.names[1]);
    if (!add_functional_layers(model, layers, err))
        return false;
    for (size_t i = 0; i < model->count; i++)
        if (!connect(model, &model->nodes[i], json_array_get(layers, i), err))
            return false;
    find_policy(model);
    return find_outputs(model, &outputs, err)
        && (model->input.known || strata_fail(err, STRATA_EFILE, "input %s has no shape", inputs.names[0]))
        && strata_model_build_layers(model, err);
}

static strata_model *read_functional(const json_t *config, enum flavour flavour, strata_error *err)
{
    strata_model *model = start(config, false, flavour, err);
    if (model && fill_functional(model, config, err))
        return model;
    if (model)
        strata_fail_in(err, "%s", model->name);
    strata_model_free(model);
    return NULL;
}

static strata_model *read_short_list(const json_t *layers, strata_error *err)
{
    strata_model *model = strata_sequential_create(NULL, err);
    if (model && add_layers(model, layers, err))
        return model;
    strata_model_free(model);
    return NULL;
}

strata_model *strata_model_from_config(const json_t *json, enum flavour flavour, strata_error *err)
{
    const char *class_name = json_string_value(json_object_get(json, "class_name"));
    const json_t *config = json_object_get(json, "config");
    if (json_is_array(json))
        return read_short_list(json, err);
    if (!class_name && json_object_size(json) == 1) {
        class_name = json_object_iter_key(json_object_iter((json_t *)json));
        config = json_object_iter_value(json_object_iter((json_t *)json));
    }
    if (class_name && strcmp(class_name, "Sequential") == 0)
        return read_sequential(config, flavour, err);
    if (class_name && (strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0))
        return read_functional(config, flavour, err);
    char brief[STRATA_JSON_BRIEF];
    strata_fail(err, STRATA_EFILE, "%s is not a model; Keras's config of a Sequential or Functional model, or a list of "
                "layers, is expected", class_name ? class_name : strata_json_brief(json, brief));
    return NULL;
}

strata_model *strata_model_from_parsed(const json_t *json, strata_error *err)
{
    return strata_model_from_config(json, strata_config_flavour(json), err);
}

strata_model *strata_model_from_json(const char *json, strata_error *err)
{
    json_t *parsed = strata_json_parse(json, strlen(json), "model", err);
    strata_model *model = parsed ? strata_model_from_parsed(parsed, err) : NULL;
    json_decref(parsed);
    return model;
}
