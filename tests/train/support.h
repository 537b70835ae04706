/* What the tests of training share: a device, objects from JSON, buffers. */
#ifndef TESTS_TRAIN_SUPPORT_H
#define TESTS_TRAIN_SUPPORT_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "device/launch.h"
#include "ops/view.h"

#define ok(call) cr_assert((call), "%s", err.message)

static inline struct device *open_device(void)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct device *device = strata_device_open(&request, &err);
    cr_assert(device, "%s", err.message);
    return device;
}

static inline struct object parse_object(const struct registry *registry, const char *json)
{
    strata_error err = { 0 };
    struct object object;
    json_t *parsed = strata_json_parse(json, strlen(json), "test", &err);
    ok(parsed);
    ok(strata_object_parse(registry, parsed, STRATA_KERAS3, &object, &err));
    json_decref(parsed);
    return object;
}

static inline struct view put_floats(struct device *device, const float *values, size_t count)
{
    strata_error err = { 0 };
    struct view view = { .buffer = strata_buffer_create(device, count * sizeof *values, &err),
                         .shape = { 1, { count } } };
    ok(view.buffer);
    ok(strata_buffer_write(device, QUEUE_COMPUTE, view.buffer, 0, count * sizeof *values, values, &err));
    return view;
}

static inline void get_floats(struct device *device, const struct view *view, float *values, size_t count)
{
    strata_error err = { 0 };
    ok(strata_buffer_read(device, QUEUE_COMPUTE, view->buffer, view->offset * sizeof *values, count * sizeof *values,
                          values, &err));
}

/* Numbers in [-1, 1) that look random but are always the same. */
static inline float noise(unsigned i)
{
    const unsigned mixed = (i * 2654435761u) ^ (i * 40503u + 977u) << 9;
    return (float)((mixed * 2246822519u >> 8) & 0xffff) / 32768.0f - 1.0f;
}

#endif
