/* history.csv of a run folder. */
#ifndef STRATA_CLI_HISTORY_H
#define STRATA_CLI_HISTORY_H

#include <strata/plot.h>

/* curves[i] are the columns but "epoch"; values and names are owned. */
struct history {
    strata_curve *curves;
    size_t count;
    char *names;
    double *values;
};

/* run: the folder, or the .csv itself. STRATA_EFILE when it is not a table of numbers under names. */
bool strata_history_read(const char *run, struct history *history, strata_error *err);
void strata_history_release(struct history *history);

#endif
