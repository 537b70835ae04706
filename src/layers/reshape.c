/* Reshape: the same elements under another shape; one extent may be -1, what is left over. */
#include "layers/fields_common.h"

struct reshape {
    struct ints target_shape;
};

static const struct field fields[] = {
    { "target_shape", FIELD_INTS, offsetof(struct reshape, target_shape), .required = true, .min = -1,
      .max = 1e9, .help = "the extents without the batch axis; -1: what is left over" },
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct reshape *c = config;
    int open = 0;
    (void)flavour;
    if (c->target_shape.count >= STRATA_MAX_RANK)
        return strata_fail(err, STRATA_EVALUE, "target_shape has %d axes; at most %d can be",
                           c->target_shape.count, STRATA_MAX_RANK - 1);
    for (int i = 0; i < c->target_shape.count; i++) {
        open += c->target_shape.v[i] < 0;
        if (c->target_shape.v[i] == 0)
            return strata_fail(err, STRATA_EVALUE,
                               "target_shape has an extent of 0; each must be positive, or -1 once");
    }
    return open <= 1
           || strata_fail(err, STRATA_EVALUE,
                          "target_shape has %d extents of -1; at most one can be left over", open);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct reshape *c = config;
    const size_t count = strata_shape_count(in);
    char from[STRATA_SHAPE_TEXT];
    size_t known = 1;
    int open = -1;
    *out = (struct shape){ .rank = c->target_shape.count };
    for (int i = 0; i < out->rank; i++) {
        open = c->target_shape.v[i] < 0 ? i : open;
        out->dim[i] = c->target_shape.v[i] < 0 ? 1 : (size_t)c->target_shape.v[i];
        known = known > count ? known : known * out->dim[i];
    }
    if (open >= 0) out->dim[open] = count / known;
    if (strata_shape_is_open(in)) return true; /* fits or not: the data show it */
    if (open >= 0 ? count % known == 0 && count > 0 : count == known) return true;
    return strata_fail(err, STRATA_ESHAPE,
                       "%zu elements of the input %s do not fill target_shape, which %s %zu", count,
                       strata_layer_shape_text(in, from), open >= 0 ? "takes a multiple of" : "takes", known);
}

const struct layer_class strata_layer_reshape = {
    .class = { .name = "Reshape",
               .config_size = sizeof(struct reshape),
               .fields = fields,
               .check = check,
               .help = "the same elements under another shape" },
    .shape = shape,
    .view = true,
    .open_shape = true,
};
