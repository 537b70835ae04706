#include <strata/manual.h>

#include <string.h>

#include "base/text.h"
#include "data/dataset.h"
#include "layers/layer.h"
#include "ops/activation.h"
#include "train/callback.h"
#include "train/job_priv.h"
#include "train/loss.h"
#include "train/loss_scaling.h"
#include "train/metric.h"
#include "train/optimizer.h"

/* The registries, by topic; NULL where a topic is no registry. */
static const struct registry *const registries[] = {
    &strata_layers,
    NULL,
    &strata_initializers,
    &strata_regularizers,
    &strata_constraints,
    &strata_optimizers,
    &strata_schedules,
    &strata_losses,
    &strata_metrics,
    &strata_callbacks,
    NULL,
    NULL,
};
static const char *const topics[] = { "layers",      "activations", "initializers", "regularizers",
                                      "constraints", "optimizers",  "schedules",    "losses",
                                      "metrics",     "callbacks",   "data",         "job",
                                      NULL };
enum { TOPICS = sizeof topics / sizeof *topics - 1 };

const char *const *strata_manual_topics(void)
{
    return topics;
}

static void add_class(const struct class *class, struct text *out)
{
    strata_text_add(out, "%s", class->name);
    for (const char *const *alias = class->aliases; alias && *alias; alias++)
        strata_text_add(out, "%s\"%s\"", alias == class->aliases ? ", also " : ", ", *alias);
    if (class->help) strata_text_add(out, ": %s", class->help);
    strata_text_add(out, "\n");
    strata_fields_manual(class->fields, out);
}

static void add_activations(struct text *out)
{
    for (int kind = 0; kind < ACTIVATION_KINDS; kind++) {
        const struct activation *activation = strata_activation((enum activation_kind)kind);
        if (!activation) continue;
        strata_text_add(out, "%s", activation->name);
        for (const char *const *alias = activation->aliases; alias && *alias; alias++)
            strata_text_add(out, "%s\"%s\"", alias == activation->aliases ? ", also " : ", ", *alias);
        strata_text_add(out, "\n");
    }
}

static void add_data(struct text *out)
{
    strata_text_add(
        out, "fashion-mnist:train, fashion-mnist:test: the dataset of Debian's package dataset-fashion-mnist\n"
             "idx:IMAGES,LABELS: MNIST's format, plain or .gz; models see pixels from 0 to 1\n"
             "FILE.h5, FILE.hdf5, FILE.npz: arrays x, y and sample_weight, the last two if they are there\n"
             "FILE.csv: numbers under a line of names; the label is column \"label\" or the last, x all others\n"
             "FOLDER: a folder of JPEG and PNG pictures a class, as Keras's image_dataset_from_directory reads it; models\n"
             "  see pixels from 0 to 255 and sizes as the model's input has them, or \"resize\"\n"
             "an object with keys:\n");
    strata_fields_manual(strata_source_fields, out);
}

static void add_job(struct text *out)
{
    strata_text_add(
        out, "model: a path, a config of Keras, or a list of layers such as {\"Dense\": {\"units\": 10}}\n"
             "  in a list {\"Model\": {\"file\": \"base.h5\", ..}} is a saved model as a layer:\n");
    strata_fields_manual(strata_job_base_fields, out);
    strata_text_add(
        out, "weights: a path, or an object\n"
             "  file, by_name, skip_mismatch\n"
             "trainable: rules [GLOB, true or false], the later wins; base/* reaches into a nested model\n"
             "data: two sources, as strata help data tells\n"
             "  train, validation\n"
             "compile: as Keras's compile\n"
             "  optimizer, loss, metrics, weighted_metrics\n"
             "  learning_rate_multipliers: rules [GLOB, factor], the later wins, as those of trainable\n"
             "  dtype_policy: \"mixed_float16\" or \"mixed_bfloat16\": layers whose config states no dtype hand on halves; weights,\n"
             "    their gradients, statistics, losses and all arithmetic stay float32. mixed_float16 needs a device of the GPU class, or one\n"
             "    with cl_khr_fp16, and scales the loss by a LossScaleOptimizer around the optimizer; auto_scale_loss false: not\n"
             "  {\"LossScaleOptimizer\": {..}} as optimizer:\n");
    strata_fields_manual(strata_loss_scalings.classes[0]->fields, out);
    strata_text_add(
        out, "phases: a list of {\"trainable\": .., \"compile\": .., \"fit\": ..}, trained one after the other as one run; each\n"
             "  holds what differs from the job's own, its epochs are its own, its optimizer begins anew\n"
             "fit:\n");
    strata_fields_manual(strata_job_fit_fields, out);
    strata_text_add(out, "callbacks: a list such as [{\"EarlyStopping\": {\"patience\": 3}}]\nrun:\n");
    strata_fields_manual(strata_job_run_fields, out);
}

static void add_topic(size_t which, struct text *out)
{
    if (registries[which])
        for (const struct class *const *class = registries[which]->classes; *class; class ++) add_class(*class, out);
    else if (strcmp(topics[which], "job") == 0)
        add_job(out);
    else if (strcmp(topics[which], "data") == 0)
        add_data(out);
    else
        add_activations(out);
}

char *strata_manual(const char *topic, strata_error *err)
{
    struct text out = { 0 };
    size_t which = 0;
    while (which < TOPICS && strcmp(topics[which], topic) != 0) which++;
    if (which == TOPICS) {
        const char *nearest = strata_nearest(topic, topics, TOPICS);
        strata_fail(err, STRATA_EUSAGE, "no list of \"%s\"%s%s%s", topic, nearest ? "; did you mean \"" : "",
                    nearest ? nearest : "", nearest ? "\"?" : "");
        return NULL;
    }
    add_topic(which, &out);
    return strata_text_take(&out, err);
}

/* ---- the page ------------------------------------------------------------------------------------------------------ */

static void add_section(const struct class *class, struct text *out)
{
    strata_text_add(out, "\n### %s\n\n%s", class->name, class->help ? class->help : class->name);
    for (const char *const *alias = class->aliases; alias && *alias; alias++)
        strata_text_add(out, "%s`%s`", alias == class->aliases ? "; also " : ", ", *alias);
    strata_text_add(out, "\n");
    strata_fields_table(class->fields, out);
}

char *strata_manual_page(strata_error *err)
{
    struct text out = { 0 };
    strata_text_add(&out, "# What models and jobs may name\n\n"
                          "Written by `strata help --markdown` from the tables that parse configs and jobs.\n");
    for (size_t which = 0; which < TOPICS; which++) {
        strata_text_add(&out, "\n## %s\n", topics[which]);
        if (registries[which]) {
            for (const struct class *const *class = registries[which]->classes; *class; class ++)
                add_section(*class, &out);
            continue;
        }
        strata_text_add(&out, "\n```text\n");
        add_topic(which, &out);
        strata_text_add(&out, "```\n");
    }
    return strata_text_take(&out, err);
}
