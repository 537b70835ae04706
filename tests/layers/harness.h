/* One layer on a device, without a model around it: runs a class as the plan would, its activation after it or fused.
 *
 * Every tensor lies at an odd offset between guard elements, and outputs start as rubbish, so that what writes too far or
 * adds instead of overwriting is seen. */
#ifndef STRATA_TESTS_LAYERS_HARNESS_H
#define STRATA_TESTS_LAYERS_HARNESS_H

#include "layers/layer.h"

enum { HARNESS_INPUTS = 4 };

/* How the layer is run: the linear part and then the activation; both at once, where the class can; y in x's memory and dx
 * in dy's, where the class can. */
enum harness_way { HARNESS_PLAIN, HARNESS_FUSED, HARNESS_IN_PLACE };

struct harness {
    struct device *device;
    struct run *run;
    const struct layer_class *class;
    const void *config;              /* borrowed */
    enum harness_way way;
    enum activation_kind activation; /* of the class's activation member; LINEAR when it has none */
    int inputs;
    size_t n;
    struct shape in[HARNESS_INPUTS + 1], out; /* without batch axis */
    struct weights ask;
    struct view x[HARNESS_INPUTS], dx[HARNESS_INPUTS], z, y, dz, dy, w[STRATA_MAX_WEIGHTS], dw[STRATA_MAX_WEIGHTS], keep, work;
    struct buffer *step_words;
};

/* A layer of {"class_name": .., "config": {..}}, as the model room would parse it: the keys of all layers are skipped.
 * *config is the caller's, for harness_config_free. */
bool harness_parse(const json_t *json, enum flavour flavour, const struct layer_class **class, void **config,
                   strata_error *err);
void harness_config_free(const struct layer_class *class, void *config);

/* Makes all tensors for n samples of the input shapes (without batch axis). Release with harness_close, also after a failure. */
bool harness_open(struct harness *h, struct device *device, const struct layer_class *class, const void *config,
                  size_t n, const struct shape *in, int inputs, strata_error *err);
void harness_close(struct harness *h);

/* Whether the class can be run this way with its activation. */
bool harness_can(const struct harness *h, enum harness_way way);

bool harness_write(struct harness *h, const struct view *view, const void *elements, strata_error *err);
bool harness_read(struct harness *h, const struct view *view, float *elements, strata_error *err); /* also checks the guards */

/* Seed and epoch, and the dataset's indices of the n samples. */
bool harness_words(struct harness *h, uint64_t seed, uint32_t epoch, const uint32_t *rows, strata_error *err);

/* From x and w to y; from dy to dx[] and dw[], after a forward. training: as struct step's. */
bool harness_forward(struct harness *h, bool training, strata_error *err);
bool harness_backward(struct harness *h, bool training, strata_error *err);

#endif
