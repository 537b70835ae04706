/* PReLU: a slope below 0 that is learned, of its own for every element of a sample, or shared along axes. */
#include "layers/axis.h"
#include "layers/fields_common.h"
#include "ops/axes.h"
#include "ops/reduce.h"

struct prelu {
    struct object alpha_initializer, alpha_regularizer, alpha_constraint;
    struct ints shared_axes;
};

static const struct field fields[] = {
    STRATA_FIELD_INITIALIZER("alpha_initializer", struct prelu, alpha_initializer, "Zeros"),
    STRATA_FIELD_REGULARIZER("alpha_regularizer", struct prelu, alpha_regularizer),
    STRATA_FIELD_CONSTRAINT("alpha_constraint", struct prelu, alpha_constraint),
    { "shared_axes", FIELD_INTS, offsetof(struct prelu, shared_axes), .min = 1, .max = STRATA_MAX_RANK,
      .nullable = true, .null_default = true, .help = "axes along which the slope is the same" },
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct prelu *c = config;
    unsigned mask;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    if (strata_axis_mask(&c->shared_axes, in->rank + 1, &mask)) return true;
    return strata_fail(err, STRATA_ESHAPE, "shared_axes names an axis that the input %s does not have",
                       strata_layer_shape_text(in, text));
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    const struct prelu *c = config;
    struct shape alpha = *in;
    (void)err;
    for (int i = 0; i < c->shared_axes.count; i++) alpha.dim[c->shared_axes.v[i] - 1] = 1;
    ask->spec[ask->count++] = (struct weight_spec){
        .name = "alpha",
        .shape = alpha,
        .initializer = &c->alpha_initializer,
        .regularizer = &c->alpha_regularizer,
        .constraint = &c->alpha_constraint,
    };
    return true;
}

static void groups_of(const struct prelu *c, const struct shape *x, struct axes *axes)
{
    unsigned shared = 0;
    strata_axis_mask(&c->shared_axes, x->rank, &shared);
    strata_op_axes(x, ~(shared | 1u), axes);
}

/* Appends size, slice and groups to `args` (at most 4). */
static bool launch(struct run *run, const struct axes *axes, const char *kernel, const struct arg *args,
                   strata_error *err)
{
    struct arg all[8] = { { 0 } };
    int count = 0;
    const size_t slice = strata_op_slice(axes->size);
    for (; args[count].type != ARG_END; count++) all[count] = args[count];
    all[count++] = arg_uint((uint32_t)axes->size);
    all[count++] = arg_uint((uint32_t)slice);
    all[count++] = arg_uint((uint32_t)axes->groups);
    const struct launch launch = { .kernel = kernel,
                                   .options = axes->options,
                                   .args = all,
                                   .dims = 2,
                                   .global = { axes->groups, (axes->size + slice - 1) / slice } };
    return strata_launch(run, &launch, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    struct axes axes;
    groups_of(config, &s->x.shape, &axes);
    const struct arg args[] = { arg_view(&s->x), arg_view(&s->w[0]), arg_view(&s->y), { 0 } };
    return launch(s->run, &axes, "prelu:forward", args, err);
}

/* The slices' sums go to `work`, so that the sum of their rows may use scratch of its own. */
static size_t work(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct shape x = strata_shape_batch(n, in);
    struct axes axes;
    (void)out;
    groups_of(config, &x, &axes);
    const size_t slice = strata_op_slice(axes.size);
    return axes.groups * ((axes.size + slice - 1) / slice);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    struct axes axes;
    groups_of(config, &s->x.shape, &axes);
    const size_t slice = strata_op_slice(axes.size);
    const struct arg alpha[] = { arg_view(&s->x), arg_view(&s->dy), arg_view(&s->work), { 0 } };
    const struct arg input[] = {
        arg_view(&s->x), arg_view(&s->w[0]), arg_view(&s->dy), arg_view(&s->dx), { 0 }
    };
    return (!s->dw[0].buffer
            || (launch(s->run, &axes, "prelu:alpha_gradient", alpha, err)
                && strata_op_sum_rows(s->run, &s->work, (axes.size + slice - 1) / slice, axes.groups,
                                      &s->dw[0], err)))
           && (!s->dx.buffer || launch(s->run, &axes, "prelu:input_gradient", input, err));
}

const struct layer_class strata_layer_prelu = {
    .class = { .name = "PReLU",
               .config_size = sizeof(struct prelu),
               .fields = fields,
               .help = "a slope below 0 that is learned" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .work = work,
    .needs_x = true,
};
