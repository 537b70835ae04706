#include "device/choices.h"

#include "device/device_priv.h"

void strata_device_adopt_choices(struct device *device, json_t *choices)
{
    json_decref(device->choices);
    device->choices = choices;
    device->parameters_told = false;
}

const json_t *strata_device_choices(const struct device *device)
{
    return device->choices;
}

void strata_device_use_choices(struct device *device, bool use)
{
    device->choices_left_out = !use;
}

const char *strata_device_choice(const struct device *device, const char *key)
{
    if (device->choices_left_out) return NULL;
    return json_string_value(json_object_get(json_object_get(device->choices, "ops"), key));
}

void strata_device_listen(struct device *device, struct listener listener)
{
    device->listener = listener;
}

const json_t *strata_device_parameters_due(struct device *device)
{
    if (device->choices_left_out || device->parameters_told) return NULL;
    device->parameters_told = true;
    return json_object_get(device->choices, "clblast");
}
