/* Inputs with open extents (None): what layers make of them, what is refused, and that configs keep them. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <strata/model.h>

static strata_model *model_of(const char *json)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_not_null(model, "%s", err.message);
    return model;
}

static void is_refused(const char *json, const char *words)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_null(model, "%s is accepted", json);
    cr_assert(strstr(err.message, words), "%s", err.message);
    cr_assert(strstr(err.message, "None"), "%s", err.message);
}

static void has_shape(strata_shape shape, int rank, const size_t *dims)
{
    cr_assert_eq(shape.rank, rank);
    for (int i = 0; i < rank; i++) cr_assert_eq(shape.dim[i], dims[i], "axis %d is %zu", i, shape.dim[i]);
}

/* What Keras prints for the same layers is in golden/summary/open_*. */
Test(open_input, passes_through_layers_that_can_have_any_extent)
{
    static const struct {
        const char *layers;
        int rank;
        size_t dims[4];
    } rows[] = {
        { "{\"Conv2D\": {\"filters\": 4, \"kernel_size\": 3, \"strides\": 2}}", 3, { 0, 0, 4 } },
        { "{\"Permute\": {\"dims\": [3, 1, 2]}}", 3, { 3, 0, 0 } },
        { "{\"Flatten\": {}}", 1, { 0 } },
        { "{\"Reshape\": {\"target_shape\": [-1, 64]}}", 2, { 0, 64 } },
        { "{\"Reshape\": {\"target_shape\": [5, 6]}}", 2, { 5, 6 } },
        { "{\"GlobalAveragePooling2D\": {\"keepdims\": true}}", 3, { 1, 1, 3 } },
        { "{\"UpSampling2D\": {}}, {\"Cropping2D\": {\"cropping\": [[3, 0], [0, 1]]}}", 3, { 0, 0, 3 } },
        { "{\"PReLU\": {\"shared_axes\": [1, 2]}}, {\"LayerNormalization\": {}}", 3, { 0, 0, 3 } },
        { "{\"Softmax\": {\"axis\": 1}}, {\"Dropout\": {\"rate\": 0.5}}, {\"Dense\": {\"units\": 2}}", 3, { 0, 0, 2 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[512];
        snprintf(json, sizeof json, "[{\"Input\": {\"shape\": [null, null, 3]}}, %s]", rows[i].layers);
        strata_model *model = model_of(json);
        has_shape(strata_model_output_shape(model), rows[i].rank, rows[i].dims);
        strata_model_free(model);
    }
}

Test(open_input, is_an_error_where_a_weight_would_have_any_extent)
{
    is_refused("[{\"Input\": {\"shape\": [null, 8]}}, \"Flatten\", {\"Dense\": {\"units\": 3}}]", "dense: the shape of its kernel");
    is_refused("[{\"Input\": {\"shape\": [null, 8]}}, \"PReLU\"]", "p_re_lu: the shape of its alpha");
    is_refused("[{\"Input\": {\"shape\": [4, 4, null]}}, {\"Conv2D\": {\"filters\": 3, \"kernel_size\": 3}}]", "conv2d: the shape");
    is_refused("[{\"Input\": {\"shape\": [null, 3]}}, {\"BatchNormalization\": {\"axis\": 1}}]", "batch_normalization: the shape");
}

Test(open_input, takes_its_extents_from_the_samples)
{
    strata_error err = { 0 };
    strata_model *model = model_of("[{\"Input\": {\"shape\": [null, null, 3]}},"
                                   " {\"Conv2D\": {\"filters\": 4, \"kernel_size\": 3, \"name\": \"conv\"}}, \"Flatten\"]");
    const strata_shape small = { .rank = 3, .dim = { 5, 6, 3 } }, tiny = { .rank = 3, .dim = { 2, 6, 3 } },
                       other = { .rank = 3, .dim = { 5, 6, 2 } };
    strata_shape out;
    cr_assert(strata_model_output_shape_for(model, NULL, &small, &out, &err), "%s", err.message);
    has_shape(out, 1, (const size_t[]){ 3 * 4 * 4 });
    cr_assert(strata_model_output_shape_for(model, strata_model_layer(model, 0), &small, &out, &err), "%s", err.message);
    has_shape(out, 3, (const size_t[]){ 3, 4, 4 });
    cr_assert_not(strata_model_output_shape_for(model, NULL, &tiny, &out, &err));
    cr_assert(strstr(err.message, "conv"), "%s", err.message);
    cr_assert_not(strata_model_output_shape_for(model, NULL, &other, &out, &err));
    cr_assert(strstr(err.message, "takes inputs of shape (None, None, None, 3), not (None, 5, 6, 2)"), "%s", err.message);
    strata_model_free(model);
}

Test(open_input, is_null_in_configs_of_both_flavours)
{
    strata_model *model = model_of("[{\"Input\": {\"shape\": [null, 8]}}, {\"Conv1D\": {\"filters\": 4, \"kernel_size\": 3}}]");
    for (int flavour = 0; flavour < 2; flavour++) {
        strata_error err = { 0 };
        char *json = strata_model_to_json(model, flavour ? STRATA_FLAVOUR_KERAS2 : STRATA_FLAVOUR_KERAS3, &err);
        cr_assert_not_null(json, "%s", err.message);
        cr_assert(strstr(json, "[null, null, 8]"), "%s", json);
        strata_model *again = model_of(json);
        has_shape(strata_model_input_shape(again), 2, (const size_t[]){ 0, 8 });
        strata_model_free(again);
        free(json);
    }
    strata_model_free(model);
}

/* Embedding's input_dim counts the rows of its table; that of other layers is Keras 2's short way to state the input. */
Test(open_input, is_not_taken_from_the_rows_of_an_embedding)
{
    strata_error err = { 0 };
    strata_model *model = model_of("[{\"Embedding\": {\"input_dim\": 30, \"output_dim\": 8}}]");
    cr_assert_not(strata_model_built(model));
    const strata_shape words = { .rank = 1, .dim = { 9 } };
    cr_assert(strata_model_build(model, &words, 0, &err), "%s", err.message);
    has_shape(strata_model_output_shape(model), 2, (const size_t[]){ 9, 8 });
    strata_model_free(model);
}
