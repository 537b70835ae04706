/* Mistakes in files: missing, damaged, of another model. */
#include "mistakes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static char *read_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 20);
    cr_assert(file && bytes, "%s", path);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void save_mlp(const char *path)
{
    strata_error err = { 0 };
    strata_model *model = mistakes_model(MLP);
    cr_assert(strata_model_save(model, path, NULL, &err), "%s", err.message);
    strata_model_free(model);
}

static void cut_in_half(const char *path)
{
    size_t size;
    char *bytes = read_bytes(path, &size);
    write_bytes(path, bytes, size / 2);
    free(bytes);
}

static bool loads_weights(const char *model_json, const char *path, const strata_load_options *options, strata_error *err)
{
    strata_model *model = mistakes_model(model_json);
    const bool passed = strata_model_load_weights(model, path, options, NULL, err);
    strata_model_free(model);
    return passed;
}

static bool loads(const char *path, strata_error *err)
{
    strata_model *model = strata_model_load(path, err);
    strata_model_free(model);
    return model != NULL;
}

/* ---- weights: a is the model's list, b the file ---- */

static bool weights_as_is(const struct mistake *row, strata_error *err)
{
    return loads_weights(row->a, row->b, NULL, err);
}

static bool weights_of_noise(const struct mistake *row, strata_error *err)
{
    write_bytes(row->b, "hello world", 11);
    return loads_weights(row->a, row->b, NULL, err);
}

static bool weights_empty(const struct mistake *row, strata_error *err)
{
    write_bytes(row->b, "", 0);
    return loads_weights(row->a, row->b, NULL, err);
}

static bool weights_cut(const struct mistake *row, strata_error *err)
{
    save_mlp(row->b);
    cut_in_half(row->b);
    return loads_weights(row->a, row->b, NULL, err);
}

static bool weights_of_mlp(const struct mistake *row, strata_error *err)
{
    save_mlp(row->b);
    return loads_weights(row->a, row->b, NULL, err);
}

static bool weights_by_name(const struct mistake *row, strata_error *err)
{
    const strata_load_options options = { .by_name = true };
    save_mlp(row->b);
    return loads_weights(row->a, row->b, &options, err);
}

static bool save_as(const struct mistake *row, strata_error *err)
{
    strata_model *model = mistakes_model(row->a);
    const bool passed = strata_model_save(model, row->b, NULL, err);
    strata_model_free(model);
    return passed;
}

/* ---- models: b is the file ---- */

static bool load_as_is(const struct mistake *row, strata_error *err)
{
    return loads(row->b, err);
}

static bool load_noise(const struct mistake *row, strata_error *err)
{
    write_bytes(row->b, "hello world", 11);
    return loads(row->b, err);
}

static bool load_weights_file(const struct mistake *row, strata_error *err)
{
    save_mlp(row->b);
    return loads(row->b, err);
}

static bool load_cut(const struct mistake *row, strata_error *err)
{
    save_mlp(row->b);
    cut_in_half(row->b);
    return loads(row->b, err);
}

/* The MLP's .h5 with another text of the same length in its config: a holds both, with a bar between. */
static bool load_changed(const struct mistake *row, strata_error *err)
{
    const size_t length = strcspn(row->a, "|");
    size_t size, found = 0;
    save_mlp("changed.h5");
    char *bytes = read_bytes("changed.h5", &size);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, row->a, length) == 0) {
            memcpy(bytes + i, row->a + length + 1, length);
            found++;
        }
    cr_expect_gt(found, 0, "%s: the file has no such text", row->a);
    write_bytes("changed.h5", bytes, size);
    free(bytes);
    return loads("changed.h5", err);
}

#define DENSE(units) "{\"Dense\": {\"units\": " units "}}"
#define IN(n) "{\"Input\": {\"shape\": [" n "]}}"
#define FIVE "[" IN("5") ", {\"Dense\": {\"units\": 3, \"name\": \"a\"}}, {\"Dense\": {\"units\": 2, \"name\": \"b\"}}]"
#define ONE_LAYER "[" IN("4") ", {\"Dense\": {\"units\": 3, \"name\": \"a\"}}]"

#define INPUT(name)                                                                                                      \
    "{\"class_name\": \"InputLayer\", \"name\": \"" name "\", \"config\": {\"batch_input_shape\": [null, 2], \"name\": \"" name  \
    "\"}, \"inbound_nodes\": []}"
#define NODE(class, name, config, from)                                                                                  \
    "{\"class_name\": \"" class "\", \"name\": \"" name "\", \"config\": {" config "}, \"inbound_nodes\": [[" from "]]}"
#define FROM(name) "[\"" name "\", 0, 0, {}]"
#define TWO_INPUTS                                                                                                       \
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"two\", \"layers\": [" INPUT("p") ", " INPUT("q") ", "          \
    NODE("Add", "add", "", FROM("p") ", " FROM("q")) "], \"input_layers\": [[\"p\", 0, 0], [\"q\", 0, 0]], "                 \
    "\"output_layers\": [[\"add\", 0, 0]]}}"
#define TWO_OUTPUTS                                                                                                      \
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"two\", \"layers\": [" INPUT("p") ", "                          \
    NODE("Dense", "r", "\"units\": 2", FROM("p")) ", " NODE("Dense", "s", "\"units\": 3", FROM("p"))                          \
    "], \"input_layers\": [[\"p\", 0, 0]], \"output_layers\": [[\"r\", 0, 0], [\"s\", 0, 0]]}}"

const struct mistake mistakes_of_files[] = {
    { "load_weights, missing file", weights_as_is, MLP, "missing.weights.h5", "missing.weights.h5", 0 },
    { "load_weights, not an HDF5 file", weights_of_noise, MLP, "w.weights.h5", "w.weights.h5", 0 },
    { "load_weights, empty file", weights_empty, MLP, "w.weights.h5", "w.weights.h5", 0 },
    { "load_weights, truncated", weights_cut, MLP, "t.weights.h5", "t.weights.h5", 0 },
    { "load_weights, wrong shape", weights_of_mlp, FIVE, "w.weights.h5", "(5, 3)", 0 },
    { "load_weights, fewer layers in the model", weights_of_mlp, ONE_LAYER, "w.weights.h5", "w.weights.h5", 0 },
    { "load_weights, more layers in the model", weights_of_mlp, "[" IN("4") ", " DENSE("3") ", " DENSE("2") ", " DENSE("2") "]",
      "w.weights.h5", "dense_2", 0 },
    { "load_weights, other layer type", weights_of_mlp, "[" IN("4") ", " DENSE("3") ", \"BatchNormalization\"]", "w.weights.h5",
      "batch_normalization", 0 },
    { "load_weights, model not built", weights_of_mlp, "[" DENSE("3") ", " DENSE("2") "]", "w.weights.h5", "no weights yet", 0 },
    { "load_weights of a whole .h5 model", 0, 0, 0, 0, "no error in Keras, and none here" },
    { "load_weights, legacy .h5, wrong shape", weights_of_mlp, FIVE, "m.h5", "(5, 3)", 0 },
    { "load_weights, legacy .h5, other layer count", weights_of_mlp, ONE_LAYER, "m.h5", "m.h5", 0 },
    { "load_weights by_name, wrong shape", weights_by_name, "[" IN("5") ", {\"Dense\": {\"units\": 3, \"name\": \"a\"}}]", "m.h5",
      "(5, 3)", 0 },
    { "load_weights, unknown extension", weights_of_noise, MLP, "w.bin", "w.bin", 0 },
    { "save_weights, other extension", 0, 0, 0, 0, "strata_model_save writes a whole model to .h5, which holds the weights too" },
    { "save_weights into a missing folder", save_as, MLP, "no/such/w.weights.h5", "no/such/w.weights.h5", 0 },
    { "load_model, missing file", load_as_is, 0, "missing.h5", "missing.h5", 0 },
    { "load_model, missing .keras", load_as_is, 0, "missing.keras", "missing.keras", 0 },
    { "load_model, not an HDF5 file", load_noise, 0, "m.h5", "m.h5", 0 },
    { "load_model, not a zip file", load_noise, 0, "m.keras", "m.keras", 0 },
    { "load_model of a weights file", load_weights_file, 0, "w.weights.h5", "w.weights.h5", 0 },
    { "load_model, truncated", load_cut, 0, "t.h5", "t.h5", 0 },
    { "save, unknown extension", save_as, MLP, "m.bin", "m.bin", 0 },
    { "unknown layer class in config", make_model,
      "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dens\", \"config\": {\"units\": 2}}]}}", 0,
      "did you mean \"Dense\"", 0 },
    { "unknown layer class in an .h5", load_changed, "\"Dense\"|\"Denss\"", 0, "did you mean \"Dense\"", 0 },
    { "unknown activation in an .h5", load_changed, "\"linear\"|\"linera\"", 0, "did you mean \"linear\"", 0 },
    { "unknown layer argument in an .h5", load_changed, "\"units\"|\"unitz\"", 0, "unitz", 0 },
    { "broken JSON in an .h5", load_changed, "\"units\":|\"units\";", 0, "changed.h5", 0 },
    { "a model with two inputs loads as Functional", make_model, TWO_INPUTS, 0, "the model has 2 inputs", 0 },
    { "Sequential.from_config of a Functional config", 0, 0, 0, 0, "no error in Keras: its layers are a chain" },
    { "two-input model inside Sequential", make_model, "[" IN("2") ", " TWO_INPUTS "]", 0, "the model has 2 inputs", 0 },
    { "two-output layer inside Sequential", make_model, "[" IN("2") ", " TWO_OUTPUTS ", " DENSE("2") "]", 0,
      "exactly one", 0 },
    { "model_from_json of broken JSON", make_model, "{\"class_name\"", 0, "line 1", 0 },
    { 0 },
};
