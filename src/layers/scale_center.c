#include "layers/scale_center.h"

bool strata_scale_center_axes(const struct scale_center *c, const struct shape *in, unsigned *mask,
                              strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    if (strata_axis_mask(&c->axis, in->rank + 1, mask) && !(*mask & 1)) return true;
    return strata_fail(err, STRATA_ESHAPE, "axis is not one of the axes of the input %s behind the batch",
                       strata_layer_shape_text(in, text));
}

void strata_scale_center_ask(const struct scale_center *c, const struct shape *shape, struct weights *ask)
{
    if (c->scale)
        ask->spec[ask->count++] = (struct weight_spec){
            .name = "gamma",
            .shape = *shape,
            .initializer = &c->gamma_initializer,
            .regularizer = &c->gamma_regularizer,
            .constraint = &c->gamma_constraint,
        };
    if (c->center)
        ask->spec[ask->count++] = (struct weight_spec){
            .name = "beta",
            .shape = *shape,
            .initializer = &c->beta_initializer,
            .regularizer = &c->beta_regularizer,
            .constraint = &c->beta_constraint,
        };
}

static struct normalize normalize_of(const struct scale_center *c, enum normalize_kind kind, size_t parts,
                                     const struct step *s)
{
    struct normalize n = { .kind = kind, .shape = s->x.shape, .parts = parts, .epsilon = c->epsilon };
    strata_axis_mask(&c->axis, s->x.shape.rank, &n.axes);
    if (c->scale) n.gamma = s->w[0];
    if (c->center) n.beta = s->w[c->scale];
    return n;
}

bool strata_scale_center_forward(const struct scale_center *c, enum normalize_kind kind, size_t parts,
                                 const struct step *s, strata_error *err)
{
    const struct normalize n = normalize_of(c, kind, parts, s);
    return strata_op_normalize(s->run, &n, &s->x, &s->keep, &s->y, err);
}

bool strata_scale_center_backward(const struct scale_center *c, enum normalize_kind kind, size_t parts,
                                  const struct step *s, strata_error *err)
{
    const struct normalize n = normalize_of(c, kind, parts, s);
    struct normalize_gradient g = {
        .x = s->x, .dy = s->dy, .dx = s->dx, .mean = s->keep, .variance = s->keep
    };
    g.variance.offset += strata_op_normalize_groups(&n);
    if (c->scale) g.dgamma = s->dw[0];
    if (c->center) g.dbeta = s->dw[c->scale];
    return strata_op_normalize_gradient(s->run, &n, &g, err);
}
