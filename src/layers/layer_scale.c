/* LayerScale of keras.applications' ConvNeXt: every channel times a weight of its own. */
#include "layers/fields_common.h"

#include "layers/initializer.h"
#include "ops/merge.h"

struct layer_scale {
    double init_values;
    long projection_dim;
    struct object initializer; /* Constant of init_values */
};

static bool parse_init(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err);
static json_t *write_init(const struct field *field, const void *at, enum flavour flavour);
static void release_init(void *at);

static const struct field fields[] = {
    { "init_values", FIELD_CUSTOM, 0, .text = "1e-6", .parse = parse_init, .write = write_init, .release = release_init,
      .help = "what the weights begin with" },
    { "projection_dim", FIELD_INT, offsetof(struct layer_scale, projection_dim), .required = true, .min = 1, .max = 1e6,
      .help = "channels" },
    { 0 },
};

/* The number, and the initializer that it stands for. */
static bool parse_init(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    struct layer_scale *c = at;
    char brief[STRATA_JSON_BRIEF];
    if (!json_is_number(json))
        return strata_fail(err, STRATA_EVALUE, "%s is %s; a number is expected", field->name, strata_json_brief(json, brief));
    c->init_values = json_number_value(json);
    json_t *form = json_pack("{s:{s:f}}", "Constant", "value", c->init_values);
    const bool ok = form && strata_object_parse(&strata_initializers, form, flavour, &c->initializer, err);
    json_decref(form);
    return ok;
}

static json_t *write_init(const struct field *field, const void *at, enum flavour flavour)
{
    (void)field;
    (void)flavour;
    return json_real(((const struct layer_scale *)at)->init_values);
}

static void release_init(void *at)
{
    strata_object_release(&((struct layer_scale *)at)->initializer);
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct layer_scale *c = config;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    return (in->rank > 0 && in->dim[in->rank - 1] == (size_t)c->projection_dim)
           || strata_fail(err, STRATA_ESHAPE, "input has shape %s; projection_dim is %ld", strata_layer_shape_text(in, text),
                          c->projection_dim);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    const struct layer_scale *c = config;
    (void)in;
    (void)err;
    ask->spec[ask->count++] = (struct weight_spec){ .name = "gamma", .shape = { 1, { (size_t)c->projection_dim } },
                                                    .initializer = &c->initializer };
    return true;
}

/* A vector of channels as a tensor of x's rank. */
static struct view channels(const struct view *vector, const struct view *x)
{
    struct shape wide = { .rank = x->shape.rank };
    for (int i = 0; i + 1 < wide.rank; i++) wide.dim[i] = 1;
    wide.dim[wide.rank - 1] = vector->shape.dim[0];
    return strata_view_as(vector, wide);
}

static bool scale(const struct step *s, const struct view *x, const struct view *y, strata_error *err)
{
    const struct view gamma = channels(&s->w[0], x), none = { 0 };
    return strata_op_merge(s->run, MERGE_COPY, x, &none, y, err)
           && strata_op_merge(s->run, MERGE_MULTIPLY, &gamma, &none, y, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return scale(s, &s->x, &s->y, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct view dgamma = s->dw[0].buffer ? channels(&s->dw[0], &s->x) : s->dw[0];
    (void)config;
    return (!dgamma.buffer || strata_op_merge_gradient(s->run, &s->dy, &s->x, 1, &dgamma, err))
           && (!s->dx.buffer || scale(s, &s->dy, &s->dx, err));
}

const struct layer_class strata_layer_layer_scale = {
    .class = { .name = "LayerScale",
               .config_size = sizeof(struct layer_scale),
               .fields = fields,
               .help = "every channel times a weight of its own (ConvNeXt)" },
    .module = "keras.src.applications.convnext",
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
