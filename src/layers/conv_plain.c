#include "layers/conv_plain.h"

#include "ops/reduce.h"

bool strata_conv_plain_shape(const struct conv_config *c, int dims, const char *class_name,
                             const struct shape *in, struct shape *out, strata_error *err)
{
    struct plane plane;
    struct windows windows;
    if (!strata_plane(in, dims, class_name, &plane, err)) return false;
    if (plane.channels == 0 || plane.channels % (size_t)c->groups != 0)
        return strata_fail(err, STRATA_ESHAPE,
                           "input has %zu channels; they must be a multiple of groups, which is %ld",
                           plane.channels, c->groups);
    if (!strata_conv_windows(c, in, dims, &windows, err)) return false;
    *out = strata_plane_shape(dims, windows.out, (size_t)c->filters);
    return true;
}

bool strata_conv_plain_weights(const struct conv_config *c, int dims, const struct shape *in,
                               struct weights *ask)
{
    strata_conv_ask_kernel(c, "kernel", NULL, dims, in->dim[dims] / (size_t)c->groups, (size_t)c->filters,
                           ask);
    strata_conv_ask_bias(c, (size_t)c->filters, ask);
    return true;
}

bool strata_conv_plain_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err)
{
    struct conv2d conv = strata_conv_of_step(c, s, dims, (size_t)c->filters, (size_t)c->groups);
    conv.pooled = s->pooled;
    const struct tail tail = strata_step_tail(s, c->use_bias ? &s->w[1] : NULL);
    return strata_op_conv2d(s->run, &conv, &s->x, &s->w[0], &tail, &s->y, err);
}

static struct conv2d of_one(const struct conv_config *c, int dims, const struct shape *in)
{
    const struct shape one = strata_shape_batch(1, in);
    return strata_conv_of(c, &one, dims, (size_t)c->filters, (size_t)c->groups);
}

bool strata_conv_plain_sums_grains(const struct conv_config *c, int dims, struct device *device, bool strict,
                                   const struct shape *in)
{
    const struct conv2d conv = of_one(c, dims, in);
    return strata_op_conv2d_grains(device, strict, &conv);
}

bool strata_conv_plain_halves(const struct conv_config *c, int dims, struct device *device, bool strict, const struct shape *in)
{
    const struct conv2d conv = of_one(c, dims, in);
    return strata_op_conv2d_halves(device, strict, &conv);
}

bool strata_conv_plain_pools(const struct conv_config *c, int dims, struct device *device, bool strict, const struct shape *in,
                             const struct pooled *pooled)
{
    struct conv2d conv = of_one(c, dims, in);
    conv.pooled = *pooled;
    return strata_op_conv2d_pools(device, strict, &conv);
}

size_t strata_conv_plain_gives_moments(const struct conv_config *c, int dims, struct device *device, bool strict, size_t n,
                                       const struct shape *in)
{
    const struct shape all = strata_shape_batch(n, in);
    const struct conv2d conv = strata_conv_of(c, &all, dims, (size_t)c->filters, (size_t)c->groups);
    return strata_op_conv2d_moments(device, strict, &conv);
}

bool strata_conv_plain_backward(const struct conv_config *c, int dims, const struct step *s,
                                strata_error *err)
{
    struct conv2d conv = strata_conv_of(c, &s->x.shape, dims, (size_t)c->filters, (size_t)c->groups);
    const size_t rows = strata_view_rows(&s->dy), pixels = rows / conv.n; /* of the output, or of what is pooled: that has the same sum */
    conv.grain = s->grain;
    conv.pooled = s->pooled;
    return (!s->dw[0].buffer
            || strata_op_conv2d_kernel_gradient(s->run, &conv, &s->x, &s->dy, &s->dw[0], err))
           && (!s->dw[1].buffer || strata_op_sum_grains(s->run, &s->dy, rows, conv.filters, s->grain * pixels, &s->dw[1], err))
           && (!s->dx.buffer
               || strata_op_conv2d_input_gradient(s->run, &conv, &s->dy, &s->w[0], &s->dx, err));
}
