/* Flatten: all axes but the batch become one. */
#include "layers/fields_common.h"

struct flatten {
    int data_format;
};

static const struct field fields[] = {
    STRATA_FIELD_DATA_FORMAT(struct flatten, data_format),
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct flatten *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    (void)config;
    (void)err;
    *out = (struct shape){ 1, { strata_shape_count(in) } };
    return true;
}

const struct layer_class strata_layer_flatten = {
    .class = { .name = "Flatten",
               .config_size = sizeof(struct flatten),
               .fields = fields,
               .check = check,
               .help = "all axes become one" },
    .shape = shape,
    .view = true,
};
