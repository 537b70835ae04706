/* The most that a device can do. */
#ifndef STRATA_DEVICE_PEAK_H
#define STRATA_DEVICE_PEAK_H

#include <strata/profile.h>

#include "device/device.h"

/* Takes about half a second, and memory for two copies of the largest caches' size. */
bool strata_device_peak(struct device *device, strata_peak *peak, strata_error *err);

/* The first part of it, a block at a time, to be measured by turns with something else. */
struct peak_meter;
struct peak_meter *strata_peak_meter_create(struct device *device, strata_error *err);
/* Multiplications and additions a second in a block of 40 ms; of several the most is the peak. */
bool strata_peak_meter_flops(struct peak_meter *meter, double *rate, strata_error *err);
void strata_peak_meter_free(struct peak_meter *meter); /* takes NULL */

#endif
