/* What models and jobs may name, from the tables that parse it. */
#ifndef STRATA_MANUAL_H
#define STRATA_MANUAL_H

#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "layers", "activations", "initializers", "regularizers", "constraints", "optimizers", "schedules", "losses", "metrics",
 * "callbacks", "data", "job"; ends in NULL. */
STRATA_API const char *const *strata_manual_topics(void);

/* Every class of a topic with its arguments, their types, ranges and defaults; free() it. STRATA_EUSAGE for a topic that is
 * none, with the nearest. */
STRATA_API STRATA_CHECKED char *strata_manual(const char *topic, strata_error *err);

/* All topics as one page of Markdown; free() it. */
STRATA_API STRATA_CHECKED char *strata_manual_page(strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
