/* Keras's progress bar, on stderr of rank 0. */
#ifndef STRATA_CLI_PROGRESS_H
#define STRATA_CLI_PROGRESS_H

#include <strata/train.h>

#include "cli/cli.h"

struct progress {
    const struct command *command;
    enum progress_form form; /* never PROGRESS_AUTO */
    bool fancy;              /* the terminal shows Unicode */
    double train_seconds;    /* when the epoch's last step was done, before validation */
    bool headed;             /* the epoch's head line was printed */
    size_t epochs_done, samples_done;
    double seconds_done;
    bool failed; /* a line of JSON could not be written */
};

/* With "auto" a terminal gets a moving bar, anything else a line an epoch, and --json or --quiet nothing. */
struct progress strata_progress_start(const struct command *command);

/* For strata_fit_config.progress, with a struct progress as its context. With --json it prints an event an epoch. */
bool strata_progress_show(void *context, const strata_progress *progress);

#endif
