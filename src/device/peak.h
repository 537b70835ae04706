/* The most that a device can do. */
#ifndef STRATA_DEVICE_PEAK_H
#define STRATA_DEVICE_PEAK_H

#include <strata/profile.h>

#include "device/device.h"

/* Takes about half a second, and memory for two copies of the largest caches' size. */
bool strata_device_peak(struct device *device, strata_peak *peak, strata_error *err);

#endif
