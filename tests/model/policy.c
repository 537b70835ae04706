/* Dtype policies in configs: every form in which Keras writes one, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/model.h>

#include "base/json.h"
#include "model/model.h"

static strata_model *read_model(const char *text)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(text, &err);
    cr_assert_not_null(model, "%s", err.message);
    return model;
}

/* "dtype" of the layer's config in what the model writes, as text; free it. */
static char *written(const strata_model *model, size_t layer, strata_flavour flavour)
{
    strata_error err = { 0 };
    char *text = strata_model_to_json(model, flavour, &err);
    cr_assert_not_null(text, "%s", err.message);
    json_t *json = strata_json_parse(text, strlen(text), "model", &err);
    const json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    char *dtype = strata_json_text(json_object_get(json_object_get(json_array_get(layers, layer), "config"), "dtype"), false, &err);
    cr_assert_not_null(dtype);
    json_decref(json);
    free(text);
    return dtype;
}

static void expect_written(const strata_model *model, size_t layer, strata_flavour flavour, const char *wanted)
{
    char *dtype = written(model, layer, flavour);
    cr_assert_str_eq(dtype, wanted);
    free(dtype);
}

#define KERAS3(name)                                                                                                 \
    "{\"module\": \"keras\", \"class_name\": \"DTypePolicy\", \"config\": {\"name\": \"" name "\"}, \"registered_name\": null}"
#define KERAS2(name)                                                                                                 \
    "{\"module\": \"keras.mixed_precision\", \"class_name\": \"Policy\", \"config\": {\"name\": \"" name "\"}, \"registered_name\": null}"

Test(policy, is_read_and_written_in_both_forms_of_keras)
{
    static const char *const forms[] = { KERAS3("mixed_float16"), KERAS2("mixed_float16"), "\"mixed_float16\"" };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char text[600];
        snprintf(text, sizeof text, "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": ["
                 "{\"class_name\": \"Dense\", \"config\": {\"name\": \"a\", \"units\": 3, \"dtype\": %s}},"
                 "{\"class_name\": \"Dense\", \"config\": {\"name\": \"b\", \"units\": 2, \"dtype\": \"float32\"}}]}}", forms[i]);
        strata_model *model = read_model(text);
        expect_written(model, 0, STRATA_FLAVOUR_KERAS3, KERAS3("mixed_float16"));
        expect_written(model, 0, STRATA_FLAVOUR_KERAS2, KERAS2("mixed_float16"));
        expect_written(model, 1, STRATA_FLAVOUR_KERAS3, KERAS3("float32"));
        expect_written(model, 1, STRATA_FLAVOUR_KERAS2, "\"float32\"");
        cr_assert_eq(strata_model_policy(model), STORAGE_FLOAT16, "that of its layers, as the model's own is not written");
        strata_model_free(model);
    }
}

Test(policy, of_compile_is_that_of_layers_that_state_none)
{
    strata_model *model = read_model("[{\"Dense\": {\"units\": 3}}, {\"Dense\": {\"units\": 2, \"dtype\": \"float32\"}},"
                                     " {\"Sequential\": [{\"Dense\": {\"units\": 2}}]}]");
    strata_model_set_policy(model, STORAGE_BFLOAT16);
    expect_written(model, 0, STRATA_FLAVOUR_KERAS3, KERAS3("mixed_bfloat16"));
    expect_written(model, 1, STRATA_FLAVOUR_KERAS3, KERAS3("float32"));
    char *nested = strata_model_to_json(model, STRATA_FLAVOUR_KERAS3, &(strata_error){ 0 });
    cr_assert_eq(strata_model_policy(model), STORAGE_BFLOAT16);
    int count = 0;
    for (const char *at = nested; (at = strstr(at, "mixed_bfloat16")) != NULL; at++) count++;
    cr_assert_eq(count, 4, "both models and a layer in each");
    free(nested);
    strata_model_free(model);
}

Test(policy, that_keeps_weights_as_anything_but_float32_is_refused)
{
    static const char *const names[] = { "float16", "bfloat16", "float64", "int8" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        strata_error err = { 0 };
        char text[100], wanted[200];
        snprintf(text, sizeof text, "[{\"Dense\": {\"units\": 3, \"dtype\": \"%s\"}}]", names[i]);
        snprintf(wanted, sizeof wanted, "dtype is %s; weights are kept in float32: give \"float32\", \"mixed_float16\" or "
                 "\"mixed_bfloat16\"", names[i]);
        cr_assert_null(strata_model_from_json(text, &err));
        cr_assert_eq(err.code, STRATA_EJOB);
        cr_assert(strstr(err.message, wanted), "%s", err.message);
    }
}
