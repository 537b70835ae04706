/* The Sequential guide's calls, and Keras's errors (golden/errors.md). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <strata/model.h>

static strata_layer *layer(const char *class_name, const char *config)
{
    strata_error err = { 0 };
    strata_layer *made = strata_layer_create(class_name, config, &err);
    cr_assert_not_null(made, "%s", err.message);
    return made;
}

static void add(strata_model *model, const char *class_name, const char *config)
{
    strata_error err = { 0 };
    cr_assert(strata_model_add(model, layer(class_name, config), &err), "%s", err.message);
}

static strata_model *sequential(void)
{
    strata_error err = { 0 };
    strata_model *model = strata_sequential_create(NULL, &err);
    cr_assert_not_null(model);
    return model;
}

static size_t params(const strata_model *model)
{
    strata_error err = { 0 };
    size_t total = 0, trainable = 0;
    cr_assert(strata_model_count_params(model, &total, &trainable, &err), "%s", err.message);
    return total;
}

Test(sequential, has_no_weights_before_it_is_built_and_six_after)
{
    strata_error err = { 0 };
    size_t count = 0;
    strata_model *model = sequential();
    add(model, "Dense", "{\"units\": 2, \"activation\": \"relu\"}");
    add(model, "Dense", "{\"units\": 3, \"activation\": \"relu\"}");
    add(model, "Dense", "{\"units\": 4}");
    cr_assert_not(strata_model_weight_count(model, &count, &err));
    cr_assert(strstr(err.message, "have not yet been created"));
    const strata_summary_options keras2 = { .style = STRATA_FLAVOUR_KERAS2 };
    cr_assert_null(strata_model_summary(model, &keras2, &err));
    cr_assert(strstr(err.message, "has not yet been built"));
    const strata_shape input = { .rank = 1, .dim = { 4 } };
    cr_assert(strata_model_build(model, &input, 1, &err), "%s", err.message);
    cr_assert(strata_model_weight_count(model, &count, &err));
    cr_assert_eq(count, 6);
    char *text = strata_model_summary(model, &keras2, &err);
    cr_assert(strstr(text, "(1, 2)"));
    free(text);
    strata_model_free(model);
}

Test(sequential, grows_and_shrinks_by_add_and_pop)
{
    strata_error err = { 0 };
    strata_model *model = sequential();
    cr_assert_not(strata_model_pop(model, &err));
    cr_assert_str_eq(err.message, "There are no layers in the model.");
    add(model, "Dense", "{\"units\": 2}");
    add(model, "Dense", "{\"units\": 3}");
    add(model, "Dense", "{\"units\": 4}");
    cr_assert_eq(strata_model_layer_count(model), 3);
    cr_assert_str_eq(strata_layer_name(strata_model_layer(model, 2)), "dense_2");
    cr_assert(strata_model_pop(model, &err));
    cr_assert_eq(strata_model_layer_count(model), 2);
    strata_model_free(model);
}

Test(sequential, does_not_list_its_input)
{
    strata_model *model = sequential();
    add(model, "Input", "{\"shape\": [4]}");
    add(model, "Dense", "{\"units\": 2, \"activation\": \"relu\"}");
    cr_assert_eq(strata_model_layer_count(model), 1);
    cr_assert(strata_model_built(model));
    cr_assert_eq(params(model), 10);
    strata_model_free(model);
    model = sequential();
    add(model, "Dense", "{\"units\": 2, \"input_shape\": [4]}");
    cr_assert_eq(params(model), 10);
    strata_model_free(model);
}

Test(sequential, counts_the_guides_convolution_stack_at_its_three_stages)
{
    const char *const conv = "{\"filters\": 32, \"kernel_size\": 3, \"activation\": \"relu\"}";
    strata_model *model = sequential();
    add(model, "Input", "{\"shape\": [250, 250, 3]}");
    add(model, "Conv2D", "{\"filters\": 32, \"kernel_size\": 5, \"strides\": 2, \"activation\": \"relu\"}");
    add(model, "Conv2D", conv);
    add(model, "MaxPooling2D", "{\"pool_size\": 3}");
    cr_assert_eq(params(model), 11680);
    for (int i = 0; i < 2; i++) {
        add(model, "Conv2D", conv);
        add(model, "Conv2D", conv);
        add(model, "MaxPooling2D", i == 0 ? "{\"pool_size\": 3}" : "{\"pool_size\": 2}");
    }
    cr_assert_eq(params(model), 48672);
    const strata_shape out = strata_model_output_shape(model);
    cr_assert_eq(out.rank, 3);
    cr_assert(out.dim[0] == 4 && out.dim[1] == 4 && out.dim[2] == 32);
    add(model, "GlobalMaxPooling2D", NULL);
    add(model, "Dense", "{\"units\": 10}");
    cr_assert_eq(params(model), 49002);
    strata_model_free(model);
}

Test(sequential, refuses_layers_as_keras_does)
{
    strata_error err = { 0 };
    strata_model *model = sequential();
    add(model, "Input", "{\"shape\": [4]}");
    add(model, "Dense", "{\"units\": 3, \"name\": \"a\"}");
    cr_assert_not(strata_model_add(model, layer("Dense", "{\"units\": 2, \"name\": \"a\"}"), &err));
    cr_assert(strstr(err.message, "unique names. Name 'a' is already the name of a layer in this model"));
    cr_assert_not(strata_model_add(model, layer("Input", "{\"shape\": [5]}"), &err));
    cr_assert(strstr(err.message, "already been configured to use input shape (None, 4)"));
    cr_assert_not(strata_model_add(model, layer("Conv2D", "{\"filters\": 2, \"kernel_size\": 3}"), &err));
    cr_assert_eq(err.code, STRATA_ESHAPE);
    cr_assert_not(strata_model_add(model, strata_model_layer(model, 0), &err));
    cr_assert(strstr(err.message, "shared"));
    cr_assert_null(strata_model_get_layer(model, "c", &err));
    cr_assert_str_eq(err.message, "No such layer: c. Existing layers are: ['a'].");
    cr_assert_eq(strata_model_layer_count(model), 1, "what was refused is not there");
    strata_model_free(model);
}

Test(sequential, refuses_to_build_without_layers_or_for_another_shape)
{
    strata_error err = { 0 };
    const strata_shape four = { .rank = 1, .dim = { 4 } }, five = { .rank = 1, .dim = { 5 } };
    strata_model *model = sequential();
    cr_assert_not(strata_model_build(model, &four, 0, &err));
    cr_assert(strstr(err.message, "cannot be built because it has no layers"));
    add(model, "Dense", "{\"units\": 3}");
    cr_assert(strata_model_build(model, &four, 0, &err));
    cr_assert_not(strata_model_build(model, &five, 0, &err));
    cr_assert(strstr(err.message, "(None, 4), not (None, 5)"));
    strata_model_free(model);
}

Test(sequential, draws_weights_from_its_seed_and_keeps_what_was_set)
{
    strata_error err = { 0 };
    float a[12], b[12], set[12] = { 7 };
    strata_model *model = sequential();
    add(model, "Input", "{\"shape\": [4]}");
    add(model, "Dense", "{\"units\": 3}");
    cr_assert(strata_model_get_weight(model, 0, a, 12, &err));
    strata_model_set_seed(model, 5);
    cr_assert(strata_model_get_weight(model, 0, b, 12, &err));
    cr_assert_neq(memcmp(a, b, sizeof a), 0, "another seed draws other weights");
    strata_model_set_seed(model, 0);
    cr_assert(strata_model_get_weight(model, 0, b, 12, &err));
    cr_assert_eq(memcmp(a, b, sizeof a), 0, "the same seed draws the same");
    cr_assert(strata_model_set_weight(model, 0, set, 12, &err));
    strata_model_set_seed(model, 9);
    cr_assert(strata_model_get_weight(model, 0, b, 12, &err));
    cr_assert_eq(memcmp(set, b, sizeof b), 0, "what was set stays");
    cr_assert_not(strata_model_set_weight(model, 0, set, 11, &err));
    cr_assert_eq(err.code, STRATA_ESHAPE);
    strata_model_free(model);
}

Test(sequential, freezes_by_globs_that_reach_into_nested_models)
{
    strata_error err = { 0 };
    strata_model *base = strata_sequential_create("base", &err), *model = sequential();
    add(base, "Input", "{\"shape\": [4]}");
    add(base, "Dense", "{\"units\": 3, \"name\": \"low\"}");
    add(base, "Dense", "{\"units\": 3, \"name\": \"high\"}");
    strata_layer *nested = strata_layer_from_model(base, &err);
    cr_assert(strata_model_add(model, nested, &err), "%s", err.message);
    add(model, "Dense", "{\"units\": 2, \"name\": \"logits\"}");
    cr_assert_eq(strata_model_set_trainable_by_name(model, "*", false), 2);
    cr_assert_not(strata_model_weight_info(model, 0).trainable);
    cr_assert_eq(strata_model_set_trainable_by_name(model, "base/high", true), 1);
    cr_assert_not(strata_model_weight_info(model, 0).trainable);
    cr_assert(strata_model_weight_info(model, 2).trainable);
    cr_assert_not(strata_model_weight_info(model, 4).trainable);
    cr_assert_eq(strata_model_set_trainable_by_name(model, "nothing", true), 0);
    strata_model_free(model);
}

Test(sequential, says_why_a_layer_of_keras_is_not_there)
{
    static const struct {
        const char *layer, *words;
    } rows[] = {
        { "LSTM", "recurrent" }, { "Conv3D", "three spatial axes" }, { "Masking", "masks" }, { "Dot", "multiplies" },
        { "Lambda", "Python" },  { "Discretization", "prepares data" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        strata_error err = { 0 };
        cr_assert_null(strata_layer_create(rows[i].layer, NULL, &err));
        cr_assert(strstr(err.message, rows[i].words) && strstr(err.message, rows[i].layer), "%s", err.message);
    }
}
