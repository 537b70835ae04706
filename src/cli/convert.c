/* strata convert: a model or its weights from one of Keras's formats to another. */
#include <string.h>
#include <strata/files.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/load_report.h"
#include "cli/output.h"

static bool ends_in(const char *path, const char *end)
{
    const size_t length = strlen(path), tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

static bool holds_weights_only(const char *path)
{
    return ends_in(path, ".npz") || ends_in(path, "weights.h5");
}

/* What is converted: the model, whether it is compiled, and what became of each weight of a file of weights alone. Starts as { 0 }. */
struct conversion {
    strata_model *model;
    strata_load_report report;
    bool compiled, reported;
};

static bool load(const struct command *c, struct conversion *k, strata_error *err)
{
    const char *in = c->words[0], *model_path = strata_command_option(c, "--model");
    const strata_load_options options = { .by_name = strata_command_has(c, "--by-name"),
                                          .skip_mismatch = strata_command_has(c, "--skip-mismatch") };
    size_t variables, bytes;
    if (!model_path && holds_weights_only(in))
        return strata_command_fail(err, STRATA_EUSAGE,
                                   "%s holds weights only; name the model they belong to with --model", in);
    if (!model_path && (options.by_name || options.skip_mismatch))
        return strata_command_fail(err, STRATA_EUSAGE, "--by-name and --skip-mismatch say how weights go into --model MODEL");
    k->model = strata_model_open(model_path ? model_path : in, err);
    if (!k->model || !strata_model_optimizer_params(k->model, &variables, &bytes, err)) return false;
    k->compiled = variables > 0;
    k->reported = model_path != NULL;
    return !model_path || strata_model_load_weights(k->model, in, &options, &k->report, err);
}

/* ---- what the file that is written cannot hold of the model ---------------------------------------------------------- */

/* Of what Keras knows; NULL: nothing. */
static const char *parts_left(const struct conversion *k, const char *out)
{
    if (ends_in(out, ".json")) return k->compiled ? "the layers only: no weights, no compile, no optimizer" : "the layers only: no weights";
    if (ends_in(out, ".weights.h5"))
        return k->compiled ? "the weights only, and the optimizer's variables: no layers, no compile" : "the weights only: no layers";
    if (holds_weights_only(out)) return k->compiled ? "the weights only: no layers, no compile, no optimizer" : "the weights only: no layers";
    return NULL;
}

/* Of what is ours, as a list; NULL: nothing. */
static json_t *extras_left(const struct conversion *k, const char *out)
{
    const strata_model_extras extras = strata_model_carries(k->model);
    const bool ours = ends_in(out, ".keras");
    json_t *left = json_array();
    if (extras.multipliers && !ours) json_array_append_new(left, json_string("learning_rate_multipliers"));
    if (extras.winograd && !ours) json_array_append_new(left, json_string("winograd"));
    if (extras.position) json_array_append_new(left, json_string("where its run stood (to go on there, --resume takes the checkpoint itself)"));
    if (json_array_size(left) > 0) return left;
    json_decref(left);
    return NULL;
}

/* Models without weights are begun anew. */
static bool made_weights(const struct command *c)
{
    const char *model = strata_command_option(c, "--model");
    return ends_in(model ? model : c->words[0], ".json") && !model && !ends_in(c->words[1], ".json");
}

static void note_left(const struct command *c, const json_t *left)
{
    size_t i;
    json_t *what;
    json_array_foreach(left, i, what) strata_note(c, "  not in it: %s", json_string_value(what));
}

static bool report(const struct command *c, const struct conversion *k, strata_error *err)
{
    const char *out = c->words[1], *parts = parts_left(k, out);
    json_t *left = extras_left(k, out);
    if (c->json) {
        json_t *event = json_pack("{s:s, s:s, s:s, s:b, s:s?, s:o*, s:b}", "from", c->words[0], "to", out, "model",
                                  strata_model_name(k->model), "whole", !parts && !left, "holds", parts, "left_out", left,
                                  "new_weights", made_weights(c));
        if (event && k->reported)
            json_object_set_new(event, "report", strata_load_report_json(&k->report));
        return strata_print_json(event, err);
    }
    if (k->reported) strata_note_load_report(c, c->words[0], &k->report);
    strata_note(c, "%s is in %s%s%s", strata_model_name(k->model), out, parts ? ", " : "", parts ? parts : "");
    if (made_weights(c)) strata_note(c, "  its weights are new, for %s holds none", c->words[0]);
    note_left(c, left);
    json_decref(left);
    return true;
}

static bool run(const struct command *c, strata_error *err)
{
    const char *flavour = strata_command_option(c, "--flavour");
    struct conversion k = { 0 };
    bool ok = load(c, &k, err);
    if (ok) {
        const strata_save_options options = {
            .flavour = !flavour                         ? strata_model_flavour(k.model)
                       : strcmp(flavour, "keras2") == 0 ? STRATA_FLAVOUR_KERAS2
                                                        : STRATA_FLAVOUR_KERAS3,
        };
        ok = strata_model_save(k.model, c->words[1], &options, err) && report(c, &k, err);
    }
    strata_load_report_free(&k.report);
    strata_model_free(k.model);
    return ok;
}

static const struct option options[] = {
    { "--flavour", 0, "keras2|keras3", "whose .h5 or .json is written; that of IN" },
    { "--model", 0, "MODEL", "the model that the weights in IN belong to" },
    { "--by-name", 0, NULL, "its layers take the weights of those of the same name; else in order" },
    { "--skip-mismatch", 0, NULL, "with --by-name: weights of another shape stay as they are" },
    { 0 },
};

extern const struct verb strata_verb_convert;
const struct verb strata_verb_convert = {
    .name = "convert",
    .usage = "IN OUT [--flavour keras2|keras3] [--model MODEL [--by-name] [--skip-mismatch]]",
    .summary = "between .json, .h5, .weights.h5, .keras and .npz",
    .details =
        "  The ends of the names say which: .json holds the layers, .weights.h5 and .npz the weights,\n"
        "  .h5 and .keras the whole model with its optimizer. What OUT cannot hold is said:\n"
        "  of a run's checkpoint that is where the run stood, and but in .keras learning_rate_multipliers.\n",
    .options = options,
    .words_least = 2,
    .words_most = 2,
    .run = run,
};
