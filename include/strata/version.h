/* Which Strata this is. */
#ifndef STRATA_VERSION_H
#define STRATA_VERSION_H

#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

STRATA_API const char *strata_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif
#endif
