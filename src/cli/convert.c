/* strata convert: a model or its weights from one of Keras's formats to another. */
#include <string.h>
#include <strata/files.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
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

static strata_model *load(const struct command *c, strata_error *err)
{
    const char *in = c->words[0], *model_path = strata_command_option(c, "--model");
    if (!model_path && holds_weights_only(in)) {
        strata_command_fail(err, STRATA_EUSAGE,
                            "%s holds weights only; name the model they belong to with --model", in);
        return NULL;
    }
    strata_model *model = strata_model_open(model_path ? model_path : in, err);
    if (model && model_path && !strata_model_load_weights(model, in, NULL, NULL, err)) {
        strata_model_free(model);
        return NULL;
    }
    return model;
}

/* What the file that is written cannot hold. */
static const char *loss(const char *out)
{
    if (ends_in(out, ".json")) return "the layers only: no weights, no optimizer";
    if (holds_weights_only(out)) return "the weights only: no layers, no optimizer";
    return NULL;
}

static bool report(const struct command *c, const strata_model *model, strata_error *err)
{
    const char *out = c->words[1], *lost = loss(out);
    if (c->json)
        return strata_print_json(json_pack("{s:s, s:s, s:s, s:b}", "from", c->words[0], "to", out, "model",
                                           strata_model_name(model), "whole", lost == NULL),
                                 err);
    strata_note(c, "%s is in %s%s%s", strata_model_name(model), out, lost ? ", " : "", lost ? lost : "");
    return true;
}

static bool run(const struct command *c, strata_error *err)
{
    const char *flavour = strata_command_option(c, "--flavour");
    strata_model *model = load(c, err);
    if (!model) return false;
    const strata_save_options options = {
        .flavour = !flavour                         ? strata_model_flavour(model)
                   : strcmp(flavour, "keras2") == 0 ? STRATA_FLAVOUR_KERAS2
                                                    : STRATA_FLAVOUR_KERAS3,
    };
    const bool ok = strata_model_save(model, c->words[1], &options, err) && report(c, model, err);
    strata_model_free(model);
    return ok;
}

static const struct option options[] = {
    { "--flavour", 0, "keras2|keras3", "whose .h5 or .json is written; that of IN" },
    { "--model", 0, "MODEL", "the model that the weights in IN belong to" },
    { 0 },
};

extern const struct verb strata_verb_convert;
const struct verb strata_verb_convert = {
    .name = "convert",
    .usage = "IN OUT [--flavour keras2|keras3] [--model MODEL]",
    .summary = "between .json, .h5, .weights.h5, .keras and .npz",
    .details =
        "  The ends of the names say which: .json holds the layers, .weights.h5 and .npz the weights,\n"
        "  .h5 and .keras the whole model with its optimizer.\n",
    .options = options,
    .words_least = 2,
    .words_most = 2,
    .run = run,
};
