#include "layers/global_pool.h"

bool strata_global_pool_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct global_pool_config *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

bool strata_global_pool_shape(const struct global_pool_config *c, int dims, const char *class_name,
                              const struct shape *in, struct shape *out, strata_error *err)
{
    if (!strata_layer_expect_rank(in, dims + 1, class_name, err)) return false;
    *out = (struct shape){ .rank = c->keepdims ? dims + 1 : 1 };
    for (int i = 0; i + 1 < out->rank; i++) out->dim[i] = 1;
    out->dim[out->rank - 1] = in->dim[dims];
    return true;
}

static size_t positions_of(const struct step *s)
{
    const size_t n = s->x.shape.dim[0];
    return n ? strata_view_rows(&s->x) / n : 0;
}

bool strata_global_max_forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return strata_op_global_max_pool(s->run, s->x.shape.dim[0], positions_of(s), strata_view_columns(&s->x),
                                     &s->x, &s->y, err);
}

bool strata_global_max_backward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return !s->dx.buffer
           || strata_op_global_max_pool_gradient(s->run, s->x.shape.dim[0], positions_of(s),
                                                 strata_view_columns(&s->x), &s->x, &s->y, &s->dy, &s->dx,
                                                 err);
}

bool strata_global_average_forward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return strata_op_global_average_pool(s->run, s->x.shape.dim[0], positions_of(s),
                                         strata_view_columns(&s->x), &s->x, &s->y, err);
}

bool strata_global_average_backward(const void *config, const struct step *s, strata_error *err)
{
    (void)config;
    return !s->dx.buffer
           || strata_op_global_average_pool_gradient(s->run, s->x.shape.dim[0], positions_of(s),
                                                     strata_view_columns(&s->x), &s->dy, &s->dx, err);
}
