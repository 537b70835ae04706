/* Operations of Keras's graphs, which stand among the layers in a config: read into layers of a class of their own and
 * written as they came. Keras 3 has {"module": "keras.src.ops.numpy", "class_name": "Add"}, Keras 2 a TFOpLambda; the number, if
 * one operand is that, is among the inputs.
 * Source: serialize_node of Keras 3's functional.py, node_to_config of tf-keras's node.py. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "layers/operation.h"
#include "model/model_priv.h"

static const struct {
    const char *class, *function; /* ours; Keras 2's function, the first of a class is written */
} functions[] = {
    { "AddOperation", "__operators__.add" }, { "AddOperation", "math.add" },
    { "SubtractOperation", "math.subtract" }, { "SubtractOperation", "__operators__.sub" },
    { "MultiplyOperation", "math.multiply" }, { "MultiplyOperation", "__operators__.mul" },
    { "DivideOperation", "math.truediv" }, { "DivideOperation", "math.divide" },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* ---- reading ---- */

/* In its .h5 Keras 3 leaves the module out. What tells Add from the layer of that name is that the operands are not a list. */
static bool is_keras3_operation(const json_t *layer)
{
    const char *module = json_string_value(json_object_get(layer, "module"));
    const json_t *config = json_object_get(layer, "config"), *node = json_array_get(json_object_get(layer, "inbound_nodes"), 0);
    if (module)
        return strncmp(module, "keras.src.ops.", 14) == 0;
    return json_object_size(config) == 1 && json_is_array(json_object_get(node, "args"))
        && !json_is_array(json_array_get(json_object_get(node, "args"), 0));
}

static const char *class_of(const json_t *layer)
{
    const char *name = json_string_value(json_object_get(layer, "class_name"));
    const char *function = json_string_value(json_object_get(json_object_get(layer, "config"), "function"));
    if (name && is_keras3_operation(layer))
        for (const struct class *const *c = strata_layers.classes; *c; c++) {
            const char *operation = strata_layer_class(*c)->operation;
            if (operation && strcmp(operation, strcmp(name, "TrueDivide") == 0 ? "Divide" : name) == 0)
                return (*c)->name;
        }
    for (size_t i = 0; name && function && strcmp(name, "TFOpLambda") == 0 && i < FUNCTIONS; i++)
        if (strcmp(functions[i].function, function) == 0)
            return functions[i].class;
    return NULL;
}

/* The number among the inputs, and whether it comes before the tensor. */
static const json_t *constant_of(const json_t *layer, bool *first)
{
    const json_t *node = json_array_get(json_object_get(layer, "inbound_nodes"), 0), *args = json_object_get(node, "args");
    const json_t *reference = json_is_string(json_array_get(node, 0)) ? node : json_array_get(node, 0);
    const json_t *y = json_object_get(json_array_get(reference, 3), "y");
    *first = false;
    for (size_t i = 0; i < json_array_size(args); i++)
        if (json_is_number(json_array_get(args, i))) {
            *first = i == 0;
            return json_array_get(args, i);
        }
    if (json_is_number(y))
        return y;
    const char *name = json_string_value(json_array_get(reference, 0));
    *first = name && strcmp(name, "_CONSTANT_VALUE") == 0;
    return *first ? json_array_get(reference, 2) : NULL;
}

json_t *strata_operation_form(const json_t *layer)
{
    const char *class = class_of(layer);
    bool first;
    if (!class)
        return NULL;
    const json_t *constant = constant_of(layer, &first), *name = json_object_get(json_object_get(layer, "config"), "name");
    json_t *config = json_object();
    if (name)
        json_object_set(config, "name", (json_t *)name);
    if (constant)
        json_object_set(config, "constant", (json_t *)constant);
    json_object_set_new(config, "constant_first", json_boolean(first));
    return json_pack("{s:s, s:o}", "class_name", class, "config", config);
}

/* ---- writing ---- */

static const char *function_of(const struct layer_class *class)
{
    size_t i = 0;
    while (i + 1 < FUNCTIONS && strcmp(functions[i].class, class->class.name) != 0)
        i++;
    return functions[i].function;
}

json_t *strata_operation_json(const strata_layer *layer, enum flavour flavour)
{
    const struct layer_class *class = layer->class;
    if (flavour == STRATA_KERAS2)
        return json_pack("{s:s, s:s, s:{s:s, s:b, s:s, s:s}, s:n}", "module", "keras.layers", "class_name", "TFOpLambda", "config",
                         "name", layer->name, "trainable", 1, "dtype", "float32", "function", function_of(class),
                         "registered_name");
    return json_pack("{s:s, s:s, s:{s:s}, s:s}", "module", class->module, "class_name", class->operation, "config", "name",
                     layer->name, "registered_name", class->operation);
}

/* {"y": the other operand, "name": null} behind the first reference; a number that comes first stands where the name would. */
static json_t *operands_keras2(const struct operation *c, json_t *references)
{
    json_t *first = json_incref(json_array_get(references, 0)), *kwargs = json_array_get(first, 3), *other;
    other = isnan(c->constant) ? json_incref(json_array_get(references, 1)) : json_real(c->constant);
    json_decref(references);
    if (isnan(c->constant))
        json_array_remove(other, 3);
    if (c->first) {
        json_array_remove(first, 3);
        return json_pack("[[s, i, o, {s:o, s:n}]]", "_CONSTANT_VALUE", -1, other, "y", first, "name");
    }
    json_object_set_new(kwargs, "y", other);
    json_object_set_new(kwargs, "name", json_null());
    return json_pack("[o]", first);
}

json_t *strata_operation_inbound(const strata_layer *layer, json_t *references, enum flavour flavour)
{
    const struct operation *c = layer->config;
    if (flavour == STRATA_KERAS2)
        return operands_keras2(c, references);
    if (!isnan(c->constant))
        json_array_insert_new(references, c->first ? 0 : json_array_size(references), json_real(c->constant));
    return json_pack("[{s:o, s:{}}]", "args", references, "kwargs");
}
