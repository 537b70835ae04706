/* InputLayer: says which shape the model's input has; computes nothing. Its shape, batch size and dtype are keys that
 * all layers share. */
#include "layers/layer.h"

const struct layer_class strata_layer_input = {
    .class = { .name = "InputLayer", .help = "the shape of the model's input" },
    .shape = strata_shape_keep,
    .host_only = true,
};
