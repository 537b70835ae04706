/* UpSampling2D: images enlarged by whole factors. */
#include "layers/fields_common.h"
#include "ops/resize.h"

struct up_sampling {
    struct ints size;
    int data_format, interpolation;
};

static const char *const interpolations[] = {
    "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", NULL
}; /* enum resize_method */

static const struct field fields[] = {
    STRATA_FIELD_INTS("size", struct up_sampling, size, 2, 2, "the factors"),
    STRATA_FIELD_DATA_FORMAT(struct up_sampling, data_format),
    { "interpolation", FIELD_CHOICE, offsetof(struct up_sampling, interpolation), .choices = interpolations,
      .help = "how cells between the input's are found" },
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct up_sampling *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct up_sampling *c = config;
    if (!strata_layer_expect_rank(in, 3, "UpSampling2D", err)) return false;
    *out = *in;
    out->dim[0] *= (size_t)c->size.v[0];
    out->dim[1] *= (size_t)c->size.v[1];
    return true;
}

static struct resize resize_of(const struct up_sampling *c, const struct shape *x)
{
    return (struct resize){ .method = (enum resize_method)c->interpolation,
                            .n = x->dim[0],
                            .height = x->dim[1],
                            .width = x->dim[2],
                            .channels = x->dim[3],
                            .factor_h = (int)c->size.v[0],
                            .factor_w = (int)c->size.v[1] };
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

const struct layer_class strata_layer_up_sampling2d = {
    .class = { .name = "UpSampling2D",
               .config_size = sizeof(struct up_sampling),
               .fields = fields,
               .check = check,
               .help = "images enlarged by whole factors" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
