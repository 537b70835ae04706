/* ActivityRegularization: the identity, with an L1 and L2 penalty on what goes through. */
#include "layers/fields_common.h"

struct activity {
    double l1, l2;
    struct object regularizer; /* L1L2 of the two */
};

static const struct field fields[] = {
    { "l1", FIELD_FLOAT, offsetof(struct activity, l1), .min = 0, .max = 1e30,
      .help = "factor of the absolute values" },
    { "l2", FIELD_FLOAT, offsetof(struct activity, l2), .min = 0, .max = 1e30,
      .help = "factor of the squares" },
    { "activity_regularizer", FIELD_OBJECT, offsetof(struct activity, regularizer),
      .registry = &strata_regularizers, .silent = true },
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    struct activity *c = config;
    json_t *json = json_pack("{s:s, s:{s:f, s:f}}", "class_name", "L1L2", "config", "l1", c->l1, "l2", c->l2);
    if (!json) return strata_fail(err, STRATA_EMEMORY, "out of memory while a regularizer was made");
    strata_object_release(&c->regularizer);
    const bool ok = strata_object_parse(&strata_regularizers, json, flavour, &c->regularizer, err);
    json_decref(json);
    return ok;
}

const struct layer_class strata_layer_activity_regularization = {
    .class = { .name = "ActivityRegularization",
               .config_size = sizeof(struct activity),
               .fields = fields,
               .check = check,
               .help = "a penalty on what goes through" },
    .shape = strata_shape_keep,
    .view = true,
    .activity_regularizer = offsetof(struct activity, regularizer) + 1,
};
