/* strata evaluate: loss and metrics over data, and how each class fares. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/report.h"

static bool print_logs(const struct command *c, const struct session *s, const strata_logs *logs,
                       strata_error *err)
{
    if (c->json) {
        json_t *line = json_object();
        for (size_t i = 0; line && i < logs->count; i++)
            json_object_set_new(line, logs->names[i],
                                strata_json_number(logs->values[i]));
        if (line) json_object_set_new(line, "samples", json_integer((json_int_t)strata_data_count(s->data)));
        return strata_print_json(line, err);
    }
    for (size_t i = 0; i < logs->count; i++)
        strata_print("%s%s: %.4f", i ? " - " : "", logs->names[i], logs->values[i]);
    strata_print("\n");
    return true;
}

/* A file that was saved without its compile, or --compile, says what to measure. */
static bool compile(const struct command *c, const struct session *s, strata_error *err)
{
    const char *config = strata_command_option(c, "--compile");
    return !config || strata_model_compile(s->model, config, err);
}

static bool evaluate(const struct command *c, const struct session *s, strata_error *err)
{
    strata_logs logs = { 0 };
    if (!strata_session_agree(s, compile(c, s, err), err)) return false;
    bool ok = strata_model_evaluate(s->model, s->context, s->data, s->batch_size, &logs, err)
              && print_logs(c, s, &logs, err);
    strata_logs_free(&logs);
    if (!ok || !strata_command_has(c, "--report")) return ok;
    float *predictions = NULL;
    ok = strata_model_predict(s->model, s->context, s->data, s->batch_size, &predictions, err)
         && strata_session_agree(s, strata_report_print(c, s, predictions, err), err);
    free(predictions);
    return ok;
}

static bool run(const struct command *c, strata_error *err)
{
    struct session s = { 0 };
    const bool ok = strata_session_open(c, &s, err) && evaluate(c, &s, err);
    strata_session_close(&s);
    return ok;
}

static const struct option options[] = {
    STRATA_DATA_OPTIONS,
    STRATA_MEMORY_OPTION,
    { "--report", 0, NULL, "precision, recall and F1 of each class, and the confusion matrix" },
    { "--compile", 0, "JSON", "loss and metrics for a file without them: {\"loss\": .., \"metrics\": [..]}" },
    { 0 },
};

extern const struct verb strata_verb_evaluate;
const struct verb strata_verb_evaluate = {
    .name = "evaluate",
    .usage = "MODEL --data SOURCE [--report] [--max-memory SIZE]",
    .summary = "loss and metrics over data",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
