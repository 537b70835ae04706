/* Permute: the axes behind the batch in another order. */
#include "layers/fields_common.h"
#include "ops/strided.h"

struct permute {
    struct ints dims;
};

static const struct field fields[] = {
    { "dims", FIELD_INTS, offsetof(struct permute, dims), .required = true, .min = 1, .max = STRATA_MAX_RANK,
      .help = "which axis comes where, counted from 1" },
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct permute *c = config;
    unsigned seen = 0;
    (void)flavour;
    for (int i = 0; i < c->dims.count; i++) seen |= 1u << c->dims.v[i];
    return seen == (1u << (c->dims.count + 1)) - 2
           || strata_fail(err, STRATA_EVALUE, "dims must hold each of 1 to %d once", c->dims.count);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct permute *c = config;
    char text[STRATA_SHAPE_TEXT];
    if (in->rank != c->dims.count)
        return strata_fail(err, STRATA_ESHAPE, "input has shape %s; dims names %d axes behind the batch",
                           strata_layer_shape_text(in, text), c->dims.count);
    out->rank = in->rank;
    for (int i = 0; i < in->rank; i++) out->dim[i] = in->dim[c->dims.v[i] - 1];
    return true;
}

/* Axis i of y is axis dims[i] of x, for the batch too. `to_x` goes from y's order to x's. */
static bool move(const struct permute *c, const struct step *s, const struct view *x, const struct view *y,
                 bool to_x, strata_error *err)
{
    struct strided box = { .rank = y->shape.rank };
    size_t strides[STRATA_MAX_RANK];
    size_t *of_x = to_x ? box.to : box.from, *of_y = to_x ? box.from : box.to;
    strata_op_strides(&x->shape, strides);
    strata_op_strides(&y->shape, of_y);
    for (int i = 0; i < box.rank; i++) {
        box.dim[i] = y->shape.dim[i];
        of_x[i] = strides[i ? c->dims.v[i - 1] : 0];
    }
    return strata_op_strided(s->run, &box, to_x ? y : x, to_x ? x : y, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return move(config, s, &s->x, &s->y, false, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return !s->dx.buffer || move(config, s, &s->dx, &s->dy, true, err);
}

const struct layer_class strata_layer_permute = {
    .class = { .name = "Permute",
               .config_size = sizeof(struct permute),
               .fields = fields,
               .check = check,
               .help = "the axes in another order" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
