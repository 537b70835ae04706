/* strata check: whether a job is sound. Makes its model, opens its data, prepares the device, and trains nothing. */
#include <stdlib.h>
#include <strata/job.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/load_report.h"
#include "cli/output.h"

/* What check makes of a job. Starts as { 0 }. */
struct checked {
    strata_job *job;
    strata_data *data, *validation;
    strata_model *model;
    strata_load_report loaded; /* of the job's weights */
    strata_context *context;
    size_t bytes; /* of this rank's device */
};

static bool same_input(const struct checked *k, const strata_data *data, strata_error *err)
{
    const strata_shape in = strata_model_input_shape(k->model);
    const strata_array x = strata_data_x(data);
    char a[STRATA_SHAPE_WORDS], b[STRATA_SHAPE_WORDS];
    strata_shape given = { .rank = x.rank - 1 };
    for (int i = 1; i < x.rank; i++) given.dim[i - 1] = x.dim[i];
    bool same = in.rank == given.rank;
    for (int i = 0; same && i < in.rank; i++) same = in.dim[i] == given.dim[i] || in.dim[i] == 0;
    return same
           || strata_command_fail(err, STRATA_ESHAPE,
                                  "%s: samples of %s have shape %s; the model's input is %s",
                                  strata_job_path(k->job), strata_data_name(data),
                                  strata_shape_words(&given, true, a), strata_shape_words(&in, true, b));
}

static bool open_all(const struct command *c, struct checked *k, strata_error *err)
{
    const bool ok = (k->job = strata_command_job(c, c->words[0], err))
                    && strata_job_data(k->job, &k->data, &k->validation, err)
                    && (k->model = strata_job_model(k->job, k->data, &k->loaded, err));
    if (ok) strata_command_suit(k->data, k->model);
    if (ok) strata_command_suit(k->validation, k->model);
    return ok && same_input(k, k->data, err)
           && (!k->validation || same_input(k, k->validation, err));
}

/* As fit would begin: the loss against the labels, the device, its memory. */
static bool prepare(const struct command *c, struct checked *k, bool ok, strata_error *err)
{
    const char *devices = c->devices || !k->job ? c->devices : strata_job_devices(k->job);
    if (!(k->context = strata_open_context(devices, ok, err))) return false;
    const strata_fit_config fit = strata_job_fit_config(k->job);
    const size_t part = (fit.batch_size + fit.accumulate - 1) / fit.accumulate;
    return strata_model_fit_memory(k->model, k->context, k->data, part, &k->bytes, err)
           || strata_command_fail_in(err, strata_job_path(k->job));
}

/* What is known of the job, as one object. */
static json_t *report_json(const struct checked *k, const strata_fit_config *config, size_t steps, size_t total, size_t trainable)
{
    const strata_shape in = strata_model_input_shape(k->model), out = strata_model_output_shape(k->model);
    const size_t samples = strata_data_count(k->data),
                 validation = k->validation ? strata_data_count(k->validation) : 0;
    char a[STRATA_SHAPE_WORDS], b[STRATA_SHAPE_WORDS];
    json_t *json = json_pack("{s:s, s:s?, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "job",
                             strata_job_path(k->job), "dir", config->run_dir, "model", strata_model_name(k->model), "input",
                             strata_shape_words(&in, true, a), "output", strata_shape_words(&out, true, b), "params",
                             (json_int_t)total, "trainable_params", (json_int_t)trainable, "samples",
                             (json_int_t)samples, "validation_samples", (json_int_t)validation, "batch_size",
                             (json_int_t)config->batch_size, "steps_per_epoch", (json_int_t)steps, "epochs",
                             (json_int_t)config->epochs, "bytes", (json_int_t)k->bytes, "device",
                             strata_context_device(k->context));
    if (json && strata_job_weights(k->job))
        json_object_set_new(json, "weights", strata_load_report_json(&k->loaded));
    return json;
}

static bool report(const struct command *c, const struct checked *k, strata_error *err)
{
    const strata_fit_config config = strata_job_fit_config(k->job);
    const strata_shape in = strata_model_input_shape(k->model), out = strata_model_output_shape(k->model);
    const size_t samples = strata_data_count(k->data),
                 validation = k->validation ? strata_data_count(k->validation) : 0;
    const size_t all = (samples + config.batch_size - 1) / config.batch_size;
    const size_t steps = config.steps_per_epoch > 0 ? config.steps_per_epoch : all;
    char a[STRATA_SHAPE_WORDS], b[STRATA_SHAPE_WORDS], memory[STRATA_BYTES_TEXT];
    size_t total, trainable;
    if (!strata_model_count_params(k->model, &total, &trainable, err)) return false;
    if (c->json)
        return strata_print_json(report_json(k, &config, steps, total, trainable), err);
    if (strata_job_weights(k->job)) strata_note_load_report(c, strata_job_weights(k->job), &k->loaded);
    strata_print("%s is sound\n", strata_job_path(k->job));
    strata_print("  model       %s: %s -> %s, %zu parameters, %zu of them trainable\n",
                 strata_model_name(k->model), strata_shape_words(&in, true, a),
                 strata_shape_words(&out, true, b), total, trainable);
    strata_print("  data        %s: %zu samples", strata_data_name(k->data), samples);
    if (k->validation) strata_print("; %s: %zu to validate", strata_data_name(k->validation), validation);
    if (config.validation_split > 0) strata_print("; %g of them to validate", config.validation_split);
    strata_print("\n  fit         %zu epochs of %zu steps of %zu samples\n", config.epochs, steps,
                 config.batch_size);
    strata_print("  memory      %s on %s\n", strata_bytes_text((double)k->bytes, memory),
                 strata_context_device(k->context));
    if (config.run_dir) strata_print("  run folder  %s\n", config.run_dir);
    return true;
}

static bool run(const struct command *c, strata_error *err)
{
    struct checked k = { 0 };
    const bool ok = prepare(c, &k, open_all(c, &k, err), err) && report(c, &k, err);
    if (!ok) strata_tell_failure(c, err);
    strata_load_report_free(&k.loaded);
    strata_model_free(k.model);
    strata_context_free(k.context);
    strata_data_free(k.data);
    strata_data_free(k.validation);
    strata_job_free(k.job);
    return ok;
}

extern const struct verb strata_verb_check;
const struct verb strata_verb_check = {
    .name = "check",
    .usage = "JOB.json [--set KEY=VALUE]",
    .summary = "whether a job is sound: keys, files, shapes, memory; trains nothing",
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
