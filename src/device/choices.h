/* What was measured on a device because somebody asked for it: which implementation serves an op of a shape, and
 * parameters of libraries. Where nothing was, fixed choices serve. */
#ifndef STRATA_DEVICE_CHOICES_H
#define STRATA_DEVICE_CHOICES_H

#include "base/json.h"
#include "device/device.h"

/* {"ops": {KEY: IMPLEMENTATION, ..}, "clblast": {KERNEL: {PARAMETER: NUMBER, ..}, ..}}, owned from now on; NULL: none. Before the
 * device is used by several threads. */
void strata_device_adopt_choices(struct device *device, json_t *choices);
const json_t *strata_device_choices(const struct device *device); /* NULL: none */

/* Whether they serve; true at first. They are for a share of a batch, so a run whose bits must not depend on shares leaves them out. */
void strata_device_use_choices(struct device *device, bool use);

/* The implementation for a key, or NULL. */
const char *strata_device_choice(const struct device *device, const char *key);
/* The parameters of CLBlast's kernels by name, once: what it was told once, it keeps. NULL: none, or told. */
const json_t *strata_device_parameters_due(struct device *device);

/* Who hears of every op that has several implementations while runs are measured: the step's label, and what the op tells. */
struct listener {
    void (*hear)(void *context, const char *step, const void *request); /* NULL: nobody */
    void *context;
};
void strata_device_listen(struct device *device, struct listener listener);

#endif
