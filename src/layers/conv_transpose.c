#include "layers/conv_transpose.h"

#include "ops/map.h"
#include "ops/reduce.h"

bool strata_conv_transpose_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct conv_config *c = config;
    for (int i = 0; i < c->output_padding.count; i++)
        if (c->output_padding.v[i] >= c->strides.v[i])
            return strata_fail(err, STRATA_EVALUE,
                               "output_padding is %ld; it must be below the stride, which is %ld",
                               c->output_padding.v[i], c->strides.v[i]);
    return strata_conv_check(config, flavour, err);
}

/* The output's extent along axis i of kernel_size. Source: _get_output_shape_given_tf_padding of Keras 3. */
static size_t extent(const struct conv_config *c, int i, size_t in)
{
    const size_t stride = (size_t)c->strides.v[i];
    const size_t reach = (size_t)((c->kernel_size.v[i] - 1) * c->dilation_rate.v[i] + 1);
    const bool given = c->output_padding.count > 0;
    const size_t extra = given ? (size_t)c->output_padding.v[i] : 0;
    if (c->padding == PADDING_SAME) return given ? (in - 1) * stride + reach % 2 + extra : in * stride;
    return (in - 1) * stride + (given ? reach + extra : reach > stride ? reach : stride);
}

static struct shape out_shape(const struct conv_config *c, int dims, const struct shape *in)
{
    struct shape out = *in;
    for (int i = 0; i < dims; i++) out.dim[i] = in->dim[i] ? extent(c, i, in->dim[i]) : 0;
    out.dim[dims] = (size_t)c->filters;
    return out;
}

/* The convolution that leads back must end at the input's extent, else no padding fits. */
bool strata_conv_transpose_shape(const struct conv_config *c, int dims, const char *class_name,
                                 const struct shape *in, struct shape *out, strata_error *err)
{
    struct plane plane;
    struct windows windows;
    char text[STRATA_SHAPE_TEXT];
    if (!strata_plane(in, dims, class_name, &plane, err)) return false;
    *out = out_shape(c, dims, in);
    if (!strata_conv_windows(c, out, dims, &windows, err)) return false;
    if (windows.out[1] == in->dim[dims - 1] && (dims == 1 || windows.out[0] == in->dim[0])) return true;
    return strata_fail(err, STRATA_ESHAPE,
                       "output_padding does not fit the kernel and strides for input %s; leave it out",
                       strata_layer_shape_text(in, text));
}

bool strata_conv_transpose_weights(const struct conv_config *c, int dims, const struct shape *in,
                                   struct weights *ask)
{
    strata_conv_ask_kernel(c, "kernel", NULL, dims, (size_t)c->filters, in->dim[dims], ask);
    strata_conv_ask_bias(c, (size_t)c->filters, ask);
    return true;
}

/* From the output (shape with batch axis) to the input. */
static struct conv2d conv_back(const struct conv_config *c, int dims, const struct shape *y,
                               const struct shape *x)
{
    return strata_conv_of(c, y, dims, x->dim[dims + 1], 1);
}

bool strata_conv_transpose_forward(const struct conv_config *c, int dims, const struct step *s,
                                   strata_error *err)
{
    const struct conv2d conv = conv_back(c, dims, &s->y.shape, &s->x.shape);
    return strata_op_conv2d_input_gradient(s->run, &conv, &s->x, &s->w[0], &s->y, err)
           && (!c->use_bias || strata_op_add_bias(s->run, &s->y, &s->w[1], &s->y, err));
}

bool strata_conv_transpose_backward(const struct conv_config *c, int dims, const struct step *s,
                                    strata_error *err)
{
    const struct conv2d conv = conv_back(c, dims, &s->dy.shape, &s->x.shape);
    const size_t rows = strata_view_rows(&s->dy), filters = (size_t)c->filters;
    return (!s->dw[0].buffer
            || strata_op_conv2d_kernel_gradient(s->run, &conv, &s->dy, &s->x, &s->dw[0], err))
           && (!s->dw[1].buffer || strata_op_sum_rows(s->run, &s->dy, rows, filters, &s->dw[1], err))
           && (!s->dx.buffer
               || strata_op_conv2d(s->run, &conv, &s->dy, &s->w[0], NULL, &s->dx, err));
}
