/* Whole runs of small models: what a run leaves, how it stops, how it goes on. */
#include <strata/train.h>

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "model/model.h"
#include "support.h"
#include "train/training.h"

enum { SAMPLES = 60, INPUTS = 5, CLASSES = 3 };

static strata_context *context;
static strata_data *data;

static void set_up(void)
{
    strata_error err = { 0 };
    const strata_context_config config = { 0 };
    float x[SAMPLES * INPUTS];
    int32_t y[SAMPLES];
    for (int i = 0; i < SAMPLES * INPUTS; i++) x[i] = noise((unsigned)i);
    for (int i = 0; i < SAMPLES; i++) y[i] = (x[i * INPUTS] > 0) + (x[i * INPUTS + 1] > 0.3f);
    const strata_array xs = { STRATA_FLOAT32, 2, { SAMPLES, INPUTS }, x }, ys = { STRATA_INT32, 1, { SAMPLES }, y };
    ok(data = strata_data_from_arrays(&xs, &ys, NULL, &err));
    ok(context = strata_context_create(&config, &err));
}

static void tear_down(void)
{
    strata_data_free(data);
    strata_context_free(context);
}

TestSuite(fit, .init = set_up, .fini = tear_down);

static strata_model *make_model(const char *compile)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json("[{\"Input\": {\"shape\": [5]}}, {\"Dense\": {\"units\": 8, \"activation\": "
                                                 "\"tanh\"}}, {\"Dropout\": {\"rate\": 0.2}}, {\"Dense\": {\"units\": 3}}]",
                                                 &err);
    ok(model);
    ok(strata_model_compile(model, compile, &err));
    return model;
}

static const char adam[] = "{\"optimizer\": {\"Adam\": {\"learning_rate\": 0.02}}, \"metrics\": [\"accuracy\"], "
                           "\"loss\": {\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}";

static strata_fit_config usual(void)
{
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = 7;
    config.epochs = 4;
    config.seed = 11;
    return config;
}

static strata_history *fit(strata_model *model, const strata_fit_config *config)
{
    strata_error err = { 0 };
    strata_history *history = NULL;
    ok(strata_model_fit(model, context, data, config, &history, &err));
    return history;
}

static double value_of(const strata_history *history, const char *name, size_t epoch)
{
    for (size_t i = 0; i < strata_history_count(history); i++)
        if (strcmp(strata_history_name(history, i), name) == 0) return strata_history_values(history, i)[epoch];
    cr_assert_fail("no %s in the history", name);
    return (double)NAN;
}

static void expect_same_weights(strata_model *a, strata_model *b)
{
    strata_error err = { 0 };
    size_t count;
    ok(strata_model_weight_count(a, &count, &err));
    for (size_t i = 0; i < count; i++) {
        float va[64], vb[64];
        const size_t n = strata_model_weight_info(a, i).count;
        cr_assert_leq(n, 64);
        ok(strata_model_get_weight(a, i, va, n, &err));
        ok(strata_model_get_weight(b, i, vb, n, &err));
        cr_assert_eq(memcmp(va, vb, n * sizeof *va), 0, "weight %zu differs", i);
    }
}


static const char *make_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    static char path[512];
    snprintf(path, sizeof path, "%s/run-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(path);
}

static void remove_folder(const char *path)
{
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    cr_assert_eq(system(command), 0);
}

/* ---- learning ------------------------------------------------------------------------------------------------------- */

Test(fit, learns)
{
    strata_model *model = make_model(adam);
    strata_fit_config config = usual();
    config.epochs = 30;
    strata_history *history = fit(model, &config);
    cr_assert_eq(strata_history_epochs(history), 30);
    cr_assert_lt(value_of(history, "loss", 29), 0.5 * value_of(history, "loss", 0));
    cr_assert_gt(value_of(history, "accuracy", 29), 0.8);
    strata_history_free(history);
    strata_model_free(model);
}

Test(fit, twice_is_fit_once_with_more_epochs)
{
    strata_model *once = make_model(adam), *twice = make_model(adam);
    strata_fit_config config = usual();
    strata_history_free(fit(once, &config));
    config.epochs = 2;
    strata_history_free(fit(twice, &config));
    config.initial_epoch = 2;
    config.epochs = 4;
    strata_history_free(fit(twice, &config));
    expect_same_weights(once, twice);
    strata_model_free(once);
    strata_model_free(twice);
}

Test(fit, of_a_frozen_model_changes_nothing)
{
    strata_error err = { 0 };
    strata_model *model = make_model(adam), *before = make_model(adam);
    strata_model_set_trainable(model, false);
    ok(strata_model_compile(model, adam, &err));
    strata_fit_config config = usual();
    strata_history_free(fit(model, &config));
    expect_same_weights(model, before);
    strata_model_free(model);
    strata_model_free(before);
}

/* ---- going on ---------------------------------------------------------------------------------------------------------- */

static bool stop_at_step_5(void *memory, const strata_progress *progress)
{
    (void)memory;
    return !(progress->epoch == 1 && progress->step == 5);
}

static const char careful[] = "[{\"EarlyStopping\": {\"monitor\": \"loss\", \"patience\": 9, \"restore_best_weights\": true}}, "
                              "{\"ReduceLROnPlateau\": {\"monitor\": \"loss\", \"patience\": 1, \"min_delta\": 0.2}}]";

Test(fit, that_was_stopped_goes_on_bit_for_bit)
{
    strata_model *whole = make_model(adam), *broken = make_model(adam), *resumed = make_model(adam);
    const char *run = make_folder();
    char other[600];
    snprintf(other, sizeof other, "%s/whole", run);
    strata_fit_config config = usual();
    config.callbacks = careful;
    config.checkpoint = "{\"every_steps\": 3}";
    config.run_dir = other;
    strata_history *history = fit(whole, &config);

    config.run_dir = run;
    config.progress = stop_at_step_5;
    config.progress_seconds = 0;
    strata_history_free(fit(broken, &config));
    config.progress = NULL;
    config.resume = true;
    strata_history *later = fit(resumed, &config);

    expect_same_weights(whole, resumed);
    cr_assert_eq(strata_history_epochs(later), 4);
    for (size_t epoch = 0; epoch < 4; epoch++) {
        cr_assert_eq(value_of(history, "loss", epoch), value_of(later, "loss", epoch), "loss of epoch %zu", epoch);
        cr_assert_eq(value_of(history, "learning_rate", epoch), value_of(later, "learning_rate", epoch));
    }
    remove_folder(run);
    strata_history_free(history);
    strata_history_free(later);
    strata_model_free(whole);
    strata_model_free(broken);
    strata_model_free(resumed);
}

static size_t looks; /* how often it was asked whether to stop */

static bool asked_at_the_third_look(void *memory)
{
    (void)memory;
    return ++looks == 3;
}

/* Nine batches are computed before the first step; the third is the last. */
Test(fit, that_was_stopped_while_what_is_frozen_was_computed_goes_on_bit_for_bit)
{
    static const char compile[] = "{\"optimizer\": {\"Adam\": {\"learning_rate\": 0.02}}, \"loss\": "
                                  "{\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}";
    strata_error err = { 0 };
    strata_model *models[3];
    for (int i = 0; i < 3; i++) {
        models[i] = make_model(compile);
        cr_assert_eq(strata_model_set_trainable_by_name(models[i], "dense", false), 1);
        ok(strata_model_compile(models[i], compile, &err));
    }
    const char *run = make_folder();
    strata_fit_config config = usual();
    config.callbacks = careful;
    strata_history_free(fit(models[0], &config));
    config.run_dir = run;
    config.checkpoint = "{}";
    config.stop_asked = asked_at_the_third_look;
    cr_assert_not(strata_model_fit(models[1], context, data, &config, NULL, &err));
    cr_assert_eq(err.code, STRATA_ESTOPPED);
    cr_assert(strstr(err.message, "epoch 1, step 0 of 9 is saved in"), "%s", err.message);
    cr_assert_eq(looks, 3);
    config.stop_asked = NULL;
    config.resume = true;
    strata_history_free(fit(models[2], &config));
    expect_same_weights(models[0], models[2]);
    remove_folder(run);
    for (int i = 0; i < 3; i++) strata_model_free(models[i]);
}

Test(fit, does_not_go_on_with_another_batch_size)
{
    strata_error err = { 0 };
    strata_model *model = make_model(adam);
    const char *run = make_folder();
    strata_fit_config config = usual();
    config.run_dir = run;
    config.checkpoint = "{}";
    strata_history_free(fit(model, &config));
    config.resume = true;
    config.batch_size = 8;
    cr_assert_not(strata_model_fit(model, context, data, &config, NULL, &err));
    cr_assert_eq(err.code, STRATA_EJOB);
    cr_assert(strstr(err.message, "batch_size is 8; the run that it was written by had 7"), "%s", err.message);
    remove_folder(run);
    strata_model_free(model);
}

/* A folder where the checkpoint of step 6 would go, in the run folder. */
static void stand_in_the_way(const char *run)
{
    char command[700];
    snprintf(command, sizeof command, "mkdir -p '%s/checkpoints/step-6.keras'", run);
    cr_assert_eq(system(command), 0);
}

Test(fit, ends_when_a_checkpoint_cannot_be_written_and_says_which_one_there_is)
{
    strata_error err = { 0 };
    strata_model *model = make_model(adam);
    const char *run = make_folder();
    strata_fit_config config = usual();
    config.run_dir = run;
    config.checkpoint = "{\"every_steps\": 3, \"every_epochs\": null}";
    stand_in_the_way(run);
    cr_assert_not(strata_model_fit(model, context, data, &config, NULL, &err));
    cr_assert_eq(err.code, STRATA_EFILE);
    cr_assert(strstr(err.message, "step-6.keras: not a regular file; it is not replaced; the newest checkpoint is still that of "
                                  "step 3"), "%s", err.message);
    remove_folder(run);
    strata_model_free(model);
}

static void expect_odd(void *warnings, const char *message)
{
    cr_assert(strstr(message, "holds numbers that are not finite"), "%s", message);
    ++*(int *)warnings;
}

static void expect_finite(const char *path)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_load(path, &err);
    size_t count;
    ok(model);
    ok(strata_model_weight_count(model, &count, &err));
    for (size_t i = 0; i < count; i++) {
        float values[64];
        const size_t n = strata_model_weight_info(model, i).count;
        cr_assert_leq(n, 64);
        ok(strata_model_get_weight(model, i, values, n, &err));
        for (size_t k = 0; k < n; k++) cr_assert(isfinite(values[k]), "%s: weight %zu has %g", path, i, (double)values[k]);
    }
    strata_model_free(model);
}

/* How many steps a device takes until its numbers are none is its own matter. */
Test(fit, writes_no_checkpoint_of_numbers_that_are_none)
{
    int warnings = 0;
    glob_t found;
    strata_model *model = make_model("{\"optimizer\": {\"SGD\": {\"learning_rate\": 1e38}}, "
                                     "\"loss\": {\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}");
    const char *run = make_folder();
    char pattern[700];
    strata_fit_config config = usual();
    config.run_dir = run;
    config.checkpoint = "{\"every_steps\": 3, \"keep\": 100}";
    config.warn = expect_odd;
    config.warn_context = &warnings;
    strata_history_free(fit(model, &config));
    cr_assert_eq(warnings, 1);
    snprintf(pattern, sizeof pattern, "%s/checkpoints/*.keras", run);
    const bool any = glob(pattern, 0, NULL, &found) == 0;
    for (size_t i = 0; any && i < found.gl_pathc; i++) expect_finite(found.gl_pathv[i]);
    if (any) globfree(&found);
    remove_folder(run);
    strata_model_free(model);
}

static void count_warning(void *warnings, const char *message)
{
    cr_assert(strstr(message, "step-6.keras"), "%s", message);
    ++*(int *)warnings;
}

Test(fit, goes_on_without_a_checkpoint_where_it_is_told_to)
{
    int warnings = 0;
    strata_model *whole = make_model(adam), *model = make_model(adam);
    const char *run = make_folder();
    strata_fit_config config = usual();
    strata_history_free(fit(whole, &config));
    config.run_dir = run;
    config.checkpoint = "{\"every_steps\": 3, \"on_failure\": \"continue\"}";
    config.warn = count_warning;
    config.warn_context = &warnings;
    stand_in_the_way(run);
    strata_history_free(fit(model, &config));
    cr_assert_eq(warnings, 1);
    expect_same_weights(whole, model);
    remove_folder(run);
    strata_model_free(whole);
    strata_model_free(model);
}

/* ---- callbacks ------------------------------------------------------------------------------------------------------------- */

Test(fit, takes_its_learning_rates_from_a_formula_or_a_table)
{
    strata_model *model = make_model(adam);
    strata_fit_config config = usual();
    config.callbacks = "[{\"LearningRateScheduler\": {\"schedule\": \"epoch < 2 ? 0.5 : lr / 4\"}}]";
    strata_history *history = fit(model, &config);
    cr_assert_float_eq(value_of(history, "learning_rate", 1), 0.5, 1e-7);
    cr_assert_float_eq(value_of(history, "learning_rate", 3), 0.03125, 1e-7);
    strata_history_free(history);
    config.callbacks = "[{\"LearningRateScheduler\": {\"schedule\": {\"1\": 0.25, \"3\": 0.125}}}]";
    history = fit(model, &config);
    cr_assert_float_eq(value_of(history, "learning_rate", 0), 0.03125, 1e-7);
    cr_assert_float_eq(value_of(history, "learning_rate", 2), 0.25, 1e-7);
    cr_assert_float_eq(value_of(history, "learning_rate", 3), 0.125, 1e-7);
    strata_history_free(history);
    strata_model_free(model);
}

Test(fit, stops_early_and_restores_the_best_weights)
{
    strata_model *model = make_model(adam), *best = make_model(adam);
    strata_fit_config config = usual();
    /* after the first epoch the rate is so large that no later one is better */
    config.callbacks = "[{\"LearningRateScheduler\": {\"schedule\": {\"1\": 50}}}, {\"EarlyStopping\": {\"monitor\": \"loss\", "
                       "\"patience\": 2, \"restore_best_weights\": true}}]";
    config.epochs = 20;
    strata_history *history = fit(model, &config);
    cr_assert_eq(strata_history_epochs(history), 3);
    config.callbacks = NULL;
    config.epochs = 1;
    strata_history_free(fit(best, &config));
    expect_same_weights(model, best);
    strata_history_free(history);
    strata_model_free(model);
    strata_model_free(best);
}

Test(fit, ends_when_the_loss_is_not_finite)
{
    strata_model *model = make_model("{\"optimizer\": {\"SGD\": {\"learning_rate\": 1e30}}, \"loss\": \"mse\"}");
    strata_error err = { 0 };
    float y[SAMPLES * CLASSES] = { 1 };
    const strata_array xs = strata_data_x(data), ys = { STRATA_FLOAT32, 2, { SAMPLES, CLASSES }, y };
    strata_data *real = strata_data_from_arrays(&xs, &ys, NULL, &err);
    ok(real);
    strata_fit_config config = usual();
    strata_history *history;
    config.callbacks = "[\"TerminateOnNaN\"]";
    config.epochs = 50;
    ok(strata_model_fit(model, context, real, &config, &history, &err));
    cr_assert_leq(strata_history_epochs(history), 2);
    strata_history_free(history);
    strata_data_free(real);
    strata_model_free(model);
}

/* ---- mistakes ------------------------------------------------------------------------------------------------------------- */

static void expect_failure(const char *compile, const strata_fit_config *config, const char *message)
{
    strata_error err = { 0 };
    strata_model *model = make_model(compile);
    cr_assert_not(strata_model_fit(model, context, data, config, NULL, &err));
    cr_assert_str_eq(err.message, message);
    strata_model_free(model);
}

Test(fit, says_what_is_wrong)
{
    strata_fit_config config = usual();
    expect_failure("{\"loss\": \"mse\"}", &config,
                   "MeanSquaredError: the labels have shape (None,), the model's output (None, 3); they must have the same "
                   "shape (class indices go with SparseCategoricalCrossentropy)");
    config.callbacks = "[{\"EarlyStopping\": {\"monitor\": \"val_loss\"}}]";
    expect_failure(adam, &config, "EarlyStopping: there is no \"val_loss\" among an epoch's numbers, which are loss, accuracy");
    config.callbacks = NULL;
    config.batch_size = 0;
    expect_failure(adam, &config, "fit: batch_size is 0; it must be at least 1");
}

Test(fit, refuses_labels_out_of_range)
{
    strata_error err = { 0 };
    strata_model *model = make_model(adam);
    int32_t y[SAMPLES] = { 0 };
    y[17] = 3;
    const strata_array xs = strata_data_x(data), ys = { STRATA_INT32, 1, { SAMPLES }, y };
    strata_data *bad = strata_data_from_arrays(&xs, &ys, NULL, &err);
    ok(bad);
    const strata_fit_config config = usual();
    cr_assert_not(strata_model_fit(model, context, bad, &config, NULL, &err));
    cr_assert(strstr(err.message, "the label of sample 17 is 3; the model has 3 outputs, so labels are integers from 0 to 2"),
              "%s", err.message);
    strata_data_free(bad);
    strata_model_free(model);
}

Test(compile, says_what_is_wrong)
{
    strata_error err = { 0 };
    strata_model *model = make_model(adam);
    cr_assert_not(strata_model_compile(model, "{\"optimizer\": \"Adm\", \"loss\": \"mse\"}", &err));
    cr_assert(strstr(err.message, "optimizer: unknown name \"Adm\"; did you mean \"Adam\"?"), "%s", err.message);
    cr_assert_eq(err.code, STRATA_EJOB);
    cr_assert_not(strata_model_compile(model, "{\"optimiser\": \"Adam\"}", &err));
    cr_assert(strstr(err.message, "unknown key \"optimiser\"; did you mean \"optimizer\"?"), "%s", err.message);
    strata_model_free(model);
}
