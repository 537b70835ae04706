/* Which device of the node belongs to which rank: the rules of struct device_request, without OpenCL. */
#ifndef STRATA_DEVICE_CHOOSE_H
#define STRATA_DEVICE_CHOOSE_H

#include <strata/device.h>

#include "device/device.h"

/* part and parts: our number and how many we are among the ranks of the node that compute on the CPU's cores and may
 * use the same ones; 0 of 1 for any other device. CPU devices of different platforms are the same cores. */
struct choice {
    int index;
    int part, parts;
};

bool strata_device_choose(const struct device_request *request, const strata_device_info *list, size_t count,
                          struct choice *choice, strata_error *err);

#endif
