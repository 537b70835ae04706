/* Whole models that Keras 2 and Keras 3 saved, in each of their formats. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/archive.h"
#include "files/golden.h"
#include "files/leaves.h"

TestSuite(models, .init = own_folder);

static bool holds_model(const char *file)
{
    const char *end = strstr(file, "weights.h5");
    return !end || end[10] != '\0';
}

static strata_model *load(const char *file)
{
    char path[1024];
    strata_error err = { 0 };
    strata_model *model = strata_model_load(golden_path(file, path), &err);
    cr_assert_not_null(model, "%s", err.message);
    return model;
}

/* ---- each file of a case, and what it holds ---- */

typedef void (*file_check)(const char *file, struct h5 *expected);

static void each_file_of(const char *name, struct h5 *expected, void *context)
{
    json_t *files = golden_json(expected, "files");
    file_check check;
    (void)name;
    memcpy(&check, context, sizeof check);
    for (size_t i = 0; i < json_array_size(files); i++)
        check(json_string_value(json_array_get(files, i)), expected);
    json_decref(files);
}

static void each_file(file_check check)
{
    each_golden(each_file_of, &check);
}

/* ---- layers ---- */

static void check_layers(const char *file, struct h5 *expected)
{
    if (!holds_model(file)) return;
    strata_model *model = load(file);
    json_t *layers = golden_json(expected, "layers");
    cr_assert_eq(strata_model_layer_count(model), json_array_size(layers), "%s: %zu layers, Keras has %zu",
                 file, strata_model_layer_count(model), json_array_size(layers));
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *row = json_array_get(layers, i);
        const strata_layer *layer = strata_model_layer(model, i);
        cr_assert_str_eq(strata_layer_name(layer), json_string_value(json_object_get(row, "name")), "%s",
                         file);
        cr_assert_str_eq(strata_layer_class_name(layer),
                         json_string_value(json_object_get(row, "class_name")), "%s", file);
        /* Keras 2 does not write it of a Sequential, only of the layers inside */
        if (!strata_layer_model(layer) || !strata_model_is_sequential(strata_layer_model(layer)))
            cr_assert_eq(strata_layer_trainable(layer), json_is_true(json_object_get(row, "trainable")),
                         "%s: %s", file, strata_layer_name(layer));
    }
    json_decref(layers);
    strata_model_free(model);
}

Test(models, of_every_file_have_the_layers_that_keras_has)
{
    each_file(check_layers);
}

/* ---- sums ---- */

/* numpy adds in another order; the sums are of at most some million float32 numbers in float64. */
static void check_sum(const char *file, const char *label, double got, double expected, double size)
{
    cr_assert(fabs(got - expected) <= 1e-10 * (size + 1), "%s: %s sums to %.17g, Keras's to %.17g", file,
              label, got, expected);
}

static void check_row(const char *file, struct leaf *leaf, const json_t *row)
{
    strata_error err = { 0 };
    const json_t *shape = json_object_get(row, "shape");
    double sum = 0, squares = 0, size = 0;
    cr_assert_eq((size_t)leaf->info.shape.rank, json_array_size(shape), "%s: %s", file, leaf->path);
    for (int i = 0; i < leaf->info.shape.rank; i++)
        cr_assert_eq(leaf->info.shape.dim[i], (size_t)json_integer_value(json_array_get(shape, (size_t)i)),
                     "%s: %s", file, leaf->path);
    cr_assert(strata_leaf_fetch(leaf, &err), "%s", err.message);
    for (size_t i = 0; i < leaf->info.count; i++) {
        sum += leaf->values[i];
        size += fabs(leaf->values[i]);
        squares += (double)leaf->values[i] * leaf->values[i];
    }
    check_sum(file, leaf->path, sum, json_real_value(json_object_get(row, "sum")), size);
    check_sum(file, leaf->path, squares, json_real_value(json_object_get(row, "sum_of_squares")), squares);
}

static void check_sums(const char *file, struct h5 *expected)
{
    json_t *rows = golden_json(expected, "weights_list");
    strata_model *model = rows && holds_model(file) ? load(file) : NULL;
    if (model) {
        struct leaves leaves = { 0 };
        strata_error err = { 0 };
        cr_assert(strata_leaves_collect(model, &leaves, &err), "%s", err.message);
        cr_assert_eq(leaves.count, json_array_size(rows), "%s", file);
        for (size_t i = 0; i < leaves.count; i++) check_row(file, &leaves.list[i], json_array_get(rows, i));
        strata_leaves_release(&leaves);
        strata_model_free(model);
    }
    json_decref(rows);
}

Test(models, of_every_file_have_weights_with_keras_s_shapes_and_sums)
{
    each_file(check_sums);
}

/* ---- weights, bit for bit ---- */

static void check_bits(const char *file, struct h5 *expected)
{
    const char *group = strata_h5_has(expected, "weights")           ? "weights"
                        : strata_h5_has(expected, "weights_at_save") ? "weights_at_save"
                                                                     : NULL;
    if (!group || !holds_model(file)) return;
    strata_model *model = load(file);
    check_weights(file, model, expected, group);
    strata_model_free(model);
}

Test(models, of_every_file_have_keras_s_weights_bit_for_bit)
{
    each_file(check_bits);
}

/* The weights file of a case goes into the model of another file of the case, whose weights are drawn anew. */
static void check_weights_file(const char *file, struct h5 *expected)
{
    char path[1024];
    strata_error err = { 0 };
    if (holds_model(file)) return;
    json_t *files = golden_json(expected, "files");
    strata_model *whole = load(json_string_value(json_array_get(files, 0)));
    char *json = strata_model_to_json(whole, strata_model_flavour(whole), &err);
    cr_assert_not_null(json, "%s", err.message);
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_not_null(model, "%s: %s", file, err.message);
    cr_assert(strata_model_load_weights(model, golden_path(file, path), NULL, NULL, &err), "%s", err.message);
    check_same_weights(file, whole, model);
    strata_model_free(model);
    strata_model_free(whole);
    json_decref(files);
    free(json);
}

Test(weights_files, of_every_case_fill_a_model)
{
    each_file(check_weights_file);
}

/* ---- there and back ---- */

static void write_and_read(strata_model *model, const char *file, const char *as, strata_flavour flavour)
{
    strata_error err = { 0 };
    cr_assert(strata_archive_save(model, as, flavour, NULL, &err), "%s as %s: %s", file, as, err.message);
    strata_model *again = strata_model_load(as, &err);
    cr_assert_not_null(again, "%s as %s: %s", file, as, err.message);
    check_same_weights(file, model, again);
    strata_model_free(again);
}

static void check_round_trip(const char *file, struct h5 *expected)
{
    strata_error err = { 0 };
    (void)expected;
    if (!holds_model(file)) return;
    strata_model *model = load(file);
    write_and_read(model, file, "again.keras", STRATA_FLAVOUR_KERAS3);
    write_and_read(model, file, "again3.h5", STRATA_FLAVOUR_KERAS3);
    write_and_read(model, file, "again2.hdf5", STRATA_FLAVOUR_KERAS2);
    const char *weights[] = { "again.weights.h5", "again_weights.h5", "again.npz" };
    for (int i = 0; i < 3; i++) {
        strata_model *empty = load(file);
        cr_assert(strata_model_save(model, weights[i], NULL, &err), "%s: %s", file, err.message);
        for (size_t w = 0; w < strata_model_layer_count(empty); w++)
            for (size_t k = 0; k < strata_layer_weight_count(strata_model_layer(empty, w)); k++) {
                strata_layer *layer = strata_model_layer(empty, w);
                const size_t count = strata_layer_weight_info(layer, k).count;
                float *zeros = calloc(count, sizeof *zeros);
                cr_assert(strata_layer_set_weight(layer, k, zeros, count, &err), "%s", err.message);
                free(zeros);
            }
        cr_assert(strata_model_load_weights(empty, weights[i], NULL, NULL, &err), "%s: %s", file,
                  err.message);
        check_same_weights(file, model, empty);
        strata_model_free(empty);
    }
    strata_model_free(model);
    /* of the largest model they take half a gigabyte */
    const char *written[] = { "again.keras",      "again3.h5",        "again2.hdf5",
                              "again.weights.h5", "again_weights.h5", "again.npz" };
    for (int i = 0; i < 6; i++) cr_assert_eq(remove(written[i]), 0);
}

Test(models, written_and_read_again_have_the_same_bits)
{
    each_file(check_round_trip);
}

Test(models, are_written_with_the_same_bytes_each_time, .timeout = 60)
{
    strata_error err = { 0 };
    strata_model *model = load("digits_mlp_keras3.keras");
    const char *names[] = { "one.h5", "two.h5" };
    char bytes[2][1 << 19];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        cr_assert(strata_model_save(model, names[i], NULL, &err), "%s", err.message);
        FILE *file = fopen(names[i], "rb");
        size[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
    }
    cr_assert_eq(size[0], size[1]);
    cr_assert_eq(memcmp(bytes[0], bytes[1], size[0]), 0);
    strata_model_free(model);
}
