/* One opened OpenCL device, or a part of a CPU device: the context, the queues and the program cache that belong to
 * it. Opaque to the rooms below, which see no OpenCL type. */
#ifndef STRATA_DEVICE_DEVICE_H
#define STRATA_DEVICE_DEVICE_H

#include <stdint.h>
#include <strata/device.h>

#include "base/error.h"

struct device;
struct profile;

/* Which device a rank gets among `local_size` ranks of its node.
 *
 *   devices     NULL or "auto": GPUs before CPUs, one device a rank by local rank; when there are more ranks than
 *               devices, the ranks left over share the CPU devices, each split evenly with clCreateSubDevices.
 *               Otherwise a list with one entry a local rank, no more and no fewer: each entry is
 *               an index of strata_devices, or a piece of a platform or device name, case-insensitive; "0,0" shares
 *               device 0, split when it is a CPU. An entry with "host=..." is not known here.
 *   class       forced class; -1: STRATA_DEVICE_CLASS from the environment, else the device's own
 *   bindings    strata_process_binding of each local rank, or NULL when it is not known
 *   profile     the queues keep time (device/profile.h)
 *   compiler    as in strata_context_config
 *
 * A CPU device that is shared is split so that each rank has compute units of its own, and the process is pinned to
 * those cores; CPU devices of different platforms are the same cores and are split as one. With more ranks than cores
 * a rank has one core, which it shares. A process that its launcher has bound to fewer cores than the device has
 * keeps to its binding: it has all of it, or its share of it where `bindings` shows that others have the same.
 * A CPU device that cannot be split is used whole by the pinned process, and strata_device_text says so. Other
 * devices that are named twice are shared as they are. */
struct device_request {
    const char *devices;
    int local_rank, local_size;
    int class;
    const uint64_t *bindings;
    bool profile;
    const char *compiler;
};

/* A number for the set of cores that this process is bound to, alike in two processes of a node with the same set. */
uint64_t strata_process_binding(void);

/* NULL with STRATA_EDEVICE and a message that says which rank asked for what, and what there is. */
struct device *strata_device_open(const struct device_request *request, strata_error *err);
void strata_device_close(struct device *device);

const strata_device_info *strata_device_info_of(const struct device *device); /* of the whole device */
strata_device_class strata_device_class_of(const struct device *device);
/* Whether it converts between float and half in hardware, as GPUs do; a CPU that does says so by cl_khr_fp16. */
bool strata_device_has_half(const struct device *device);
int strata_device_compute_units(const struct device *device); /* of the part that is ours */
struct profile *strata_device_profile(const struct device *device); /* NULL: it was opened without */
const char *strata_device_text(const struct device *device);  /* "PoCL: AMD EPYC (1 of 2 units)" for people */

/* How far it is. Any thread. */
struct device_progress {
    char place[128]; /* the label ("conv2d_1 backward") of the first thing in the latest recording played that is not done, or "" */
    bool first;      /* that is played for the first time: its driver may compile in there */
    bool builds;     /* some thread builds a program, which may take long */
    bool awaits;     /* other processes build for it, which does not wait for ever */
};
struct device_progress strata_device_progress(struct device *device);

/* Waits until everything that was queued is done; the place where asynchronous failures are reported. */
bool strata_device_finish(struct device *device, strata_error *err);

#endif
