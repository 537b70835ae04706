/* strata plot: learning curves of a run, or a model, as SVG. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/plot.h>

#include "cli/cli.h"
#include "cli/history.h"
#include "cli/load.h"
#include "cli/output.h"

static char *draw_curves(const char *run, strata_error *err)
{
    struct history history;
    char *svg = NULL;
    if (strata_history_read(run, &history, err))
        svg = strata_curves_svg(run, history.curves, history.count, err);
    strata_history_release(&history);
    return svg;
}

static char *draw_model(const struct command *c, const char *path, strata_error *err)
{
    strata_model *model = strata_command_model(c, path, err);
    char *svg = model ? strata_model_svg(model, err) : NULL;
    strata_model_free(model);
    return svg;
}

static bool run(const struct command *c, strata_error *err)
{
    const char *what = c->words[0], *path = strata_command_option(c, "--output");
    const bool curves = strcmp(what, "curves") == 0;
    if (!curves && strcmp(what, "model") != 0)
        return strata_command_fail(err, STRATA_EUSAGE,
                                   "plot: \"%s\" is neither curves nor model; usage: strata plot %s", what,
                                   c->verb->usage);
    char *svg = curves ? draw_curves(c->words[1], err) : draw_model(c, c->words[1], err);
    bool ok = svg != NULL;
    if (ok && path)
        ok = strata_write_text(path, svg, err);
    else if (ok)
        strata_print_text(svg);
    if (ok && path && !c->json) strata_note(c, "the picture is in %s", path);
    if (ok && path && c->json) ok = strata_print_json(json_pack("{s:s}", "file", path), err);
    free(svg);
    return ok;
}

static const struct option options[] = {
    { "--output", 'o', "FILE.svg", "where to; stdout" },
    { 0 },
};

extern const struct verb strata_verb_plot;
const struct verb strata_verb_plot = {
    .name = "plot",
    .usage = "curves RUN | model MODEL [-o FILE.svg]",
    .summary = "learning curves or a model as a picture",
    .options = options,
    .words_least = 2,
    .words_most = 2,
    .run = run,
};
