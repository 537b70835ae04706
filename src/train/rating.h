/* How fast a device trained a model the last time, kept in the cache folder: a first guess for the shares. */
#ifndef STRATA_TRAIN_RATING_H
#define STRATA_TRAIN_RATING_H

#include <stdint.h>
#include <strata/model.h>

#include "base/env.h"
#include "device/device.h"

/* A number for the device (and how slow it pretends to be) with the model; 0: there is no memory for it. */
uint64_t strata_rating_key(strata_model *model, const struct device *device, const struct slowness *slow);

/* Samples a second; 0: none is kept, or it cannot be believed. */
double strata_rating_read(uint64_t key);
/* Without a cache folder, or where it cannot be written, nothing happens. */
void strata_rating_write(uint64_t key, double rating);

#endif
