/* Mistakes in how a model grows and in what it is asked before it is built. */
#include "mistakes.h"

#include <string.h>

static const char deferred[] = "[{\"Dense\": {\"units\": 2}}]";

static bool weights(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    size_t count;
    const bool passed = strata_model_weight_count(model, &count, err);
    strata_model_free(model);
    return passed;
}

static bool summary(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const strata_summary_options options = { .style = STRATA_FLAVOUR_KERAS2 };
    const bool passed = strata_model_summary(model, &options, err) != NULL;
    strata_model_free(model);
    return passed;
}

static bool params(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    size_t total, trainable;
    const bool passed = strata_model_count_params(model, &total, &trainable, err);
    strata_model_free(model);
    return passed;
}

static bool layer_params(const struct mistake *row, strata_error *err)
{
    strata_layer *layer = strata_layer_create(row->a, row->b, err);
    size_t count;
    const bool passed = !layer || strata_layer_count_params(layer, &count, err);
    strata_layer_free(layer);
    return passed;
}

/* A question answered with rank -1: not known. */
static bool no_rank(strata_shape shape, strata_error *err)
{
    if (shape.rank != -1) return true;
    *err = (strata_error){ .code = STRATA_EVALUE, .message = "not known" };
    return false;
}

static bool input_shape(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = no_rank(strata_model_input_shape(model), err);
    strata_model_free(model);
    return passed;
}

static bool output_shape(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = no_rank(strata_model_output_shape(model), err);
    strata_model_free(model);
    return passed;
}

static bool save(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = strata_model_save(model, row->b, NULL, err);
    strata_model_free(model);
    return passed;
}

/* 15 numbers to the weight that b names. */
static bool set(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const float values[15] = { 0 };
    const bool passed = strata_model_set_weight(model, (size_t)(row->b[0] - '0'), values, 15, err);
    strata_model_free(model);
    return passed;
}

static bool set_layer(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const float values[4] = { 0 };
    const bool passed = strata_layer_set_weight(strata_model_layer(model, 0), 1, values, 4, err);
    strata_model_free(model);
    return passed;
}

static bool pop(const struct mistake *row, strata_error *err)
{
    strata_model *model = strata_sequential_create(row->a, err);
    const bool passed = strata_model_pop(model, err);
    strata_model_free(model);
    return passed;
}

static bool add(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    strata_layer *layer = strata_layer_from_json(row->b, err);
    const bool passed = !layer || strata_model_add(model, layer, err);
    strata_model_free(model);
    return passed;
}

static bool add_twice(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = strata_model_add(model, strata_model_layer(model, 0), err);
    strata_model_free(model);
    return passed;
}

static bool get(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = strata_model_get_layer(model, row->b, err) != NULL;
    strata_model_free(model);
    return passed;
}

static bool get_index(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = strata_model_layer(model, 5) != NULL;
    strata_model_free(model);
    *err = (strata_error){ .code = STRATA_EVALUE, .message = "NULL" };
    return passed;
}

const struct mistake mistakes_of_models[] = {
    { "weights before build", weights, deferred, 0, "have not yet been created", 0 },
    { "get_weights before build", weights, deferred, 0, "have not yet been created", 0 },
    { "summary before build", summary, deferred, 0, "has not yet been built", 0 },
    { "count_params before build", params, deferred, 0, "have not yet been created", 0 },
    { "count_params of an unbuilt layer", layer_params, "Dense", "{\"units\": 2}", "isn't built", 0 },
    { "inputs before build", input_shape, deferred, 0, "not known", 0 },
    { "output_shape before build", output_shape, deferred, 0, "not known", 0 },
    { "save before build", 0, 0, 0, 0, "Keras 3 saves it: the file has its config, and no weights" },
    { "save_weights before build", save, deferred, "w.weights.h5", "no weights yet", 0 },
    { "set_weights before build", set, deferred, "0", "is the model built?", 0 },
    { "pop on an empty model", pop, "empty", 0, "There are no layers in the model.", 0 },
    { "duplicate layer names", make_model,
      "[{\"Input\": {\"shape\": [4]}}, {\"Dense\": {\"units\": 3, \"name\": \"a\"}}, {\"Dense\": {\"units\": 2, \"name\": \"a\"}}]", 0,
      "should have unique names. Name 'a'", 0 },
    { "duplicate layer names by add", add, MLP, "{\"Dense\": {\"units\": 2, \"name\": \"a\"}}", "unique names. Name 'a'", 0 },
    { "same layer object twice", add_twice, MLP, 0, "already part of model", 0 },
    { "add of something else", make_model, "[{\"Input\": {\"shape\": [4]}}, 3]", 0, "a layer is 3", 0 },
    { "add of a second Input", add, MLP, "{\"Input\": {\"shape\": [4]}}", "already been configured to use input shape", 0 },
    { "add of a layer class, not a layer", 0, 0, 0, 0, "a class is no strata_layer: the compiler refuses it" },
    { "layer name with a slash", make_layer, "Dense", "{\"units\": 2, \"name\": \"a/b\"}", "cannot contain '/'", 0 },
    { "get_layer of a missing name", get, MLP, "c", "No such layer: c. Existing layers are: ['a', 'b'].", 0 },
    { "get_layer of a missing index", get_index, MLP, 0, "NULL", 0 },
    { "get_layer without argument", 0, 0, 0, 0, "strata_model_get_layer takes a name, strata_model_layer an index" },
    { "get_layer with both", 0, 0, 0, 0, "strata_model_get_layer takes a name, strata_model_layer an index" },
    { "set_weights, too few", set, MLP, "0", "12", 0 },
    { "set_weights, wrong shape", set, MLP, "2", "6", 0 },
    { "layer.set_weights, wrong shape", set_layer, MLP, 0, "3", 0 },
    { 0 },
};
