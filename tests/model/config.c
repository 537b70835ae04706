/* Every config that Keras wrote in golden/summary comes back the same after it was read and written. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include <strata/model.h>

/* What the comparison leaves out: written by the newest Keras alone, or ours to choose. */
static bool ignored(const char *key)
{
    static const char *const keys[] = { "module", "registered_name", "compile_config", "keras_version",
                                        "backend", "kwargs", "build_config" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Arguments that not every version of Keras has may be left out where they ask for nothing, and so may the kernel_initializer
 * that Keras 2 writes of layers without such a kernel, and the momentum of a renormalization that is off; so may the only
 * order of axes that there is. */
static bool asks_for_nothing(const char *key, const json_t *value)
{
    if (strcmp(key, "trainable") == 0)
        return json_is_true(value);
    if (strcmp(key, "data_format") == 0)
        return json_is_string(value) && strcmp(json_string_value(value), "channels_last") == 0;
    return strcmp(key, "renorm_momentum") == 0 || strcmp(key, "kernel_initializer") == 0 || json_is_null(value) || json_is_false(value) || (json_is_integer(value) && json_integer_value(value) == 1);
}

/* The path of the first difference, in `path`; true when there is none. */
static bool same(const json_t *a, const json_t *b, char *path, size_t size)
{
    const size_t length = strlen(path);
    if (json_is_object(a) && json_is_object(b)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)a, key, value) {
            snprintf(path + length, size - length, ".%s", key);
            const json_t *other = json_object_get(b, key);
            if (!ignored(key) && (other ? !same(value, other, path, size) : !asks_for_nothing(key, value)))
                return false;
        }
        json_object_foreach((json_t *)b, key, value) {
            snprintf(path + length, size - length, ".%s (unexpected)", key);
            if (!ignored(key) && !json_object_get(a, key) && !asks_for_nothing(key, value))
                return false;
        }
    } else if (json_is_string(a) && json_is_object(b)) {
        /* some layers of Keras 3 write the name of their dtype's policy, not the policy */
        return json_equal(a, json_object_get(json_object_get(b, "config"), "name"));
    } else if (json_array_size(a) == 1 && json_is_array(json_array_get(a, 0)) && json_is_string(json_array_get(b, 0))) {
        return same(json_array_get(a, 0), b, path, size); /* Keras 3 writes one input or output with and without a list around */
    } else if (json_is_array(a) && json_is_array(b)) {
        for (size_t i = 0; i < json_array_size(a) || i < json_array_size(b); i++) {
            snprintf(path + length, size - length, "[%zu]", i);
            if (!json_array_get(a, i) || !json_array_get(b, i) || !same(json_array_get(a, i), json_array_get(b, i), path, size))
                return false;
        }
    } else if (json_is_number(a) && json_is_number(b)) {
        return fabs(json_number_value(a) - json_number_value(b)) <= 1e-14 * fabs(json_number_value(a)); /* 15 digits */
    } else {
        return json_equal(a, b);
    }
    path[length] = '\0';
    return true;
}

static void check_file(const char *name)
{
    char path[512], where[1024] = "";
    strata_error err = { 0 };
    snprintf(path, sizeof path, "%s/summary/%s", STRATA_GOLDEN, name);
    json_t *expected = strata_json_read(path, &err);
    cr_assert_not_null(expected, "%s", err.message);
    char *text = strata_json_text(expected, false, &err);
    strata_model *model = strata_model_from_json(text, &err);
    cr_assert_not_null(model, "%s: %s", name, err.message);
    const strata_flavour flavour = strstr(name, ".keras2.") ? STRATA_FLAVOUR_KERAS2 : STRATA_FLAVOUR_KERAS3;
    char *written = strata_model_to_json(model, flavour, &err);
    cr_assert_not_null(written, "%s: %s", name, err.message);
    json_t *got = strata_json_parse(written, strlen(written), name, &err);
    cr_assert(same(expected, got, where, sizeof where), "%s differs at %s", name, where);
    json_decref(expected);
    json_decref(got);
    free(text);
    free(written);
    strata_model_free(model);
}

static size_t check_folder(const char *flavour)
{
    size_t count = 0;
    DIR *folder = opendir(STRATA_GOLDEN "/summary");
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, flavour) && strstr(entry->d_name, ".json")) {
            check_file(entry->d_name);
            count++;
        }
    closedir(folder);
    return count;
}

Test(config, of_keras_3_comes_back_the_same)
{
    cr_assert_gt(check_folder(".keras3."), 15);
}

Test(config, of_keras_2_comes_back_the_same)
{
    cr_assert_gt(check_folder(".keras2."), 15);
}

static void refuses(const char *json, const char *message)
{
    strata_error err = { 0 };
    cr_assert_null(strata_model_from_json(json, &err), "%s was read", json);
    cr_assert(strstr(err.message, message), "\"%s\" does not say \"%s\"", err.message, message);
}

Test(config, names_what_is_wrong_with_a_list_of_layers)
{
    refuses("[{\"Dense\": {\"unit\": 3}}]", "did you mean \"units\"?");
    refuses("[{\"Dence\": {\"units\": 3}}]", "did you mean \"Dense\"?");
    refuses("[{\"Dense\": {\"units\": 3, \"name\": \"a/b\"}}]", "cannot contain '/'");
    refuses("[{\"Input\": {\"shape\": [3, 3, 32]}}, {\"Conv2D\": {\"filters\": 2, \"kernel_size\": 5}}]", "conv2d");
    refuses("{\"class_name\": \"Dense\", \"config\": {\"units\": 3}}", "is not a model");
    refuses("[{\"Input\": {\"shape\": [3]}}, {\"Input\": {\"shape\": [3]}}]", "already been configured");
    refuses("[{\"Input\": {\"shape\": [3, -1]}}]", "positive integer");
    refuses("[", "not JSON");
}

Test(config, names_shared_layers_cycles_and_extra_inputs_of_a_graph)
{
    refuses("{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["
            "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": \"in\"}, \"name\": \"in\", "
            "\"inbound_nodes\": []},"
            "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"a\"}, \"name\": \"a\", "
            "\"inbound_nodes\": [[[\"b\", 0, 0, {}]]]},"
            "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"b\"}, \"name\": \"b\", "
            "\"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}],"
            "\"input_layers\": [[\"in\", 0, 0]], \"output_layers\": [[\"b\", 0, 0]]}}",
            "cycle");
    refuses("{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["
            "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": \"in\"}, \"name\": \"in\", "
            "\"inbound_nodes\": []},"
            "{\"class_name\": \"Dense\", \"config\": {\"units\": 4, \"name\": \"a\"}, \"name\": \"a\", "
            "\"inbound_nodes\": [[[\"in\", 0, 0, {}]], [[\"a\", 0, 0, {}]]]}],"
            "\"input_layers\": [[\"in\", 0, 0]], \"output_layers\": [[\"a\", 0, 0]]}}",
            "shared layer");
    refuses("{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [],"
            "\"input_layers\": [[\"in\", 0, 0], [\"other\", 0, 0]], \"output_layers\": [[\"a\", 0, 0]]}}",
            "2 inputs (in, other");
}
