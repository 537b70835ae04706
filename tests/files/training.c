/* What training leaves in Keras's files: how the model was compiled, and the optimizer's state. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/archive.h"
#include "files/compile_config.h"
#include "files/golden.h"

TestSuite(training, .init = own_folder);

static strata_model *load(const char *path, struct saved_training *training)
{
    strata_error err = { 0 };
    strata_model *model = strata_archive_load(path, training, &err);
    cr_assert_not_null(model, "%s", err.message);
    return model;
}

static strata_model *load_golden(const char *file, struct saved_training *training)
{
    char path[1024];
    return load(golden_path(file, path), training);
}

/* resume_momentum: SGD with momentum after three batches, the same state in each format. */
static void check_momentum(const char *path, const struct saved_training *training)
{
    static const size_t counts[] = { 42, 7, 21, 3 };
    cr_assert_eq(training->count, 6, "%s: %zu", path, training->count);
    cr_assert_str_eq(training->variables[0].name, "iteration", "%s", path);
    cr_assert(training->variables[0].integer && training->variables[0].integers == 3);
    cr_assert_str_eq(training->variables[1].name, "learning_rate", "%s", path);
    cr_assert_float_eq(training->variables[1].values[0], 0.05f, 0, "%s", path);
    for (size_t i = 0; i < 4; i++) {
        const strata_shape *shape = &training->variables[2 + i].shape;
        cr_assert_eq(shape->dim[0] * (shape->rank > 1 ? shape->dim[1] : 1), counts[i], "%s", path);
    }
    const json_t *optimizer = json_object_get(training->compile_config, "optimizer");
    cr_assert_str_eq(json_string_value(json_object_get(optimizer, "class_name")), "SGD", "%s", path);
    cr_assert_eq(json_number_value(json_object_get(json_object_get(optimizer, "config"), "momentum")), 0.9);
    cr_assert_null(json_object_get(json_object_get(optimizer, "config"), "is_legacy_optimizer"));
    cr_assert_str_eq(json_string_value(json_object_get(training->compile_config, "loss")),
                     "categorical_crossentropy");
    const json_t *metrics = json_object_get(training->compile_config, "metrics");
    cr_assert_str_eq(json_string_value(json_array_get(metrics, 0)), "accuracy");
}

Test(training, is_read_in_the_same_form_from_every_format)
{
    const char *files[] = { "resume_momentum_keras2.h5", "resume_momentum_keras3.keras" };
    for (int i = 0; i < 2; i++) {
        struct saved_training training;
        strata_model *model = load_golden(files[i], &training);
        check_momentum(files[i], &training);
        strata_saved_training_release(&training);
        strata_model_free(model);
    }
}

Test(training, in_keras_2_archives_has_no_learning_rate_but_in_the_config)
{
    struct saved_training training;
    strata_model *model = load_golden("digits_mlp_keras2.keras", &training);
    cr_assert_eq(training.count, 10);
    cr_assert_str_eq(training.variables[1].name, "learning_rate");
    cr_assert_float_eq(training.variables[1].values[0], 0.01f, 0);
    strata_saved_training_release(&training);
    strata_model_free(model);
}

static void check_same(const char *what, const struct saved_training *a, const struct saved_training *b)
{
    cr_assert_eq(a->count, b->count, "%s", what);
    for (size_t i = 0; i < a->count; i++) {
        const struct saved_variable *x = &a->variables[i], *y = &b->variables[i];
        cr_assert_eq(x->integer, y->integer, "%s", what);
        cr_assert_eq(x->integers, y->integers, "%s", what);
        cr_assert_eq(x->shape.rank, y->shape.rank, "%s: %s", what, x->name);
        size_t count = x->integer ? 0 : 1;
        for (int k = 0; k < x->shape.rank; k++) count *= x->shape.dim[k];
        cr_assert(count == 0 || memcmp(x->values, y->values, count * sizeof(float)) == 0, "%s: %s", what,
                  x->name);
    }
}

Test(training, comes_back_from_every_format_that_holds_it)
{
    const char *names[] = { "m.keras", "m3.h5", "m2.h5" };
    for (int i = 0; i < 3; i++) {
        strata_error err = { 0 };
        struct saved_training training, again;
        strata_model *model = load_golden("resume_momentum_keras3.keras", &training);
        const strata_flavour flavour = i == 2 ? STRATA_FLAVOUR_KERAS2 : STRATA_FLAVOUR_KERAS3;
        cr_assert(strata_archive_save(model, names[i], flavour, &training, &err), "%s", err.message);
        strata_model *second = load(names[i], &again);
        check_momentum(names[i], &again);
        check_same(names[i], &training, &again);
        check_same_weights(names[i], model, second);
        strata_saved_training_release(&training);
        strata_saved_training_release(&again);
        strata_model_free(model);
        strata_model_free(second);
    }
}

Test(training, of_a_checkpoint_keeps_what_keras_has_no_place_for)
{
    strata_error err = { 0 };
    struct saved_training training, again;
    strata_model *model = load_golden("resume_momentum_keras3.keras", &training);
    training.strata = json_pack("{s:i, s:[i, i]}", "step", 1500, "position", 3, 4);
    cr_assert(strata_archive_save(model, "step-1500.keras", STRATA_FLAVOUR_KERAS3, &training, &err), "%s",
              err.message);
    strata_model *second = load("step-1500.keras", &again);
    cr_assert(json_equal(training.strata, again.strata));
    strata_saved_training_release(&training);
    strata_saved_training_release(&again);
    strata_model_free(model);
    strata_model_free(second);
}

/* Keras 2.0.5's form, from the pretrained model of the package fer (files/emotion_model.hdf5). */
Test(training, config_of_the_first_keras_2_is_understood)
{
    strata_error err = { 0 };
    json_t *old =
        json_loads("{\"loss_weights\": null, \"optimizer_config\": {\"class_name\": \"Adam\", \"config\": "
                   "{\"lr\": 0.0001, "
                   "\"beta_1\": 0.9, \"epsilon\": 1e-08, \"beta_2\": 0.999, \"decay\": 0.0}}, \"loss\": "
                   "\"categorical_crossentropy\", \"metrics\": [\"accuracy\"], \"sample_weight_mode\": null}",
                   0, NULL);
    json_t *read = strata_compile_config_read(old, "old", &err);
    cr_assert_not_null(read, "%s", err.message);
    const json_t *config = json_object_get(json_object_get(read, "optimizer"), "config");
    cr_assert_eq(json_number_value(json_object_get(config, "learning_rate")), 0.0001);
    cr_assert_null(json_object_get(config, "lr"));
    cr_assert_null(json_object_get(config, "decay"));
    cr_assert_null(json_object_get(read, "sample_weight_mode"));
    json_decref(read);
    json_decref(old);
}

/* What tf-keras 2.21 writes into a .keras. */
Test(training, config_of_keras_2_losses_loses_what_keras_3_does_not_know)
{
    strata_error err = { 0 };
    json_t *old = json_loads(
        "{\"loss\": {\"module\": \"keras.losses\", \"class_name\": \"SparseCategoricalCrossentropy\", "
        "\"config\": {\"reduction\": \"auto\", \"name\": \"sparse_categorical_crossentropy\", "
        "\"from_logits\": true, \"ignore_class\": null, \"fn\": "
        "\"sparse_categorical_crossentropy\"}, \"registered_name\": null}}",
        0, NULL);
    json_t *read = strata_compile_config_read(old, "old", &err);
    cr_assert_not_null(read, "%s", err.message);
    const json_t *config = json_object_get(json_object_get(read, "loss"), "config");
    cr_assert_str_eq(json_string_value(json_object_get(config, "reduction")), "sum_over_batch_size");
    cr_assert(json_is_true(json_object_get(config, "from_logits")));
    cr_assert_null(json_object_get(config, "fn"));
    json_decref(read);
    json_decref(old);
}

/* ---- run folders ---- */

Test(training, folder_gives_its_best_model_or_its_newest_good_checkpoint)
{
    strata_error err = { 0 };
    struct saved_training training;
    strata_model *model = load_golden("resume_momentum_keras3.keras", &training);
    cr_assert_eq(system("mkdir -p run/checkpoints"), 0);
    cr_assert_null(strata_model_load("run", &err));
    cr_assert(strstr(err.message, "run: not a run folder"), "%s", err.message);
    for (int step = 9; step <= 11; step++) {
        char path[64];
        snprintf(path, sizeof path, "run/checkpoints/step-%d.keras", step);
        json_decref(training.strata);
        training.strata = json_pack("{s:i}", "step", step);
        cr_assert(strata_archive_save(model, path, STRATA_FLAVOUR_KERAS3, &training, &err), "%s",
                  err.message);
    }
    cr_assert_eq(system("truncate -s 1000 run/checkpoints/step-11.keras"), 0);
    struct saved_training found;
    strata_model *newest = load("run", &found);
    cr_assert_eq(json_integer_value(json_object_get(found.strata, "step")), 10);
    strata_saved_training_release(&found);
    strata_model_free(newest);
    cr_assert(strata_archive_save(model, "run/last.keras", STRATA_FLAVOUR_KERAS3, NULL, &err), "%s",
              err.message);
    strata_model *last = load("run", &found);
    cr_assert_eq(found.count, 0);
    strata_saved_training_release(&found);
    strata_model_free(last);
    strata_saved_training_release(&training);
    strata_model_free(model);
}
