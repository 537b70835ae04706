/* strata summary: the text of Keras's model.summary(). */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

static bool print_text(const struct command *c, const strata_model *model, strata_error *err)
{
    const char *style = strata_command_option(c, "--style");
    size_t line_length;
    if (!strata_command_count(c, "--line-length", 0, &line_length, err)) return false;
    strata_summary_options options = {
        .style = !style                         ? strata_model_flavour(model)
                 : strcmp(style, "keras2") == 0 ? STRATA_FLAVOUR_KERAS2
                                                : STRATA_FLAVOUR_KERAS3,
        .line_length = (int)line_length,
        .show_trainable = strata_command_has(c, "--trainable"),
        .expand_nested = strata_command_has(c, "--nested"),
    };
    if (!strata_model_optimizer_params(model, &options.optimizer_params, &options.optimizer_bytes, err))
        return false;
    char *text = strata_model_summary(model, &options, err);
    if (!text) return false;
    strata_print_text(text);
    if (text[0] && text[strlen(text) - 1] != '\n') strata_print_text("\n");
    free(text);
    return true;
}

static bool print_layers(const strata_model *model, strata_error *err)
{
    for (size_t i = 0; i < strata_model_layer_count(model); i++) {
        const strata_layer *layer = strata_model_layer(model, i);
        const strata_shape shape = strata_layer_output_shape(layer);
        size_t params = 0;
        char words[STRATA_SHAPE_WORDS];
        if (!strata_layer_count_params(layer, &params, err)) return false;
        json_t *line =
            json_pack("{s:s, s:s, s:s, s:I, s:b}", "layer", strata_layer_name(layer), "class",
                      strata_layer_class_name(layer), "output_shape", strata_shape_words(&shape, true, words),
                      "params", (json_int_t)params, "trainable", strata_layer_trainable(layer));
        if (!strata_print_json(line, err)) return false;
    }
    return true;
}

static bool print_lines(const strata_model *model, strata_error *err)
{
    size_t total, trainable;
    if (!strata_model_count_params(model, &total, &trainable, err) || !print_layers(model, err)) return false;
    return strata_print_json(json_pack("{s:s, s:i, s:I, s:I}", "model", strata_model_name(model), "layers",
                                       (int)strata_model_layer_count(model), "params", (json_int_t)total,
                                       "trainable_params", (json_int_t)trainable),
                             err);
}

static bool run(const struct command *c, strata_error *err)
{
    strata_model *model = strata_command_model(c, c->words[0], err);
    const bool ok = model && (c->json ? print_lines(model, err) : print_text(c, model, err));
    strata_model_free(model);
    return ok;
}

static const struct option options[] = {
    { "--style", 0, "keras2|keras3", "whose text; that of the file's Keras" },
    { "--nested", 0, NULL, "the layers of nested models too" },
    { "--trainable", 0, NULL, "a column that says which layers train" },
    { "--line-length", 0, "N", "columns of text" },
    { 0 },
};

extern const struct verb strata_verb_summary;
const struct verb strata_verb_summary = {
    .name = "summary",
    .usage = "MODEL [--style keras2|keras3] [--nested] [--trainable]",
    .summary = "layers, output shapes and parameters, as Keras prints them",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .run = run,
};
