/* Which weight of a file goes where. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/golden.h"

TestSuite(weights, .init = own_folder);

#define DENSE(name, units) "{\"Dense\": {\"units\": " #units ", \"name\": \"" name "\"}}"
#define INPUT(n) "{\"Input\": {\"shape\": [" #n "]}}"

static strata_model *make(const char *json)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_not_null(model, "%s", err.message);
    return model;
}

/* The first number of the layer's kernel. */
static float first_of(const strata_model *model, const char *layer)
{
    strata_error err = { 0 };
    float values[64];
    strata_layer *found = strata_model_get_layer(model, layer, &err);
    cr_assert_not_null(found, "%s", err.message);
    const size_t count = strata_layer_weight_info(found, 0).count;
    cr_assert(count <= 64 && strata_layer_get_weight(found, 0, values, count, &err), "%s", err.message);
    return values[0];
}

static const char *const formats[] = { "m.keras", "m.h5", "m.weights.h5", "m_weights.h5", "m.npz" };
enum { FORMATS = sizeof formats / sizeof *formats };

/* guide: 4 -> a 2 -> b 3 -> c 4. */
static strata_model *saved_guide(const char *path)
{
    strata_error err = { 0 };
    strata_model *model = make("[" INPUT(4) "," DENSE("a", 2) "," DENSE("b", 3) "," DENSE("c", 4) "]");
    cr_assert(strata_model_save(model, path, NULL, &err), "%s", err.message);
    return model;
}

Test(weights, by_name_go_to_layers_of_that_name_and_the_report_says_which)
{
    for (int i = 0; i < FORMATS; i++) {
        strata_error err = { 0 };
        strata_load_report report;
        const strata_load_options by_name = { .by_name = true };
        strata_model *from = saved_guide(formats[i]);
        strata_model *to = make("[" INPUT(4) "," DENSE("a", 2) "," DENSE("x", 3) "]");
        const float x = first_of(to, "x");
        cr_assert(strata_model_load_weights(to, formats[i], &by_name, &report, &err), "%s", err.message);
        cr_assert_eq(first_of(to, "a"), first_of(from, "a"), "%s", formats[i]);
        cr_assert_eq(first_of(to, "x"), x);
        cr_assert_str_eq(report.loaded[0], "a/kernel");
        cr_assert_str_eq(report.loaded[1], "a/bias");
        cr_assert_null(report.loaded[2]);
        cr_assert_str_eq(report.missing[0], "x/kernel");
        cr_assert_not_null(report.unused[3]);
        cr_assert_null(report.unused[4]);
        cr_assert_null(report.mismatched[0]);
        strata_load_report_free(&report);
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, of_another_shape_are_an_error_that_changes_nothing)
{
    for (int i = 0; i < FORMATS; i++) {
        strata_error err = { 0 };
        strata_model *from = saved_guide(formats[i]);
        strata_model *to = make("[" INPUT(4) "," DENSE("a", 2) "," DENSE("b", 3) "," DENSE("c", 5) "]");
        const float a = first_of(to, "a");
        cr_assert_not(strata_model_load_weights(to, formats[i], NULL, NULL, &err));
        cr_assert_eq(err.code, STRATA_ESHAPE);
        cr_assert(strstr(err.message, "c/kernel has shape (3, 5) in the model and (3, 4) in the file"), "%s",
                  err.message);
        cr_assert_eq(first_of(to, "a"), a, "%s", formats[i]);
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, of_another_shape_are_left_out_with_skip_mismatch)
{
    for (int i = 0; i < FORMATS; i++) {
        strata_error err = { 0 };
        strata_load_report report;
        const strata_load_options options = { .by_name = true, .skip_mismatch = true };
        strata_model *from = saved_guide(formats[i]);
        strata_model *to = make("[" INPUT(4) "," DENSE("a", 2) "," DENSE("b", 3) "," DENSE("c", 5) "]");
        cr_assert(strata_model_load_weights(to, formats[i], &options, &report, &err), "%s", err.message);
        cr_assert_eq(first_of(to, "a"), first_of(from, "a"));
        cr_assert_str_eq(report.mismatched[0], "c/kernel");
        cr_assert_str_eq(report.mismatched[1], "c/bias");
        cr_assert_null(report.mismatched[2]);
        strata_load_report_free(&report);
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, in_order_need_as_many_layers)
{
    for (int i = 0; i < FORMATS; i++) {
        strata_error err = { 0 };
        strata_model *from = saved_guide(formats[i]);
        strata_model *to = make("[" INPUT(4) "," DENSE("a", 2) "," DENSE("b", 3) "]");
        cr_assert_not(strata_model_load_weights(to, formats[i], NULL, NULL, &err), "%s", formats[i]);
        cr_assert_neq(err.message[0], '\0');
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, in_order_do_not_care_for_names)
{
    for (int i = 0; i < FORMATS - 1; i++) { /* arrays of an .npz have nothing but names */
        strata_error err = { 0 };
        strata_model *from = saved_guide(formats[i]);
        strata_model *to = make("[" INPUT(4) "," DENSE("x", 2) "," DENSE("y", 3) "," DENSE("z", 4) "]");
        cr_assert(strata_model_load_weights(to, formats[i], NULL, NULL, &err), "%s", err.message);
        cr_assert_eq(first_of(to, "z"), first_of(from, "c"), "%s", formats[i]);
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, need_a_built_model)
{
    strata_error err = { 0 };
    strata_model *from = saved_guide("m.keras"), *to = make("[" DENSE("a", 2) "]");
    cr_assert_not(strata_model_load_weights(to, "m.keras", NULL, NULL, &err));
    cr_assert_eq(err.code, STRATA_EVALUE);
    cr_assert(strstr(err.message, "build it"), "%s", err.message);
    strata_model_free(from);
    strata_model_free(to);
}

/* ---- nested ---- */

#define BASE(a, b)                                                                                           \
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"base\", \"layers\": ["                        \
    "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": \"in\"}},"    \
    "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"" a "\"}},"                          \
    "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"" b "\"}}]}}"

static float inner_first(const strata_model *model, const char *layer)
{
    strata_error err = { 0 };
    strata_layer *base = strata_model_get_layer(model, "base", &err);
    cr_assert_not_null(base, "%s", err.message);
    return first_of(strata_layer_model(base), layer);
}

/* All layers have one shape, so that only the names can tell; the first is frozen, which puts it last in an .h5. */
Test(weights, of_a_nested_model_find_their_layers_whatever_was_frozen)
{
    for (int i = 0; i < FORMATS; i++) {
        strata_error err = { 0 };
        strata_model *from = make("[" INPUT(4) "," BASE("a", "b") "," DENSE("head", 4) "]");
        strata_model *to = make("[" INPUT(4) "," BASE("a", "b") "," DENSE("head", 4) "]");
        strata_layer *base = strata_model_get_layer(from, "base", &err);
        strata_layer_set_trainable(strata_model_layer(strata_layer_model(base), 0), false);
        cr_assert(strata_model_save(from, formats[i], NULL, &err), "%s", err.message);
        cr_assert(strata_model_load_weights(to, formats[i], NULL, NULL, &err), "%s", err.message);
        check_same_weights(formats[i], from, to);
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, of_a_nested_model_with_other_names_go_layer_by_layer)
{
    for (int i = 0; i < FORMATS - 1; i++) {
        strata_error err = { 0 };
        strata_model *from = make("[" INPUT(4) "," BASE("a", "b") "," DENSE("head", 4) "]");
        strata_model *to = make("[" INPUT(4) "," BASE("c", "d") "," DENSE("head", 4) "]");
        cr_assert(strata_model_save(from, formats[i], NULL, &err), "%s", err.message);
        cr_assert(strata_model_load_weights(to, formats[i], NULL, NULL, &err), "%s", err.message);
        cr_assert_eq(inner_first(to, "c"), inner_first(from, "a"), "%s", formats[i]);
        cr_assert_eq(inner_first(to, "d"), inner_first(from, "b"), "%s", formats[i]);
        strata_model_free(from);
        strata_model_free(to);
    }
}

/* Normalization has no weight that trains: its statistics come last in a legacy file, though the layer is the first. */
#define STATISTICS_FIRST(a, b)                                                                               \
    "[" INPUT(4) ",{\"class_name\": \"Sequential\", \"config\": {\"name\": \"base\", \"layers\": ["          \
                 "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], "          \
                 "\"name\": \"in\"}},"                                                                       \
                 "{\"class_name\": \"Normalization\", \"config\": {\"name\": \"" a "\"}},"                   \
                 "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"" b "\"}}]}}]"

Test(weights, of_a_nested_model_with_other_names_may_begin_with_statistics)
{
    for (int i = 0; i < FORMATS - 1; i++) {
        strata_error err = { 0 };
        strata_model *from = make(STATISTICS_FIRST("n", "d")), *to = make(STATISTICS_FIRST("m", "e"));
        cr_assert(strata_model_save(from, formats[i], NULL, &err), "%s", err.message);
        cr_assert(strata_model_load_weights(to, formats[i], NULL, NULL, &err), "%s", err.message);
        cr_assert_eq(inner_first(to, "e"), inner_first(from, "d"), "%s", formats[i]);
        strata_model_free(from);
        strata_model_free(to);
    }
}

Test(weights, of_a_nested_model_by_name_reach_inside)
{
    for (int i = 0; i < FORMATS; i++) {
        strata_error err = { 0 };
        const strata_load_options by_name = { .by_name = true };
        strata_model *from = make("[" INPUT(4) "," BASE("a", "b") "," DENSE("head", 4) "]");
        strata_model *to =
            make("[" INPUT(4) "," DENSE("first", 4) "," BASE("a", "b") "," DENSE("last", 4) "]");
        cr_assert(strata_model_save(from, formats[i], NULL, &err), "%s", err.message);
        cr_assert(strata_model_load_weights(to, formats[i], &by_name, NULL, &err), "%s", err.message);
        cr_assert_eq(inner_first(to, "a"), inner_first(from, "a"), "%s", formats[i]);
        cr_assert_eq(inner_first(to, "b"), inner_first(from, "b"), "%s", formats[i]);
        strata_model_free(from);
        strata_model_free(to);
    }
}
