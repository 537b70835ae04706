#include "cli/bench_models.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strata/train.h>

#include "cli/cli.h"

#define CONV(filters)                                                                                        \
    "{\"Conv2D\": {\"filters\": " filters ", \"kernel_size\": 3, \"activation\": \"relu\"}}, "
#define CONV_BN(filters)                                                                                     \
    "{\"Conv2D\": {\"filters\": " filters ", \"kernel_size\": 3, \"padding\": \"same\"}}, "                  \
    "{\"BatchNormalization\": {}}, {\"Activation\": {\"activation\": \"relu\"}}, "
#define POOL(size) "{\"MaxPooling2D\": {\"pool_size\": " size "}}, "
#define DENSE(units) "{\"Dense\": {\"units\": " units ", \"activation\": \"relu\"}}, "

const struct workload strata_workloads[] = {
    { "W1", "784: two Dense 512", 128, 1, { 784 }, 10, 3.2, DENSE("512") DENSE("512"), NULL },
    { "W2",
      "28x28x1: Conv 32, Conv 64, Dense 128",
      128,
      3,
      { 28, 28, 1 },
      10,
      71.6,
      CONV("32") CONV("64") POOL("2") "{\"Flatten\": {}}, " DENSE("128"),
      NULL },
    { "W3",
      "250x250x3: six Conv 32",
      16,
      3,
      { 250, 250, 3 },
      10,
      1115,
      "{\"Conv2D\": {\"filters\": 32, \"kernel_size\": 5, \"strides\": 2, \"activation\": \"relu\"}}, " CONV(
          "32") POOL("3") CONV("32") CONV("32") POOL("3") CONV("32") CONV("32")
          POOL("2") "{\"GlobalMaxPooling2D\": {}}, ",
      NULL },
    { "W4",
      "32x32x3: six Conv with BatchNormalization",
      64,
      3,
      { 32, 32, 3 },
      10,
      913,
      CONV_BN("64") CONV_BN("64") POOL("2") CONV_BN("128") CONV_BN("128") POOL("2") CONV_BN("256")
          CONV_BN("256") "{\"GlobalAveragePooling2D\": {}}, ",
      NULL },
    { "W5a", "96x96x3: frozen MobileNet 0.25, Dense 1000", 32, 3, { 96, 96, 3 }, 1000, 16.5, NULL, strata_mobilenet_json },
    { "W5b", "71x71x3: frozen Xception, Dense 1000", 8, 3, { 71, 71, 3 }, 1000, 900, NULL, strata_xception_json },
    { 0 },
};

static char *chain_json(const struct workload *w)
{
    enum { ROOM = 4096 };
    char dims[64] = "", *json = malloc(ROOM);
    size_t used = 0;
    for (int i = 0; i < w->rank; i++)
        used += (size_t)snprintf(dims + used, sizeof dims - used, "%s%zu", i ? ", " : "", w->shape[i]);
    if (json)
        snprintf(json, ROOM, "[{\"Input\": {\"shape\": [%s]}}, %s{\"Dense\": {\"units\": %d}}]", dims, w->layers,
                 w->classes);
    return json;
}

/* Of all layers but the last. */
static char *widen(const char *chain, size_t width)
{
    static const char *const sizes[] = { "filters", "units" };
    json_t *layers = json_loads(chain, 0, NULL);
    for (size_t i = 0; i + 1 < json_array_size(layers); i++) {
        const char *name;
        json_t *arguments;
        json_object_foreach(json_array_get(layers, i), name, arguments)
            for (int k = 0; k < 2; k++) {
                json_t *size = json_object_get(arguments, sizes[k]);
                if (size) json_integer_set(size, json_integer_value(size) * (json_int_t)width);
            }
    }
    char *wide = layers ? json_dumps(layers, 0) : NULL;
    json_decref(layers);
    return wide;
}

static char *model_json(const struct workload *w, size_t width)
{
    if (w->base) return w->base();
    char *chain = chain_json(w), *wide = chain && width > 1 ? widen(chain, width) : NULL;
    if (width > 1) free(chain);
    return width > 1 ? wide : chain;
}

strata_model *strata_workload_model(const struct workload *w, size_t width, strata_error *err)
{
    if (w->base && width > 1) {
        strata_command_fail(err, STRATA_EUSAGE, "%s has a pretrained base, which has one width; leave --width out", w->name);
        return NULL;
    }
    char *json = model_json(w, width);
    strata_model *model = json ? strata_model_from_json(json, err) : NULL;
    if (!json) strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    free(json);
    if (model && w->base) strata_model_set_trainable_by_name(model, "layer*", false);
    if (model
        && strata_model_compile(model,
                                "{\"optimizer\": {\"Adam\": {\"learning_rate\": 0.001}}, \"loss\": "
                                "{\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}",
                                err))
        return model;
    strata_model_free(model);
    return NULL;
}
