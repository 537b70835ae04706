/* Activation: y = f(x). The layer itself is a view; whoever runs it applies the function, as for `activation=`. */
#include "layers/fields_common.h"

struct activation_config {
    int activation;
};

static const struct field fields[] = {
    { "activation", FIELD_CUSTOM, offsetof(struct activation_config, activation), .required = true,
      .parse = strata_activation_parse, .writable = strata_activation_writable, .write = strata_activation_write,
      .help = "the function" },
    { 0 },
};

static enum activation_kind acts_as(const void *config, const struct shape *in)
{
    const struct activation_config *c = config;
    (void)in;
    return (enum activation_kind)c->activation;
}

const struct layer_class strata_layer_activation = {
    .class = { .name = "Activation",
               .config_size = sizeof(struct activation_config),
               .fields = fields,
               .help = "applies a function" },
    .shape = strata_shape_keep,
    .view = true,
    .acts_as = acts_as,
    .activation = offsetof(struct activation_config, activation) + 1,
};
