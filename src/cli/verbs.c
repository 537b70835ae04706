/* The verbs, in the order of `strata help`. */
#include "cli/cli.h"

#include <string.h>

extern const struct verb strata_verb_devices, strata_verb_summary, strata_verb_new, strata_verb_check,
    strata_verb_fit, strata_verb_evaluate, strata_verb_predict, strata_verb_extract, strata_verb_convert,
    strata_verb_weights, strata_verb_plot, strata_verb_tune, strata_verb_bench, strata_verb_selftest,
    strata_verb_completion, strata_verb_help;

const struct verb *const strata_verbs[] = {
    &strata_verb_devices, &strata_verb_summary,  &strata_verb_new,        &strata_verb_check,
    &strata_verb_fit,     &strata_verb_evaluate, &strata_verb_predict,    &strata_verb_extract,
    &strata_verb_convert, &strata_verb_weights,  &strata_verb_plot,       &strata_verb_tune,
    &strata_verb_bench,   &strata_verb_selftest, &strata_verb_completion, &strata_verb_help,
    NULL,
};

const struct verb *strata_verb_find(const char *name)
{
    for (const struct verb *const *verb = strata_verbs; *verb; verb++)
        if (strcmp((*verb)->name, name) == 0) return *verb;
    return NULL;
}
