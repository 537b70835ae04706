/* Signals that ask a run to save and leave. */
#ifndef STRATA_CLI_SIGNALS_H
#define STRATA_CLI_SIGNALS_H

#include <stdbool.h>

/* From now on the first SIGINT, SIGTERM, SIGUSR1 or SIGUSR2 is only noted. A second one ends the process at once, as it would have
 * without this; but not within half a second of the first, since launchers pass on a signal that the process got already. */
void strata_signals_note(void);

/* For strata_fit_config.stop_asked: whether one came. */
bool strata_signals_came(void *unused);

/* "SIGTERM" and so on; NULL: none came to this process. */
const char *strata_signals_name(void);

#endif
