/* Configs as both Kerases write them.
 * Source: serialize_keras_object of Keras 3 and of tf-keras 2.21. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/model_priv.h"

static json_t *shape_json(const struct shape *shape, size_t batch)
{
    json_t *json = json_array();
    json_array_append_new(json, batch ? json_integer((json_int_t)batch) : json_null());
    for (int i = 0; i < shape->rank; i++)
        json_array_append_new(json, shape->dim[i] ? json_integer((json_int_t)shape->dim[i]) : json_null());
    return json;
}

static json_t *dtype_json(enum storage policy, enum flavour flavour)
{
    const bool keras2 = flavour == STRATA_KERAS2;
    if (keras2 && policy == STORAGE_FLOAT32)
        return json_string("float32");
    return json_pack("{s:s, s:s, s:{s:s}, s:n}", "module", keras2 ? "keras.mixed_precision" : "keras", "class_name",
                     keras2 ? "Policy" : "DTypePolicy", "config", "name", strata_policy_name(policy), "registered_name");
}

/* An InputLayer in full. */
static json_t *input_json(const struct input_spec *spec, const char *name, bool integer, enum flavour flavour)
{
    const bool keras3 = flavour == STRATA_KERAS3;
    json_t *config = json_object();
    json_object_set_new(config, keras3 ? "batch_shape" : "batch_input_shape", shape_json(&spec->shape, spec->batch));
    json_object_set_new(config, "dtype", json_string(spec->dtype ? spec->dtype : integer ? "int32" : "float32"));
    json_object_set_new(config, "sparse", json_false());
    json_object_set_new(config, "ragged", json_false());
    json_object_set_new(config, "name", json_string(name ? name : keras3 ? "input_layer" : "input_1"));
    if (keras3)
        json_object_set_new(config, "optional", json_false());
    return json_pack("{s:s, s:s, s:o, s:n}", "module", "keras.layers", "class_name", "InputLayer", "config", config,
                     "registered_name");
}

static json_t *build_config(const strata_layer *layer)
{
    const size_t batch = layer->owner ? layer->owner->input.batch : 0;
    if (layer->in_count == 1)
        return json_pack("{s:o}", "input_shape", shape_json(&layer->in[0], batch));
    json_t *shapes = json_array();
    for (size_t i = 0; i < layer->in_count; i++)
        json_array_append_new(shapes, shape_json(&layer->in[i], batch));
    return json_pack("{s:o}", "input_shape", shapes);
}

json_t *strata_layer_config(const strata_layer *layer, enum flavour flavour, strata_error *err)
{
    if (layer->model)
        return strata_model_config(layer->model, flavour, false, err);
    if (layer->class->host_only)
        return input_json(&layer->input, layer->name, false, flavour);
    if (layer->class->operation)
        return strata_operation_json(layer, flavour);
    json_t *config = json_object();
    json_object_set_new(config, "name", json_string(strata_layer_name(layer)));
    json_object_set_new(config, "trainable", json_boolean(layer->trainable));
    json_object_set_new(config, "dtype", dtype_json(layer->policy, flavour));
    if (flavour == STRATA_KERAS2 && layer->input.known) /* a layer that states its input, as each Embedding does there */
        json_object_set_new(config, "batch_input_shape", shape_json(&layer->input.shape, layer->input.batch));
    if (!strata_class_writable(&layer->class->class, flavour, err)
        || !strata_config_write(layer->class->class.fields, layer->config, flavour, config, err)) {
        json_decref(config);
        strata_fail_in(err, "%s", strata_layer_name(layer));
        return NULL;
    }
    const char *name = layer->class->class.name, *module = layer->class->module;
    json_t *json = json_pack("{s:s, s:s, s:o, s:s?}", "module", module ? module : "keras.layers", "class_name", name,
                             "config", config, "registered_name", module ? name : NULL);
    if (layer->built)
        json_object_set_new(json, "build_config", build_config(layer));
    return json;
}

static bool append_layers(const strata_model *model, enum flavour flavour, json_t *layers, strata_error *err)
{
    for (size_t i = 0; i < model->count; i++) {
        json_t *json = strata_layer_config(model->nodes[i].layer, flavour, err);
        if (!json)
            return false;
        json_array_append_new(layers, json);
    }
    return true;
}

static json_t *sequential_config(const strata_model *model, enum flavour flavour, strata_error *err)
{
    json_t *config = json_pack("{s:s}", "name", model->name), *layers = json_array();
    if (flavour == STRATA_KERAS3) {
        json_object_set_new(config, "trainable", json_boolean(model->trainable));
        json_object_set_new(config, "dtype", dtype_json(model->policy, flavour));
    }
    if (model->input.known)
        json_array_append_new(layers, input_json(&model->input, model->input.name, strata_model_integer_input(model),
                                                 flavour));
    json_object_set_new(config, "layers", layers);
    if (flavour == STRATA_KERAS3 && model->built)
        json_object_set_new(config, "build_input_shape", shape_json(&model->input.shape, model->input.batch));
    if (append_layers(model, flavour, layers, err))
        return config;
    json_decref(config);
    return NULL;
}

/* How Keras says that what the layer gives is kept. */
static const char *kept_as(const strata_layer *layer)
{
    const strata_layer *last = layer;
    while (last->model) last = last->model->nodes[last->model->output].layer;
    return strata_storage_name(last->policy);
}

/* A reference to the output of a node, as a layer's input. */
static json_t *reference(const strata_model *model, int index, enum flavour flavour)
{
    const strata_layer *from = model->nodes[index].layer;
    if (flavour == STRATA_KERAS2)
        return json_pack("[s, i, i, {}]", from->name, 0, 0);
    json_t *shape = shape_json(&from->out, model->input.batch);
    return json_pack("{s:s, s:{s:o, s:s, s:[s, i, i]}}", "class_name", "__keras_tensor__", "config", "shape", shape, "dtype",
                     kept_as(from), "keras_history", from->name, 0, 0);
}

static json_t *inbound(const strata_model *model, const struct node *node, enum flavour flavour)
{
    json_t *references = json_array();
    for (int i = 0; i < node->input_count && node->inputs[i] != MODEL_INPUT; i++)
        json_array_append_new(references, reference(model, node->inputs[i], flavour));
    if (json_array_size(references) == 0)
        return references;
    if (node->layer->class && node->layer->class->operation)
        return strata_operation_inbound(node->layer, references, flavour);
    if (flavour == STRATA_KERAS2)
        return json_pack("[o]", references);
    if (node->layer->class && node->layer->class->merges)
        references = json_pack("[o]", references);
    return json_pack("[{s:o, s:{}}]", "args", references, "kwargs");
}

/* [["name", 0, 0], ...]; Keras 3 writes one alone without the outer list. */
static json_t *ends(const strata_model *model, const int *nodes, size_t count, enum flavour flavour)
{
    if (count == 1 && flavour == STRATA_KERAS3)
        return json_pack("[s, i, i]", model->nodes[nodes[0]].layer->name, 0, 0);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("[s, i, i]", model->nodes[nodes[i]].layer->name, 0, 0));
    return list;
}

static json_t *functional_config(const strata_model *model, enum flavour flavour, strata_error *err)
{
    json_t *layers = json_array();
    int input = 0;
    if (!append_layers(model, flavour, layers, err)) {
        json_decref(layers);
        return NULL;
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[i];
        json_t *json = json_array_get(layers, i);
        json_object_set_new(json, "name", json_string(node->layer->name));
        json_object_set_new(json, "inbound_nodes", inbound(model, node, flavour));
        if (node->layer->class && node->layer->class->host_only)
            input = (int)i;
    }
    const size_t outputs = model->output_count ? model->output_count : 1;
    return json_pack("{s:s, s:b, s:o, s:o, s:o}", "name", model->name, "trainable", model->trainable, "layers", layers,
                     "input_layers", ends(model, &input, 1, flavour), "output_layers",
                     ends(model, model->outputs ? model->outputs : &model->output, outputs, flavour));
}

json_t *strata_model_config(const strata_model *model, enum flavour flavour, bool outermost, strata_error *err)
{
    json_t *config = model->sequential ? sequential_config(model, flavour, err) : functional_config(model, flavour, err);
    const char *name = model->sequential ? "Sequential" : "Functional";
    if (!config)
        return NULL;
    if (flavour == STRATA_KERAS2 && outermost)
        return json_pack("{s:s, s:o, s:s, s:s}", "class_name", name, "config", config, "keras_version", "2.21.0", "backend",
                         "tensorflow");
    const char *module = model->sequential ? "keras" : flavour == STRATA_KERAS2 ? "tf_keras.src.engine.functional"
                                                                                 : "keras.src.models.functional";
    json_t *json = json_pack("{s:s, s:s, s:o}", "module", module, "class_name", name, "config", config);
    json_object_set_new(json, "registered_name", model->sequential ? json_null() : json_string("Functional"));
    if (model->built)
        json_object_set_new(json, "build_config", json_pack("{s:o}", "input_shape",
                                                            shape_json(&model->input.shape, model->input.batch)));
    return json;
}

json_t *strata_model_write(const strata_model *model, enum flavour flavour, strata_error *err)
{
    return strata_model_config(model, flavour, true, err);
}

char *strata_model_to_json(const strata_model *model, strata_flavour flavour, strata_error *err)
{
    json_t *json = strata_model_config(model, flavour == STRATA_FLAVOUR_KERAS2 ? STRATA_KERAS2 : STRATA_KERAS3, true, err);
    char *text = json ? strata_json_text(json, false, err) : NULL;
    json_decref(json);
    return text;
}
