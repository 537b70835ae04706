/* A part of a CPU device. */
#ifndef STRATA_DEVICE_SPLIT_H
#define STRATA_DEVICE_SPLIT_H

#include <CL/cl.h>

#include "base/error.h"
#include "device/cores.h"

/* Makes *part a sub-device of `whole` (release with clReleaseDevice) with one of its `units` units for each core, at
 * the place of those cores when the device has the machine's cores as its units. *part is `whole` itself when the
 * cores are as many as the units, or when the device cannot be split. */
bool strata_device_split(cl_device_id whole, int units, const struct cores *cores, cl_device_id *part,
                         strata_error *err);

#endif
