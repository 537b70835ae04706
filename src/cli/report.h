/* How each class fares: precision, recall, F1 and the confusion matrix. */
#ifndef STRATA_CLI_REPORT_H
#define STRATA_CLI_REPORT_H

#include "cli/load.h"

/* predictions: the model's outputs for all samples of the session's data. STRATA_ESHAPE when these are not classes. */
bool strata_report_print(const struct command *command, const struct session *session,
                         const float *predictions, strata_error *err);

#endif
