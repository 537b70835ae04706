/* Layers in a graph: how a model grows, is ordered, named, walked and built. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/model_priv.h"
#include "model/params.h"

static bool name_taken(const strata_model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->nodes[i].layer->name && strcmp(model->nodes[i].layer->name, name) == 0)
            return true;
    return false;
}

/* Keras's automatic name, counted within the model: "dense", "dense_1". */
bool strata_layer_name_automatically(strata_model *model, strata_layer *layer, strata_error *err)
{
    char base[STRATA_NAME], name[STRATA_NAME + 24];
    strata_snake_case(strata_layer_class_name(layer), base);
    snprintf(name, sizeof name, "%s", base);
    for (size_t n = 1; name_taken(model, name); n++)
        snprintf(name, sizeof name, "%s_%zu", base, n);
    layer->name = strata_copy_text(name, err);
    return layer->name != NULL;
}

static bool settle_name(strata_model *model, strata_layer *layer, strata_error *err)
{
    if (!layer->name)
        return strata_layer_name_automatically(model, layer, err);
    if (!name_taken(model, layer->name))
        return true;
    return strata_fail(err, STRATA_EVALUE, "All layers added to a %s model should have unique names. Name '%s' is already "
                       "the name of a layer in this model. Update the `name` argument to pass a unique name.",
                       model->sequential ? "Sequential" : "Functional", layer->name);
}

static bool add_node(strata_model *model, strata_layer *layer, const int *inputs, int count, strata_error *err)
{
    void *nodes = model->nodes, *order = model->order;
    size_t order_room = model->order ? model->room : 0;
    int *copy = strata_alloc((size_t)count, sizeof *inputs, err);
    if (!copy || !strata_reserve(&order, &order_room, model->count + 1, sizeof *model->order, err)) {
        free(copy);
        return false;
    }
    model->order = order;
    if (!strata_reserve(&nodes, &model->room, model->count + 1, sizeof *model->nodes, err)) {
        free(copy);
        return false;
    }
    model->nodes = nodes;
    memcpy(copy, inputs, (size_t)count * sizeof *inputs);
    model->nodes[model->count++] = (struct node){ .layer = layer, .inputs = copy, .input_count = count };
    layer->owner = model;
    return true;
}

bool strata_model_append(strata_model *model, strata_layer *adopted, const int *inputs, int count, strata_error *err)
{
    if (adopted->owner)
        return strata_fail(err, STRATA_EVALUE, "layer '%s' is already part of model '%s'; a layer that is shared by two "
                           "places is not a Sequential model", strata_layer_name(adopted), adopted->owner->name);
    if (strata_params_unbind(model, err) && settle_name(model, adopted, err)
        && add_node(model, adopted, inputs, count, err))
        return true;
    strata_layer_free(adopted);
    return false;
}

/* Depth first from `index`; marks: 0 new, 1 on the path, 2 done. */
static bool visit_node(strata_model *model, int index, char *marks, size_t *placed, strata_error *err)
{
    if (marks[index] == 2)
        return true;
    if (marks[index] == 1)
        return strata_fail(err, STRATA_EFILE, "model %s: layer %s takes part in a cycle", model->name,
                           model->nodes[index].layer->name);
    marks[index] = 1;
    const struct node *node = &model->nodes[index];
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i] != MODEL_INPUT && !visit_node(model, node->inputs[i], marks, placed, err))
            return false;
    marks[index] = 2;
    model->order[(*placed)++] = index;
    return true;
}

bool strata_model_sort(strata_model *model, strata_error *err)
{
    char *marks = strata_alloc(model->count, 1, err);
    size_t placed = 0;
    bool ok = marks != NULL;
    for (size_t i = 0; ok && i < model->count; i++)
        ok = visit_node(model, (int)i, marks, &placed, err);
    free(marks);
    return ok;
}

static bool build_node(strata_model *model, const struct node *node, strata_error *err)
{
    struct shape *in = strata_alloc((size_t)node->input_count, sizeof *in, err);
    if (!in)
        return false;
    for (int i = 0; i < node->input_count; i++)
        in[i] = node->inputs[i] == MODEL_INPUT ? model->input.shape : model->nodes[node->inputs[i]].layer->out;
    const bool ok = strata_layer_build(node->layer, in, (size_t)node->input_count, model->input.batch, model->seed,
                                       model->name, err);
    free(in);
    return ok;
}

bool strata_model_build_layers(strata_model *model, strata_error *err)
{
    if (!strata_model_sort(model, err))
        return false;
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[model->order[i]];
        if (!node->layer->in && !build_node(model, node, err))
            return false;
    }
    model->built = model->count > 0;
    return true;
}

bool strata_model_walk(strata_model *model, bool (*visit)(void *context, strata_layer *layer, strata_error *err),
                       void *context, strata_error *err)
{
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[model->order[i]].layer;
        if (layer->model ? !strata_model_walk(layer->model, visit, context, err) : !visit(context, layer, err))
            return false;
    }
    return true;
}

strata_model *strata_layer_root(const strata_layer *layer)
{
    strata_model *model = layer->owner;
    while (model && model->wrapper && model->wrapper->owner)
        model = model->wrapper->owner;
    return model;
}

bool strata_layer_effective_trainable(const strata_layer *layer, bool snapshot)
{
    while (layer) {
        if (!(snapshot ? layer->snapshot : layer->trainable))
            return false;
        layer = layer->owner ? layer->owner->wrapper : NULL;
    }
    return true;
}
