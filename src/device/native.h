/* OpenCL's own objects, for the libraries that ops calls. */
#ifndef STRATA_DEVICE_NATIVE_H
#define STRATA_DEVICE_NATIVE_H

#include <CL/cl.h>

#include "device/buffer.h"
#include "device/device.h"

cl_mem strata_buffer_native(const struct buffer *buffer); /* NULL for NULL, and for the scratch of a measuring run */
cl_context strata_device_context(const struct device *device);
cl_device_id strata_device_id(const struct device *device); /* the sub-device, where the device is split */
/* `drop` is called as the device closes, when its commands are done and its context is there still: for what a library keeps of it. The
 * latest one counts. */
void strata_device_drop_with(struct device *device, void (*drop)(void));

/* Before a call of OpenCL: whether STRATA_FAULT makes it fail, with CL_OUT_OF_RESOURCES. queue: where the call puts something, or
 * NULL; a stall keeps whatever is queued there from then on from being done. */
bool strata_opencl_fault(cl_command_queue queue);

/* Fills the error of a failed OpenCL call and returns false: "what was tried: CL_OUT_OF_RESOURCES (-5)". The code is
 * STRATA_EMEMORY when memory ran out, else STRATA_EDEVICE. */
bool strata_fail_opencl(strata_error *err, cl_int native, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
