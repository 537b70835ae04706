#include "layers/conv_depth.h"

#include "ops/gemm.h"
#include "ops/reduce.h"

bool strata_conv_depth_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct conv_config *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

bool strata_conv_depth_shape(const struct conv_config *c, int dims, const char *class_name, size_t filters,
                             const struct shape *in, struct shape *out, strata_error *err)
{
    struct plane plane;
    struct windows windows;
    if (!strata_plane(in, dims, class_name, &plane, err) || !strata_conv_windows(c, in, dims, &windows, err))
        return false;
    *out = strata_plane_shape(dims, windows.out,
                              filters ? filters : plane.channels * (size_t)c->depth_multiplier);
    return true;
}

static struct conv2d depthwise_of(const struct conv_config *c, int dims, const struct step *s)
{
    const size_t channels = s->x.shape.dim[dims + 1];
    return strata_conv_of_step(c, s, dims, channels * (size_t)c->depth_multiplier, channels);
}

/* ---- depthwise -------------------------------------------------------------------------------------------------- */

bool strata_depthwise_weights(const struct conv_config *c, int dims, const struct shape *in,
                              struct weights *ask)
{
    const size_t channels = in->dim[dims], multiplier = (size_t)c->depth_multiplier;
    strata_conv_ask_kernel(c, "kernel", "depthwise_kernel", dims, channels, multiplier, ask);
    strata_conv_ask_bias(c, channels * multiplier, ask);
    return true;
}

bool strata_depthwise_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err)
{
    const struct conv2d conv = depthwise_of(c, dims, s);
    const struct tail tail = strata_step_tail(s, c->use_bias ? &s->w[1] : NULL);
    return strata_op_conv2d(s->run, &conv, &s->x, &s->w[0], &tail, &s->y, err);
}

bool strata_depthwise_backward(const struct conv_config *c, int dims, const struct step *s, strata_error *err)
{
    const struct conv2d conv = depthwise_of(c, dims, s);
    const size_t rows = conv.n * conv.out_height * conv.out_width;
    return (!s->dw[0].buffer
            || strata_op_conv2d_kernel_gradient(s->run, &conv, &s->x, &s->dy, &s->dw[0], err))
           && (!s->dw[1].buffer || strata_op_sum_rows(s->run, &s->dy, rows, conv.filters, &s->dw[1], err))
           && (!s->dx.buffer
               || strata_op_conv2d_input_gradient(s->run, &conv, &s->dy, &s->w[0], &s->dx, err));
}

/* ---- separable -------------------------------------------------------------------------------------------------- */

bool strata_separable_weights(const struct conv_config *c, int dims, const struct shape *in,
                              struct weights *ask)
{
    const size_t channels = in->dim[dims], multiplier = (size_t)c->depth_multiplier;
    struct shape pointwise = { .rank = dims + 2 };
    for (int i = 0; i < dims; i++) pointwise.dim[i] = 1;
    pointwise.dim[dims] = channels * multiplier;
    pointwise.dim[dims + 1] = (size_t)c->filters;
    strata_conv_ask_kernel(c, "depthwise_kernel", NULL, dims, channels, multiplier, ask);
    ask->spec[ask->count++] = (struct weight_spec){
        .name = "pointwise_kernel",
        .shape = pointwise,
        .initializer = &c->pointwise_initializer,
        .regularizer = &c->pointwise_regularizer,
        .constraint = &c->pointwise_constraint,
    };
    strata_conv_ask_bias(c, (size_t)c->filters, ask);
    return true;
}

size_t strata_separable_between(const struct conv_config *c, int dims, size_t n, const struct shape *in,
                                const struct shape *out)
{
    const size_t positions = strata_shape_count(out) / (size_t)c->filters;
    return n * positions * in->dim[dims] * (size_t)c->depth_multiplier;
}

bool strata_separable_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err)
{
    const struct conv2d conv = depthwise_of(c, dims, s);
    const struct view between = s->keep.buffer ? s->keep : s->work;
    const struct gemm pointwise = {
        .m = conv.n * conv.out_height * conv.out_width,
        .n = (size_t)c->filters,
        .k = conv.filters,
        .a = between,
        .b = s->w[1],
        .c = s->y,
        .tail = strata_step_tail(s, c->use_bias ? &s->w[2] : NULL),
    };
    return strata_op_conv2d(s->run, &conv, &s->x, &s->w[0], NULL, &between, err)
           && strata_op_gemm(s->run, &pointwise, err);
}

bool strata_separable_backward(const struct conv_config *c, int dims, const struct step *s, strata_error *err)
{
    const struct conv2d conv = depthwise_of(c, dims, s);
    const size_t rows = conv.n * conv.out_height * conv.out_width, filters = (size_t)c->filters;
    const struct gemm kernel = { .m = conv.filters,
                                 .n = filters,
                                 .k = rows,
                                 .transpose_a = true,
                                 .a = s->keep,
                                 .b = s->dy,
                                 .c = s->dw[1] };
    const struct gemm between = { .m = rows,
                                  .n = conv.filters,
                                  .k = filters,
                                  .transpose_b = true,
                                  .a = s->dy,
                                  .b = s->w[1],
                                  .c = s->work };
    const bool below = s->dw[0].buffer || s->dx.buffer;
    return (!s->dw[1].buffer || strata_op_gemm(s->run, &kernel, err))
           && (!s->dw[2].buffer || strata_op_sum_rows(s->run, &s->dy, rows, filters, &s->dw[2], err))
           && (!below || strata_op_gemm(s->run, &between, err))
           && (!s->dw[0].buffer
               || strata_op_conv2d_kernel_gradient(s->run, &conv, &s->x, &s->work, &s->dw[0], err))
           && (!s->dx.buffer
               || strata_op_conv2d_input_gradient(s->run, &conv, &s->work, &s->w[0], &s->dx, err));
}
