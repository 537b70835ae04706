/* Normalization: by a given mean and variance of each place along some axes; by weights of those names where none are given (the
 * layer was adapted to data in Keras). */
#include "layers/axis.h"
#include "layers/fields_common.h"
#include "layers/constants.h"

#include <stdio.h>

#include "ops/axes.h"
#include "ops/reduce.h"

struct normalization {
    struct ints axis; /* count 0: one mean and variance for all */
    struct constants mean, variance;
    bool invert;
};

/* null, [], an integer or a list; written as the list that Keras writes. */
static bool parse_axis(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                       strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    struct ints axis = { 0 };
    const size_t size = json_array_size(json);
    (void)flavour;
    bool ok = json_is_null(json) || json_is_integer(json) || (json_is_array(json) && size < STRATA_MAX_RANK);
    if (json_is_integer(json)) axis.v[axis.count++] = (long)json_integer_value(json);
    for (size_t i = 0; ok && i < size; i++) {
        ok = json_is_integer(json_array_get(json, i));
        axis.v[axis.count++] = (long)json_integer_value(json_array_get(json, i));
    }
    *(struct ints *)at = axis;
    return ok
           || strata_fail(err, STRATA_EVALUE, "%s is %s; null, an integer or a list of integers is expected",
                          field->name, strata_json_brief(json, brief));
}

static json_t *write_axis(const struct field *field, const void *at, enum flavour flavour)
{
    const struct ints *axis = at;
    return axis->count == 1 ? json_pack("[I]", (json_int_t)axis->v[0])
                            : strata_axis_write(field, at, flavour);
}

#define FIELD_NUMBERS(key, member, text_help)                                                                \
    {                                                                                                        \
        key, FIELD_CUSTOM, offsetof(struct normalization, member),                                           \
            .text = "null", .parse = strata_constants_parse, .write = strata_constants_write,                \
            .release = strata_constants_release, .help = text_help                                           \
    }

static const struct field fields[] = {
    { "axis", FIELD_CUSTOM, offsetof(struct normalization, axis), .text = "-1", .parse = parse_axis,
      .write = write_axis, .help = "axes whose places are normalized each by itself; null: all together" },
    FIELD_NUMBERS("mean", mean, "a number, or one for each place"),
    FIELD_NUMBERS("variance", variance, "a number, or one for each place"),
    STRATA_FIELD_BOOL("invert", struct normalization, invert, 0, "the other way round"),
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct normalization *c = config;
    (void)flavour;
    return (c->mean.count > 0) == (c->variance.count > 0)
           || strata_fail(err, STRATA_EVALUE, "mean and variance must be given both, or neither");
}

/* x with its batch axis. */
static bool groups_of(const struct normalization *c, const struct shape *x, struct axes *axes, unsigned *mask)
{
    if (!strata_axis_mask(&c->axis, x->rank, mask) || (*mask & 1)) return false;
    strata_op_axes(x, *mask, axes);
    return true;
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct normalization *c = config;
    const struct shape x = strata_shape_batch(2, in);
    struct axes axes;
    unsigned mask;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    if (!groups_of(c, &x, &axes, &mask))
        return strata_fail(err, STRATA_ESHAPE, "axis is not one of the axes of the input %s behind the batch",
                           strata_layer_shape_text(in, text));
    if (c->mean.count <= 1 || (c->mean.count == axes.groups && c->variance.count == axes.groups)) return true;
    return strata_fail(err, STRATA_ESHAPE,
                       "mean has %zu numbers and variance %zu; the input %s has %zu places along axis",
                       c->mean.count, c->variance.count, strata_layer_shape_text(in, text), axes.groups);
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    static const char *const names[] = { "mean", "variance", "count" };
    const struct normalization *c = config;
    struct shape places = { 0 };
    unsigned mask = 0;
    (void)err;
    if (c->mean.count > 0) return true;
    strata_axis_mask(&c->axis, in->rank + 1, &mask);
    for (int i = 0; i < in->rank; i++)
        if (mask >> (i + 1) & 1) places.dim[places.rank++] = in->dim[i];
    for (int i = 0; i < 3; i++)
        ask->spec[ask->count++] = (struct weight_spec){ .name = names[i],
                                                        .shape = i < 2 ? places : (struct shape){ 0 },
                                                        .statistic = true };
    return true;
}

/* Room for the given mean and variance on the device. */
static size_t work(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct normalization *c = config;
    const struct shape x = strata_shape_batch(n, in);
    struct axes axes = { 0 };
    unsigned mask;
    (void)out;
    groups_of(c, &x, &axes, &mask);
    return c->mean.count > 0 ? 2 * axes.groups : 0;
}

static bool apply(const struct normalization *c, const struct step *s, const struct view *x,
                  const struct view *y, bool gradient, strata_error *err)
{
    struct axes axes;
    unsigned mask;
    char options[STRATA_AXES_OPTIONS + 16];
    groups_of(c, &x->shape, &axes, &mask);
    const bool given = c->mean.count > 0;
    struct view mean = given ? s->work : s->w[0], variance = given ? s->work : s->w[1];
    variance.offset += given ? axes.groups : 0;
    if (given
        && (!strata_constants_store(&c->mean, axes.groups, s->run, &mean, err)
            || !strata_constants_store(&c->variance, axes.groups, s->run, &variance, err)))
        return false;
    const size_t slice = strata_op_slice(axes.size);
    snprintf(options, sizeof options, "-DINVERT=%d%s", c->invert, axes.options);
    const struct arg args[] = { arg_view(x),
                                arg_view(&mean),
                                arg_view(&variance),
                                arg_view(y),
                                arg_int(gradient),
                                arg_uint((uint32_t)axes.size),
                                arg_uint((uint32_t)slice),
                                arg_uint((uint32_t)axes.groups),
                                { 0 } };
    const struct launch launch = { .kernel = "standardize:forward",
                                   .options = options,
                                   .args = args,
                                   .dims = 2,
                                   .global = { axes.groups, (axes.size + slice - 1) / slice } };
    return strata_launch(s->run, &launch, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return apply(config, s, &s->x, &s->y, false, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return !s->dx.buffer || apply(config, s, &s->dy, &s->dx, true, err);
}

const struct layer_class strata_layer_normalization = {
    .class = { .name = "Normalization",
               .config_size = sizeof(struct normalization),
               .fields = fields,
               .check = check,
               .help = "brings inputs to mean 0 and variance 1" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .work = work,
};
