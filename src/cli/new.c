/* strata new: a job to edit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>
#include <strata/text.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

struct template
{
    const char *name, *about, *model, *data, *compile;
};

#define CLASSES                                                                                              \
    "{ \"optimizer\": { \"Adam\": { \"learning_rate\": 0.001 } },\n"                                         \
    "               \"loss\": { \"SparseCategoricalCrossentropy\": { \"from_logits\": true } },\n"           \
    "               \"metrics\": [\"accuracy\"] }"

static const struct template templates[] = {
    { "mlp", "dense layers on images, ten classes",
      "[ { \"Input\": { \"shape\": [28, 28, 1] } },\n"
      "             { \"Flatten\": {} },\n"
      "             { \"Dense\": { \"units\": 128, \"activation\": \"relu\" } },\n"
      "             { \"Dropout\": { \"rate\": 0.2 } },\n"
      "             { \"Dense\": { \"units\": 10, \"name\": \"logits\" } } ]",
      "{ \"train\": \"fashion-mnist:train\", \"validation\": \"fashion-mnist:test\" }", CLASSES },
    { "cnn", "a convolutional network on images, ten classes",
      "[ { \"Input\": { \"shape\": [28, 28, 1] } },\n"
      "             { \"Conv2D\": { \"filters\": 32, \"kernel_size\": 3, \"activation\": \"relu\" } },\n"
      "             { \"Conv2D\": { \"filters\": 64, \"kernel_size\": 3, \"activation\": \"relu\" } },\n"
      "             { \"MaxPooling2D\": { \"pool_size\": 2 } },\n"
      "             { \"Flatten\": {} },\n"
      "             { \"Dense\": { \"units\": 128, \"activation\": \"relu\" } },\n"
      "             { \"Dense\": { \"units\": 10, \"name\": \"logits\" } } ]",
      "{ \"train\": \"fashion-mnist:train\", \"validation\": \"fashion-mnist:test\" }", CLASSES },
    { "table", "a number from the columns of a CSV",
      "[ { \"Dense\": { \"units\": 64, \"activation\": \"relu\" } },\n"
      "             { \"Dense\": { \"units\": 64, \"activation\": \"relu\" } },\n"
      "             { \"Dense\": { \"units\": 1 } } ]",
      "{ \"# train\": \"a line of column names, then numbers; the column to predict is called label, or is "
      "the last\",\n"
      "            \"train\": \"train.csv\" }",
      "{ \"optimizer\": { \"Adam\": { \"learning_rate\": 0.001 } },\n"
      "               \"loss\": \"mean_squared_error\",\n"
      "               \"metrics\": [\"mean_absolute_error\"] }" },
};
enum { TEMPLATES = sizeof templates / sizeof *templates };

static const struct template *find(const char *name, strata_error *err)
{
    const char *names[TEMPLATES];
    for (size_t i = 0; i < TEMPLATES; i++) {
        names[i] = templates[i].name;
        if (strcmp(name, names[i]) == 0) return &templates[i];
    }
    const char *nearest = strata_nearest(name, names, TEMPLATES);
    strata_command_fail(err, STRATA_EUSAGE, "no template \"%s\"; %s%s%s", name,
                        nearest ? "did you mean \"" : "", nearest ? nearest : "\"strata new\" lists them",
                        nearest ? "\"?" : "");
    return NULL;
}

static void write_job(FILE *out, const char *about, const char *model, const char *data, const char *compile,
                      const char *fit)
{
    fprintf(out,
            "{\n"
            "  \"# what\": \"%s\",\n"
            "  \"model\": %s,\n"
            "  \"data\": %s,\n"
            "  \"compile\": %s,\n"
            "  \"fit\": %s,\n"
            "  \"callbacks\": [ { \"EarlyStopping\": { \"monitor\": \"val_loss\", \"patience\": 3,\n"
            "                                     \"restore_best_weights\": true } } ]\n"
            "}\n",
            about, model, data, compile, fit);
}

/* A model file's path as JSON; checks that the file can be read. */
static char *quoted_model(const char *path, strata_error *err)
{
    strata_model *model = strata_model_load(path, err);
    if (!model) return NULL;
    strata_model_free(model);
    json_t *string = json_string(path);
    char *text = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    if (!text) strata_command_fail(err, STRATA_EUSAGE, "%s: the path is not UTF-8", path);
    return text;
}

static bool write_to(const struct command *c, FILE *out, strata_error *err)
{
    const char *from = strata_command_option(c, "--from"), *name = strata_command_option(c, "--template");
    if (from) {
        char *model = quoted_model(from, err);
        if (!model) return false;
        write_job(out, "trains a model on", model, templates[1].data, CLASSES,
                  "{ \"batch_size\": 128, \"epochs\": 3, \"seed\": 1 }");
        free(model);
        return true;
    }
    const struct template *t = find(name, err);
    if (!t) return false;
    write_job(out, t->about, t->model, t->data, t->compile,
              strcmp(t->name, "table") == 0
                  ? "{ \"batch_size\": 32, \"epochs\": 20, \"validation_split\": 0.2, \"seed\": 1 }"
                  : "{ \"batch_size\": 128, \"epochs\": 3, \"seed\": 1 }");
    return true;
}

/* "x": an existing job is never written over. */
static bool write_file(const struct command *c, const char *path, strata_error *err)
{
    FILE *out = fopen(path, "wx");
    if (!out)
        return strata_command_fail(err, STRATA_EFILE, "%s: cannot be written: %s", path, strerror(errno));
    bool ok = write_to(c, out, err);
    if (fclose(out) != 0 && ok)
        ok = strata_command_fail(err, STRATA_EMEMORY, "%s: cannot be written: %s", path, strerror(errno));
    if (!ok)
        remove(path);
    else
        strata_note(c, "%s is written; \"strata check %s\" checks it, \"strata fit %s\" trains it", path,
                    path, path);
    return ok;
}

static bool run(const struct command *c, strata_error *err)
{
    const char *path = strata_command_option(c, "--output");
    if (strata_command_has(c, "--from") || strata_command_has(c, "--template"))
        return path ? write_file(c, path, err) : write_to(c, stdout, err);
    for (size_t i = 0; i < TEMPLATES; i++) {
        if (!c->json)
            strata_print("%-6s %s\n", templates[i].name, templates[i].about);
        else if (!strata_print_json(
                     json_pack("{s:s, s:s}", "template", templates[i].name, "about", templates[i].about),
                     err))
            return false;
    }
    return true;
}

static const struct option options[] = {
    { "--template", 't', "NAME", "one of those that \"strata new\" lists" },
    { "--from", 0, "MODEL", "a job that trains this model on" },
    { "--output", 'o', "FILE", "where to; stdout. An existing file is left alone" },
    { 0 },
};

extern const struct verb strata_verb_new;
const struct verb strata_verb_new = {
    .name = "new",
    .usage = "[--template NAME | --from MODEL] [-o JOB.json]",
    .summary = "a job to edit; without arguments, the templates there are",
    .options = options,
    .run = run,
};
