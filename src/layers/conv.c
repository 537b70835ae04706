#include "layers/conv.h"

static bool any_above_1(const struct ints *ints)
{
    for (int i = 0; i < ints->count; i++)
        if (ints->v[i] > 1) return true;
    return false;
}

bool strata_conv_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct conv_config *c = config;
    (void)flavour;
    if (!strata_check_data_format(c->data_format, err)) return false;
    if (any_above_1(&c->strides) && any_above_1(&c->dilation_rate))
        return strata_fail(
            err, STRATA_EVALUE,
            "strides above 1 and dilation_rate above 1 do not go together; leave one of them at 1");
    if (c->groups > 1 && c->filters % c->groups != 0)
        return strata_fail(err, STRATA_EVALUE,
                           "filters is %ld; it must be a multiple of groups, which is %ld", c->filters,
                           c->groups);
    return true;
}

bool strata_conv_windows(const struct conv_config *c, const struct shape *in, int dims,
                         struct windows *windows, strata_error *err)
{
    *windows = strata_windows(dims, &c->kernel_size, &c->strides, &c->dilation_rate, c->padding);
    return strata_windows_place(windows, in, dims, "kernel", err);
}

struct conv2d strata_conv_of(const struct conv_config *c, const struct shape *x, int dims, size_t filters,
                             size_t groups)
{
    strata_error err = { 0 };
    struct windows w;
    struct shape in = { .rank = x->rank - 1 };
    for (int i = 0; i < in.rank; i++) in.dim[i] = x->dim[i + 1];
    strata_conv_windows(c, &in, dims, &w, &err);
    return (struct conv2d){
        .n = x->dim[0],
        .height = dims == 2 ? in.dim[0] : 1,
        .width = in.dim[dims - 1],
        .channels = in.dim[dims],
        .out_height = w.out[0],
        .out_width = w.out[1],
        .filters = filters,
        .kernel_height = (int)w.size[0],
        .kernel_width = (int)w.size[1],
        .stride_h = (int)w.stride[0],
        .stride_w = (int)w.stride[1],
        .dilation_h = (int)w.dilation[0],
        .dilation_w = (int)w.dilation[1],
        .pad_top = w.pad[0],
        .pad_left = w.pad[1],
        .groups = (int)groups,
    };
}

struct conv2d strata_conv_of_step(const struct conv_config *c, const struct step *s, int dims, size_t filters, size_t groups)
{
    struct shape x = s->x.shape;
    const struct rim *rim = &s->rim;
    if (rim->top + rim->bottom + rim->left + rim->right == 0) return strata_conv_of(c, &x, dims, filters, groups);
    x.dim[1] += rim->top + rim->bottom;
    x.dim[2] += rim->left + rim->right;
    struct conv2d conv = strata_conv_of(c, &x, dims, filters, groups);
    conv.height = s->x.shape.dim[1];
    conv.width = s->x.shape.dim[2];
    conv.pad_top += (int)rim->top;
    conv.pad_left += (int)rim->left;
    return conv;
}

void strata_conv_ask_kernel(const struct conv_config *c, const char *name, const char *keras2, int dims,
                            size_t rows, size_t columns, struct weights *ask)
{
    struct shape shape = { .rank = dims + 2 };
    for (int i = 0; i < dims; i++) shape.dim[i] = (size_t)c->kernel_size.v[i];
    shape.dim[dims] = rows;
    shape.dim[dims + 1] = columns;
    ask->spec[ask->count++] = (struct weight_spec){
        .name = name,
        .keras2 = keras2,
        .shape = shape,
        .initializer = &c->kernel_initializer,
        .regularizer = &c->kernel_regularizer,
        .constraint = &c->kernel_constraint,
    };
}

void strata_conv_ask_bias(const struct conv_config *c, size_t count, struct weights *ask)
{
    if (c->use_bias)
        ask->spec[ask->count++] = (struct weight_spec){
            .name = "bias",
            .shape = { 1, { count } },
            .initializer = &c->bias_initializer,
            .regularizer = &c->bias_regularizer,
            .constraint = &c->bias_constraint,
        };
}
