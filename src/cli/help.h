/* Help, as `strata help VERB` and `strata VERB --help` print it. */
#ifndef STRATA_CLI_HELP_H
#define STRATA_CLI_HELP_H

#include "cli/cli.h"

/* Of one verb, or of all when NULL. */
bool strata_help_print(const struct verb *verb, strata_error *err);

#endif
