/* What a random layer makes of samples in training. */
#ifndef STRATA_TESTS_LAYERS_DRAWN_H
#define STRATA_TESTS_LAYERS_DRAWN_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/harness.h"

static struct device *open_device(void)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct device *device = strata_device_open(&request, &err);
    cr_assert(device, "%s", err.message);
    return device;
}

struct drawn {
    const char *class_name, *config;
    struct shape in;
    uint64_t seed;
    uint32_t epoch;
    bool gradient; /* of dy = x instead of the output */
};

/* The layer's output for x and the samples of these indices, in training. The caller frees it. */
static float *draw(struct device *device, const struct drawn *d, const float *x, const uint32_t *rows,
                   size_t n)
{
    strata_error err = { 0 };
    const struct layer_class *class;
    void *config;
    struct harness h;
    char text[256];
    snprintf(text, sizeof text, "{\"class_name\": \"%s\", \"config\": %s}", d->class_name, d->config);
    json_t *json = strata_json_parse(text, strlen(text), "layer", &err);
    cr_assert(json && harness_parse(json, STRATA_KERAS3, &class, &config, &err), "%s", err.message);
    json_decref(json);
    float *y = calloc(n * strata_shape_count(&d->in), sizeof *y);
    cr_assert(harness_open(&h, device, class, config, n, &d->in, 1, &err)
                  && harness_words(&h, d->seed, d->epoch, rows, &err) && harness_write(&h, &h.x[0], x, &err)
                  && harness_forward(&h, true, &err),
              "%s", err.message);
    if (d->gradient)
        cr_assert(harness_write(&h, &h.dy, x, &err) && harness_backward(&h, true, &err), "%s", err.message);
    cr_assert(harness_read(&h, d->gradient ? &h.dx[0] : &h.y, y, &err), "%s", err.message);
    harness_close(&h);
    harness_config_free(class, config);
    return y;
}

#endif
