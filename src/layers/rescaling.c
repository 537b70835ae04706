/* Rescaling: y = scale x + offset; a list of them goes along the last axis. */
#include "layers/constants.h"
#include "layers/fields_common.h"

#include "ops/map.h"

struct rescaling {
    struct constants scale, offset;
};

#define FIELD_NUMBERS(key, member, default_text, text_help)                                                          \
    {                                                                                                                \
        key, FIELD_CUSTOM, offsetof(struct rescaling, member), .text = default_text,                                \
            .parse = strata_constants_parse, .write = strata_constants_write, .release = strata_constants_release,  \
            .help = text_help                                                                                       \
    }

static const struct field fields[] = {
    FIELD_NUMBERS("scale", scale, "null", "the factor, or one for each place along the last axis"),
    FIELD_NUMBERS("offset", offset, "0.0", "what is added, or that of each place along the last axis"),
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct rescaling *c = config;
    (void)flavour;
    return (c->scale.count > 0 && c->offset.count > 0)
           || strata_fail(err, STRATA_EVALUE, "%s is missing; give a number, or a list with one for each channel",
                          c->scale.count > 0 ? "offset" : "scale");
}

static bool is_plain(const struct rescaling *c)
{
    return c->scale.count == 1 && c->offset.count == 1;
}

static size_t columns_of(const struct shape *shape)
{
    return shape->rank ? shape->dim[shape->rank - 1] : 1;
}

static bool fits(const struct constants *numbers, const char *what, const struct shape *in, strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    return numbers->count == 1 || numbers->count == columns_of(in)
           || strata_fail(err, STRATA_ESHAPE, "%s has %zu numbers; the last axis of the input %s has %zu", what,
                          numbers->count, strata_layer_shape_text(in, text), columns_of(in));
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct rescaling *c = config;
    *out = *in;
    return fits(&c->scale, "scale", in, err) && fits(&c->offset, "offset", in, err);
}

/* Room for the lists on the device. */
static size_t work(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    (void)n;
    (void)out;
    return is_plain(config) ? 0 : 2 * columns_of(in);
}

static bool apply(const struct rescaling *c, const struct step *s, const struct view *x, const struct view *y,
                  bool gradient, strata_error *err)
{
    const struct constants none = { .v = (double[]){ 0 }, .count = 1 }, *added = gradient ? &none : &c->offset;
    if (is_plain(c)) return strata_op_affine(s->run, x, c->scale.v[0], added->v[0], y, err);
    const size_t columns = columns_of(&x->shape);
    struct view scale = s->work, offset = s->work;
    offset.offset += columns;
    const struct arg args[] = { arg_view(x),       arg_view(&scale),   arg_view(&offset),
                                arg_view(y),       arg_ulong(columns), { 0 } };
    return strata_constants_store(&c->scale, columns, s->run, &scale, err)
           && strata_constants_store(added, columns, s->run, &offset, err)
           && strata_op_map(s->run, "map:affine_columns", NULL, args, strata_view_count(y), err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return apply(config, s, &s->x, &s->y, false, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return !s->dx.buffer || apply(config, s, &s->dy, &s->dx, true, err);
}

const struct layer_class strata_layer_rescaling = {
    .class = { .name = "Rescaling",
               .config_size = sizeof(struct rescaling),
               .fields = fields,
               .check = check,
               .help = "scales and shifts" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .work = work,
    .in_place = true,
};
