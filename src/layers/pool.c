#include "layers/pool.h"

bool strata_pool_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct pool_config *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

static struct windows windows_of(const struct pool_config *c, int dims)
{
    return strata_windows(dims, &c->pool_size, c->strides.count ? &c->strides : &c->pool_size, NULL,
                          c->padding);
}

bool strata_pool_shape(const struct pool_config *c, int dims, const char *class_name, const struct shape *in,
                       struct shape *out, strata_error *err)
{
    struct plane plane;
    struct windows windows = windows_of(c, dims);
    if (!strata_plane(in, dims, class_name, &plane, err)
        || !strata_windows_place(&windows, in, dims, "pool", err))
        return false;
    *out = strata_plane_shape(dims, windows.out, plane.channels);
    return true;
}

struct pool2d strata_pool_of(const struct pool_config *c, const struct shape *x, int dims)
{
    strata_error err = { 0 };
    struct windows w = windows_of(c, dims);
    struct shape in = { .rank = dims + 1 };
    for (int i = 0; i < in.rank; i++) in.dim[i] = x->dim[i + 1];
    strata_windows_place(&w, &in, dims, "pool", &err);
    return (struct pool2d){
        .n = x->dim[0],
        .height = dims == 2 ? in.dim[0] : 1,
        .width = in.dim[dims - 1],
        .channels = in.dim[dims],
        .out_height = w.out[0],
        .out_width = w.out[1],
        .pool_height = (int)w.size[0],
        .pool_width = (int)w.size[1],
        .stride_h = (int)w.stride[0],
        .stride_w = (int)w.stride[1],
        .pad_top = w.pad[0],
        .pad_left = w.pad[1],
    };
}

size_t strata_max_pool_keep(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct pool_config *c = config;
    size_t cells = 1;
    (void)in;
    for (int i = 0; i < c->pool_size.count; i++) cells *= (size_t)c->pool_size.v[i];
    return strata_op_max_pool2d_index(n * strata_shape_count(out), cells);
}

bool strata_max_pool_forward(const struct pool_config *c, int dims, const struct step *s, strata_error *err)
{
    const struct pool2d pool = strata_pool_of(c, &s->x.shape, dims);
    return strata_op_max_pool2d(s->run, &pool, &s->x, &s->y, &s->keep, err);
}

bool strata_max_pool_backward(const struct pool_config *c, int dims, const struct step *s, strata_error *err)
{
    const struct pool2d pool = strata_pool_of(c, &s->x.shape, dims);
    return !s->dx.buffer || strata_op_max_pool2d_gradient(s->run, &pool, &s->dy, &s->keep, &s->dx, err);
}

bool strata_average_pool_forward(const struct pool_config *c, int dims, const struct step *s,
                                 strata_error *err)
{
    const struct pool2d pool = strata_pool_of(c, &s->x.shape, dims);
    return strata_op_average_pool2d(s->run, &pool, &s->x, &s->y, err);
}

bool strata_average_pool_backward(const struct pool_config *c, int dims, const struct step *s,
                                  strata_error *err)
{
    const struct pool2d pool = strata_pool_of(c, &s->x.shape, dims);
    return !s->dx.buffer || strata_op_average_pool2d_gradient(s->run, &pool, &s->dy, &s->dx, err);
}
