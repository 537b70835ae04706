/* Built programs of a device: kept in memory for each (file, options), and on disk so that the next start builds
 * nothing. Any thread may call these. */
#ifndef STRATA_DEVICE_PROGRAM_CACHE_H
#define STRATA_DEVICE_PROGRAM_CACHE_H

#include <CL/cl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct device;
struct program_cache;

struct program_cache *strata_programs_create(strata_error *err);
void strata_programs_free(struct program_cache *cache); /* takes NULL */

/* A kernel object of the caller's own (clReleaseKernel) for "file:function" and options (NULL: none). A file that does
 * not compile is STRATA_EDEVICE with the file, the options and the compiler's log. */
bool strata_kernel_create(struct device *device, const char *name, const char *options, cl_kernel *kernel,
                          strata_error *err);

/* A number that changes with the driver, the device and any kernel file. */
uint64_t strata_programs_build(const struct device *device);

/* How many programs this device has compiled from source and how many it found on disk. */
struct program_counts {
    size_t built, loaded;
    size_t shortly; /* of the built ones, those for which cl/builtins.h was enough */
};
struct program_counts strata_program_counts(const struct device *device);

#endif
