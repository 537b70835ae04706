/* What became of each weight when a file's went into a model. */
#ifndef STRATA_CLI_LOAD_REPORT_H
#define STRATA_CLI_LOAD_REPORT_H

#include <jansson.h>
#include <strata/files.h>

#include "cli/cli.h"

/* {"loaded": [..], "missing": [..], "unused": [..], "mismatched": [..]}, names of weights as "layer/weight". */
json_t *strata_load_report_json(const strata_load_report *report);

/* How many of each, and those by name that are not loaded, as a message. */
void strata_note_load_report(const struct command *command, const char *file, const strata_load_report *report);

#endif
