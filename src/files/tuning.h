/* tuning.json in the cache folder: what was measured on each type of device (device/choices.h), with a checksum.
 *
 *   {"strata_tuning": 1, "checksum": "..", "devices": [{"platform": .., "name": .., "driver": .., "class": "cpu", "choices": {..}}]} */
#ifndef STRATA_FILES_TUNING_H
#define STRATA_FILES_TUNING_H

#include "base/json.h"
#include "device/device.h"

/* What the file says of devices of this type. NULL: nothing; *warning (free) then says why the file is not believed, NULL when it is
 * only not there. */
json_t *strata_tuning_read(const struct device *device, char **warning);

/* Puts the choices in the place of the file's for this type of device: ops are added to those that are there, parameters replaced, or taken away by null. A
 * file that is not believed is replaced. *path (free) is where it lies. */
bool strata_tuning_write(const struct device *device, const json_t *choices, char **path, strata_error *err);

/* A number that is alike for devices of one type. */
uint64_t strata_tuning_type(const struct device *device);

#endif
