/* Models: life, the Sequential calls, and what they tell about themselves. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/model_priv.h"
#include "model/params.h"

strata_model *strata_sequential_create(const char *name, strata_error *err)
{
    strata_model *model = strata_alloc(1, sizeof *model, err);
    if (!model)
        return NULL;
    model->sequential = true;
    model->trainable = true;
    model->name = strata_copy_text(name ? name : "sequential", err);
    if (model->name)
        return model;
    strata_model_free(model);
    return NULL;
}

void strata_model_free(strata_model *model)
{
    if (!model)
        return;
    strata_error ignored = { 0 };
    strata_model_set_training(model, NULL, NULL);
    if (!strata_params_unbind(model, &ignored))
        strata_params_discard(model);
    for (size_t i = 0; i < model->count; i++) {
        strata_layer_free(model->nodes[i].layer);
        free(model->nodes[i].inputs);
    }
    free(model->nodes);
    free(model->order);
    free(model->outputs);
    strata_input_spec_release(&model->input);
    free(model->name);
    free(model);
}

bool strata_model_rename(strata_model *model, const char *name, strata_error *err)
{
    char *copy = strata_copy_text(name, err);
    if (!copy)
        return false;
    free(model->name);
    model->name = copy;
    return true;
}

static bool adopt_input(strata_model *model, strata_layer *input, strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    bool ok = false;
    if (model->input.known && input->input.known)
        strata_fail(err, STRATA_EVALUE, "Sequential model '%s' has already been configured to use input shape %s. You cannot "
                    "add a different Input layer to it.", model->name,
                    strata_shape_text(&model->input.shape, "None", text));
    else if (model->count > 0)
        strata_fail(err, STRATA_EVALUE, "Sequential model '%s' already has layers; an Input must come first", model->name);
    else if (!input->input.known)
        strata_fail(err, STRATA_EJOB, "InputLayer: shape is missing; write {\"Input\": {\"shape\": [28, 28, 1]}}");
    else
        ok = true;
    if (ok) {
        strata_input_spec_release(&model->input);
        model->input = input->input;
        model->input.name = input->name;
        input->input = (struct input_spec){ 0 };
        input->name = NULL;
    }
    strata_layer_free(input);
    return ok;
}

/* Takes the input from a first layer that states one. */
static bool adopt_first_spec(strata_model *model, const strata_layer *layer, strata_error *err)
{
    if (model->count > 0 || model->input.known || !layer->input.known)
        return true;
    struct text name = { 0 };
    model->input.known = true;
    model->input.shape = layer->input.shape;
    model->input.batch = layer->input.batch;
    if (model->flavour == STRATA_KERAS2) {
        strata_text_add(&name, "%s_input", layer->name);
        model->input.name = strata_text_take(&name, err);
        return model->input.name != NULL;
    }
    return true;
}

static void drop_last(strata_model *model)
{
    struct node *last = &model->nodes[--model->count];
    strata_layer_free(last->layer);
    free(last->inputs);
}

bool strata_model_add(strata_model *model, strata_layer *adopted, strata_error *err)
{
    if (!model->sequential) {
        strata_layer_free(adopted);
        return strata_fail(err, STRATA_EVALUE, "model '%s' is not a Sequential; only a Sequential grows by add", model->name);
    }
    if (adopted->owner)
        return strata_fail(err, STRATA_EVALUE, "layer '%s' is already part of model '%s'; a Sequential model has no shared "
                           "layers: make a second layer, or build the model as a functional one in Keras and load its file",
                           strata_layer_name(adopted), adopted->owner->name);
    if (adopted->class && adopted->class->host_only)
        return adopt_input(model, adopted, err);
    const int last = model->count > 0 ? (int)model->count - 1 : MODEL_INPUT;
    const bool first = model->count == 0;
    if (adopted->class && adopted->class->merges) {
        strata_fail(err, STRATA_EVALUE, "%s takes several inputs; a Sequential model is one chain of layers with one input "
                    "and one output each: build it as a functional model in Keras and load its file",
                    adopted->class->class.name);
        strata_layer_free(adopted);
        return false;
    }
    if (!strata_model_append(model, adopted, &last, 1, err))
        return false;
    model->output = (int)model->count - 1;
    const struct input_spec before = model->input;
    bool ok = true;
    if (first) {
        model->count = 0;
        ok = adopt_first_spec(model, adopted, err);
        model->count = 1;
    }
    if (ok && (!model->input.known || strata_model_build_layers(model, err)))
        return true;
    if (!before.known)
        model->input = before;
    drop_last(model);
    model->output = (int)model->count - 1;
    return false;
}

bool strata_model_pop(strata_model *model, strata_error *err)
{
    if (!model->sequential || model->count == 0)
        return strata_fail(err, STRATA_EVALUE, model->sequential ? "There are no layers in the model."
                                                                 : "only a Sequential model can pop a layer");
    if (!strata_params_unbind(model, err))
        return false;
    strata_model_set_training(model, NULL, NULL);
    drop_last(model);
    model->output = (int)model->count - 1;
    model->built = model->built && model->count > 0;
    return strata_model_sort(model, err);
}

bool strata_model_build(strata_model *model, const strata_shape *input, size_t batch, strata_error *err)
{
    struct shape shape = { .rank = input->rank };
    char has[STRATA_SHAPE_TEXT], got[STRATA_SHAPE_TEXT];
    if (input->rank < 0 || input->rank > STRATA_MAX_RANK - 1)
        return strata_fail(err, STRATA_ESHAPE, "model %s: an input of rank %d; 0 to %d axes besides the batch are possible",
                           model->name, input->rank, STRATA_MAX_RANK - 1);
    memcpy(shape.dim, input->dim, (size_t)input->rank * sizeof *shape.dim);
    if (model->count == 0)
        return strata_fail(err, STRATA_EVALUE, "Sequential model %s cannot be built because it has no layers. Call "
                           "strata_model_add.", model->name);
    if (model->input.known && !strata_shape_fits(&model->input.shape, &shape))
        return strata_fail(err, STRATA_ESHAPE, "model %s takes inputs of shape %s, not %s", model->name,
                           strata_shape_text(&model->input.shape, "None", has), strata_shape_text(&shape, "None", got));
    if (model->built)
        return true;
    const bool was_known = model->input.known;
    if (!was_known) {
        model->input.known = true;
        model->input.shape = shape;
        model->input.batch = batch;
    }
    if (strata_model_build_layers(model, err))
        return true;
    for (size_t i = 0; i < model->count && !was_known; i++)
        if (!model->nodes[i].layer->model)
            strata_layer_unbuild(model->nodes[i].layer);
    model->input.known = was_known;
    return false;
}

bool strata_model_built(const strata_model *model)
{
    return model->built;
}

bool strata_model_is_sequential(const strata_model *model)
{
    return model->sequential;
}

const char *strata_model_name(const strata_model *model)
{
    return model->name;
}

strata_flavour strata_model_flavour(const strata_model *model)
{
    return model->flavour == STRATA_KERAS2 ? STRATA_FLAVOUR_KERAS2 : STRATA_FLAVOUR_KERAS3;
}

strata_shape strata_model_input_shape(const strata_model *model)
{
    static const strata_shape unknown = { .rank = -1 };
    return model->input.known ? strata_public_shape(&model->input.shape) : unknown;
}

strata_shape strata_model_output_shape(const strata_model *model)
{
    static const strata_shape unknown = { .rank = -1 };
    return model->built ? strata_public_shape(&model->nodes[model->output].layer->out) : unknown;
}

size_t strata_model_batch(const strata_model *model)
{
    return model->input.batch;
}

size_t strata_model_layer_count(const strata_model *model)
{
    return model->count;
}

strata_layer *strata_model_layer(const strata_model *model, size_t index)
{
    return index < model->count ? model->nodes[index].layer : NULL;
}

strata_layer *strata_model_get_layer(const strata_model *model, const char *name, strata_error *err)
{
    struct text names = { 0 };
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[i].layer;
        if (strcmp(layer->name, name) == 0) {
            strata_text_free(&names);
            return layer;
        }
        strata_text_add(&names, "%s'%s'", i ? ", " : "", layer->name);
    }
    strata_fail(err, STRATA_EVALUE, "No such layer: %s. Existing layers are: [%s].", name, names.data ? names.data : "");
    strata_text_free(&names);
    return NULL;
}

void strata_model_set_training(strata_model *model, void *training, void (*release)(void *training))
{
    if (model->release_training)
        model->release_training(model->training);
    model->training = training;
    model->release_training = release;
}

void *strata_model_training(const strata_model *model)
{
    return model->training;
}

uint64_t strata_model_seed(const strata_model *model)
{
    return model->seed;
}

static void redraw(strata_model *model)
{
    strata_error ignored = { 0 };
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[i].layer;
        if (layer->model)
            strata_model_set_seed(layer->model, model->seed);
        else if (layer->built && !strata_layer_draw(layer, model->seed, model->name, &ignored))
            return;
    }
}

void strata_model_set_seed(strata_model *model, uint64_t seed)
{
    if (model->seed == seed)
        return;
    model->seed = seed;
    if (!model->touched && !model->params)
        redraw(model);
}

bool strata_model_integer_input(const strata_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[i];
        const bool reads_input = node->inputs[0] == MODEL_INPUT
                              || (node->inputs[0] >= 0 && model->nodes[node->inputs[0]].layer->class
                                  && model->nodes[node->inputs[0]].layer->class->host_only);
        if (!reads_input || (node->layer->class && node->layer->class->host_only))
            continue;
        return node->layer->model ? strata_model_integer_input(node->layer->model) : node->layer->class->integer_input;
    }
    return false;
}
