/* UpSampling1D: each step `size` times. */
#include "layers/fields_common.h"
#include "ops/resize.h"

struct up_sampling {
    struct ints size;
};

/* Keras 3 writes an integer, Keras 2 too. */
static json_t *write_size(const struct field *field, const void *at, enum flavour flavour)
{
    const struct ints *size = at;
    (void)field;
    (void)flavour;
    return json_integer(size->v[0]);
}

static const struct field fields[] = {
    { "size", FIELD_INTS, offsetof(struct up_sampling, size), .count = 1, .otherwise = 2, .min = 1,
      .max = 1e6, .write = write_size, .help = "how often" },
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct up_sampling *c = config;
    if (!strata_layer_expect_rank(in, 2, "UpSampling1D", err)) return false;
    *out = *in;
    out->dim[0] *= (size_t)c->size.v[0];
    return true;
}

static struct resize resize_of(const struct up_sampling *c, const struct shape *x)
{
    return (struct resize){ .method = RESIZE_NEAREST,
                            .n = x->dim[0],
                            .height = x->dim[1],
                            .width = 1,
                            .channels = x->dim[2],
                            .factor_h = (int)c->size.v[0],
                            .factor_w = 1 };
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct resize resize = resize_of(config, &s->x.shape);
    return strata_op_resize(s->run, &resize, &s->x, &s->y, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct resize resize = resize_of(config, &s->x.shape);
    return !s->dx.buffer || strata_op_resize_gradient(s->run, &resize, &s->dy, &s->dx, err);
}

const struct layer_class strata_layer_up_sampling1d = {
    .class = { .name = "UpSampling1D",
               .config_size = sizeof(struct up_sampling),
               .fields = fields,
               .help = "each step several times" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
