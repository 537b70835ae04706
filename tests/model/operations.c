/* Arithmetic between a functional model's tensors, as both Kerases write it. */
#include <strata/model.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ok(call) cr_assert((call), "%s", err.message)

#define KERAS3_TENSOR(name)                                                                                          \
    "{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": [null, 3], \"dtype\": \"float32\", \"keras_history\": [\"" name  \
    "\", 0, 0]}}"

static strata_model *graph(const char *input, const char *layers, const char *last)
{
    char text[4000];
    strata_error err = { 0 };
    snprintf(text, sizeof text, "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [%s, %s],"
             " \"input_layers\": [[\"x\", 0, 0]], \"output_layers\": [[\"%s\", 0, 0]]}}", input, layers, last);
    strata_model *model = strata_model_from_json(text, &err);
    ok(model);
    return model;
}

static const char input3[] = "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"batch_shape\": [null, 3]},"
                             " \"inbound_nodes\": []}";
static const char input2[] = "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"batch_input_shape\": [null, 3]},"
                             " \"inbound_nodes\": []}";

static void written(const strata_model *model, strata_flavour flavour, const char *part)
{
    strata_error err = { 0 };
    char *json = strata_model_to_json(model, flavour, &err);
    ok(json);
    cr_expect_not_null(strstr(json, part), "%s is not in %s", part, json);
    strata_model *again = strata_model_from_json(json, &err);
    ok(again);
    cr_expect_eq(strata_model_layer_count(again), strata_model_layer_count(model));
    strata_model_free(again);
    free(json);
}

Test(operations, keras3_has_the_number_among_the_arguments)
{
    strata_model *model = graph(input3, "{\"module\": \"keras.src.ops.numpy\", \"class_name\": \"Subtract\", \"config\": {\"name\": \"s\"},"
                                " \"registered_name\": \"Subtract\", \"name\": \"s\", \"inbound_nodes\": [{\"args\": [1.5, "
                                KERAS3_TENSOR("x") "], \"kwargs\": {}}]},"
                                "{\"module\": \"keras.src.ops.numpy\", \"class_name\": \"Multiply\", \"config\": {\"name\": \"p\"},"
                                " \"registered_name\": \"Multiply\", \"name\": \"p\", \"inbound_nodes\": [{\"args\": ["
                                KERAS3_TENSOR("x") ", " KERAS3_TENSOR("s") "], \"kwargs\": {}}]}", "p");
    cr_assert_str_eq(strata_layer_class_name(strata_model_layer(model, 2)), "Multiply");
    written(model, STRATA_FLAVOUR_KERAS3, "\"args\": [1.5, {\"class_name\": \"__keras_tensor__\"");
    written(model, STRATA_FLAVOUR_KERAS2, "[[\"_CONSTANT_VALUE\", -1, 1.5, {\"y\": [\"x\", 0, 0], \"name\": null}]]");
    written(model, STRATA_FLAVOUR_KERAS2, "[[\"x\", 0, 0, {\"y\": [\"s\", 0, 0], \"name\": null}]]");
    strata_model_free(model);
}

Test(operations, keras2_has_it_behind_the_tensor)
{
    strata_model *model = graph(input2, "{\"class_name\": \"TFOpLambda\", \"config\": {\"name\": \"a\", \"trainable\": true, \"dtype\": \"float32\","
                                " \"function\": \"__operators__.add\"}, \"name\": \"a\", \"inbound_nodes\": [[\"x\", 0, 0, {\"y\": 3.0, \"name\": null}]]},"
                                "{\"class_name\": \"TFOpLambda\", \"config\": {\"name\": \"d\", \"function\": \"math.truediv\"}, \"name\": \"d\","
                                " \"inbound_nodes\": [[\"a\", 0, 0, {\"y\": 2.0, \"name\": null}]]},"
                                "{\"class_name\": \"TFOpLambda\", \"config\": {\"name\": \"b\", \"function\": \"__operators__.add\"}, \"name\": \"b\","
                                " \"inbound_nodes\": [[\"a\", 0, 0, {\"y\": [\"d\", 0, 0], \"name\": null}]]}", "b");
    cr_assert_eq(strata_model_layer_count(model), 4);
    written(model, STRATA_FLAVOUR_KERAS2, "\"function\": \"math.truediv\"");
    written(model, STRATA_FLAVOUR_KERAS3, "\"registered_name\": \"Divide\"");
    strata_model_free(model);
}
