#include <strata/job.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every test is a process of its own and works in a folder of its own. */
static void own_folder(void)
{
    static char folder[] = "job-XXXXXX";
    static bool there;
    if (!there) cr_assert(mkdtemp(folder) && chdir(folder) == 0);
    there = true;
}

static const char *write_job(const char *text)
{
    static const char path[] = "job.json";
    own_folder();
    FILE *out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
    return path;
}

static strata_job *loaded(const char *text, const char *const *sets, size_t count)
{
    strata_error err = { 0 };
    strata_job *job = strata_job_load(write_job(text), sets, count, &err);
    cr_assert_not_null(job, "%s", err.message);
    return job;
}

static void refused(const char *text, const char *set, const char *message)
{
    strata_error err = { 0 };
    cr_assert_null(strata_job_load(write_job(text), &set, set ? 1 : 0, &err), "%s", text);
    cr_assert_str_eq(err.message, message);
    cr_assert_eq(strata_exit_code(err.code), 78, "%s", err.message);
}

Test(job, what_is_not_given_has_keras_defaults)
{
    strata_job *job = loaded("{}", NULL, 0);
    const strata_fit_config config = strata_job_fit_config(job);
    cr_assert(config.batch_size == 32 && config.epochs == 1 && config.initial_epoch == 0 && config.shuffle);
    cr_assert(config.validation_split == 0 && config.validation_freq == 1 && config.steps_per_epoch == 0);
    cr_assert_null(config.class_weight);
    cr_assert_null(config.callbacks);
    cr_assert_str_eq(strata_job_devices(job), "auto");
    cr_assert_str_eq(strata_job_dir(job), "runs/job");
    cr_assert_str_eq(config.checkpoint, "{\"every_epochs\": 1, \"keep\": 3}");
    strata_job_free(job);
}

Test(job, sections_are_read)
{
    strata_job *job =
        loaded("{\"fit\": {\"batch_size\": 7, \"epochs\": 4, \"shuffle\": false, \"seed\": 9,"
               " \"class_weight\": {\"2\": 0.5}, \"steps_per_epoch\": 3, \"# why\": \"x\"},"
               " \"run\": {\"dir\": null, \"devices\": \"0,1\", \"balance\": \"auto\", \"exact\": false,"
               " \"checkpoint\": {\"every_steps\": 500, \"every_epochs\": 1, \"keep\": 3}},"
               " \"# note\": [1]}",
               NULL, 0);
    const strata_fit_config config = strata_job_fit_config(job);
    cr_assert(config.batch_size == 7 && config.epochs == 4 && !config.shuffle && config.seed == 9);
    cr_assert(config.steps_per_epoch == 3 && config.class_weights == 3);
    cr_assert(config.class_weight[0] == 1 && config.class_weight[1] == 1 && config.class_weight[2] == 0.5);
    cr_assert_null(config.run_dir);
    cr_assert_null(config.checkpoint);
    cr_assert_str_eq(strata_job_devices(job), "0,1");
    cr_assert_not_null(strstr(strata_job_text(job), "# note"));
    strata_job_free(job);
}

Test(job, set_changes_adds_and_reaches_into_lists)
{
    static const char *const sets[] = { "fit.epochs=5", "run.dir=out/a", "model.0.Dense.units=4",
                                        "compile.loss=mse" };
    strata_job *job = loaded("{\"fit\": {\"epochs\": 3}, \"model\": [{\"Dense\": {\"units\": 3}}]}", sets, 4);
    cr_assert_eq(strata_job_fit_config(job).epochs, 5);
    cr_assert_str_eq(strata_job_dir(job), "out/a");
    cr_assert_not_null(strstr(strata_job_text(job), "\"units\": 4"));
    cr_assert_not_null(strstr(strata_job_text(job), "\"loss\": \"mse\""));
    strata_job_free(job);
}

Test(job, a_set_that_cannot_be_is_refused)
{
    refused("{\"fit\": {\"epochs\": 3}}", "fit.epochs.x=1",
            "--set fit.epochs.x=1: there is no object or list at "
            "\"fit.epochs\"");
    refused("{\"model\": []}", "model.3=1", "--set model.3=1: \"3\" is no index of the list there");
    refused("{}", "fit.epoch=1", "job.json: fit: unknown key \"epoch\"; did you mean \"epochs\"?");
}

Test(job, a_typo_is_refused_with_the_nearest_key)
{
    refused("{\"modle\": []}", NULL, "job.json: unknown key \"modle\"; did you mean \"model\"?");
    refused("{\"fit\": {\"batchsize\": 3}}", NULL,
            "job.json: fit: unknown key \"batchsize\"; did you mean \"batch_size\"?");
    refused("{\"run\": {\"checkpoint\": {\"every_step\": 1}}}", NULL,
            "job.json: run.checkpoint: unknown key \"every_step\"; did you mean \"every_steps\"?");
    refused("{\"callbacks\": [{\"EarlyStoping\": {}}]}", NULL,
            "job.json: callbacks[0]: unknown name \"EarlyStoping\"; did you mean \"EarlyStopping\"?");
}

Test(job, values_are_checked)
{
    refused("{\"fit\": {\"batch_size\": 0}}", NULL, "job.json: fit.batch_size is 0; it must be at least 1");
    refused("{\"fit\": {\"epochs\": \"3\"}}", NULL,
            "job.json: fit.epochs is \"3\" (a string); an integer is expected");
    refused("{\"fit\": [1]}", NULL, "job.json: fit is a list; an object is expected");
    refused("{\"run\": {\"balance\": \"even\"}}", NULL,
            "job.json: run.balance is \"even\"; \"auto\", \"equal\" or a list of shares, one for each rank, is expected");
    refused("{\"fit\": {\"class_weight\": {\"a\": 1}}}", NULL,
            "job.json: fit.class_weight has a key that is no class index; {\"0\": weight, \"1\": weight, "
            "...} or a list "
            "of weights by class index is expected");
    refused(
        "[]", NULL,
        "job.json: the job is a list; an object with the keys model, data, compile, fit, run is expected");
}

Test(job, a_file_that_is_not_there_or_no_json_is_a_bad_file)
{
    strata_error err = { 0 };
    cr_assert_null(strata_job_load("none.json", NULL, 0, &err));
    cr_assert_eq(strata_exit_code(err.code), 65);
    cr_assert_null(strata_job_load(write_job("{\"fit\": "), NULL, 0, &err));
    cr_assert_not_null(strstr(err.message, "job.json: not JSON: line 1"));
}

/* ---- models of jobs --------------------------------------------------------------------------------------------- */

static void model_refused(const char *text, const char *message)
{
    strata_error err = { 0 };
    strata_job *job = loaded(text, NULL, 0);
    cr_assert_null(strata_job_model(job, NULL, NULL, &err), "%s", text);
    cr_assert_str_eq(err.message, message);
    strata_job_free(job);
}

#define LAYERS "\"model\": [{\"Input\": {\"shape\": [4]}}, {\"Dense\": {\"units\": 3, \"name\": \"logits\"}}]"
#define COMPILE "\"compile\": {\"optimizer\": \"adam\", \"loss\": \"mse\"}"

Test(job, a_model_is_made_frozen_and_compiled)
{
    strata_error err = { 0 };
    strata_job *job =
        loaded("{" LAYERS ", " COMPILE ", \"trainable\": [[\"*\", false], [\"log*\", true]]}", NULL, 0);
    strata_model *model = strata_job_model(job, NULL, NULL, &err);
    size_t total, trainable;
    cr_assert_not_null(model, "%s", err.message);
    cr_assert(strata_model_count_params(model, &total, &trainable, &err), "%s", err.message);
    cr_assert(total == 15 && trainable == 15);
    strata_model_free(model);
    strata_job_free(job);
}

Test(job, mistakes_in_a_model_say_where)
{
    model_refused("{" COMPILE "}",
                  "job.json: model is missing; a list of layers or the path of a model is required");
    model_refused(
        "{" LAYERS "}",
        "job.json: compile is missing; {\"optimizer\": .., \"loss\": .., \"metrics\": [..]} is required");
    model_refused("{" LAYERS ", \"compile\": {\"optimizer\": \"Adm\", \"loss\": \"mse\"}}",
                  "job.json: compile.optimizer: unknown name \"Adm\"; did you mean \"Adam\"?");
    model_refused("{" LAYERS ", " COMPILE ", \"trainable\": [[\"logit\", false]]}",
                  "job.json: trainable[0]: no layer's name is like \"logit\"; the layers are logits");
    model_refused("{" LAYERS ", " COMPILE ", \"trainable\": [[\"logits\"]]}",
                  "job.json: trainable[0] is not a rule such as [\"*\", false]");
    model_refused("{" LAYERS ", " COMPILE ", \"weights\": {\"fil\": \"x\"}}",
                  "job.json: weights: unknown key \"fil\"; did you mean \"file\"?");
}

static void base_refused(const char *base, const char *message)
{
    char text[1000];
    strata_error err = { 0 };
    snprintf(text, sizeof text, "{\"model\": [{\"Model\": %s}], \"compile\": {\"loss\": \"mse\"}}", base);
    strata_job *job = loaded(text, NULL, 0);
    cr_assert_null(strata_job_model(job, NULL, NULL, &err));
    cr_assert_not_null(strstr(err.message, message), "%s", err.message);
    strata_job_free(job);
}

Test(job, a_base_is_cut_pooled_named_and_frozen)
{
    strata_error err = { 0 };
    strata_job *job = loaded("{\"model\": [{\"Model\": {\"file\": \"" STRATA_GOLDEN "/files/emotion_model.hdf5\", \"name\": \"base\","
                             " \"cut\": \"add_4\", \"pooling\": \"avg\", \"trainable\": false}}, {\"Dense\": {\"units\": 2}}],"
                             " \"trainable\": [[\"base/conv2d_6\", true]], \"compile\": {\"loss\": \"mse\"}}", NULL, 0);
    strata_model *model = strata_job_model(job, NULL, NULL, &err);
    cr_assert_not_null(model, "%s", err.message);
    size_t total, trainable;
    cr_assert(strata_model_count_params(model, &total, &trainable, &err));
    cr_assert_eq(total, 58423 - 8071 + 258); /* without conv2d_7, with the Dense */
    cr_assert_eq(trainable, 8192 + 258);     /* conv2d_6 and the Dense */
    strata_model_free(model);
    strata_job_free(job);
}

Test(job, a_base_that_is_not_one_is_refused)
{
    base_refused("{\"cut\": \"a\"}", "model: layer 0: Model: file is missing");
    base_refused("{\"file\": \"nothing.h5\"}", "nothing.h5");
    base_refused("{\"file\": \"" STRATA_GOLDEN "/files/emotion_model.hdf5\", \"cut\": \"nowhere\"}", "No such layer: nowhere");
    base_refused("{\"file\": \"" STRATA_GOLDEN "/files/emotion_model.hdf5\", \"pooling\": \"avg\"}", "can be pooled");
    base_refused("{\"file\": \"x.h5\", \"triainable\": true}", "did you mean \"trainable\"?");
}
