/* What a strata_context is made of, for the rooms that use it. */
#ifndef STRATA_DIST_CONTEXT_H
#define STRATA_DIST_CONTEXT_H

#include <strata/context.h>

#include "device/device.h"
#include "dist/comm.h"

struct comm *strata_context_comm(const strata_context *context);
struct device *strata_context_device_of(const strata_context *context);
/* What strata_context_limit_memory set. */
size_t strata_context_memory(const strata_context *context, void (**note)(void *note_context, const char *message),
                             void **note_context);

#endif
