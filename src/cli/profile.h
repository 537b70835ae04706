/* Showing what a device did. */
#ifndef STRATA_CLI_PROFILE_H
#define STRATA_CLI_PROFILE_H

#include <strata/profile.h>

#include "cli/cli.h"

#define STRATA_PROFILE_OPTIONS                                                                               \
    { "--profile", 0, "[FILE]", "a table of what each operation took, longest first; FILE as of --trace" },  \
    {                                                                                                        \
        "--trace", 0, "FILE", "what all ranks did on one time line, for Perfetto or chrome://tracing"        \
    }

/* Whether the device has to keep time. */
bool strata_wants_profile(const struct command *command);

/* --profile: prints the table of what this rank's device did, with --json a line an operation. --trace, and
 * --profile with a file: rank 0 writes the time line of all. Without them nothing is done. Collective. */
bool strata_show_profile(const struct command *command, strata_context *context, strata_error *err);

#endif
