/* RepeatVector: (batch, features) to (batch, n, features). */
#include "layers/fields_common.h"
#include "ops/map.h"
#include "ops/pool2d.h"
#include "ops/strided.h"

struct repeat_vector {
    long n;
};

static const struct field fields[] = {
    { "n", FIELD_INT, offsetof(struct repeat_vector, n), .required = true, .min = 1, .max = 1e9,
      .help = "how often" },
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct repeat_vector *c = config;
    if (!strata_layer_expect_rank(in, 1, "RepeatVector", err)) return false;
    *out = (struct shape){ 2, { (size_t)c->n, in->dim[0] } };
    return true;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct repeat_vector *c = config;
    const size_t times = (size_t)c->n, features = strata_view_columns(&s->x);
    const struct strided box = { .rank = 3,
                                 .dim = { s->x.shape.dim[0], times, features },
                                 .from = { features, 0, 1 },
                                 .to = { times * features, features, 1 } };
    return strata_op_strided(s->run, &box, &s->x, &s->y, err);
}

/* The sum over the copies: their mean times their number. */
static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct repeat_vector *c = config;
    return !s->dx.buffer
           || (strata_op_global_average_pool(s->run, s->dx.shape.dim[0], (size_t)c->n,
                                             strata_view_columns(&s->dx), &s->dy, &s->dx, err)
               && strata_op_affine(s->run, &s->dx, (double)c->n, 0, &s->dx, err));
}

const struct layer_class strata_layer_repeat_vector = {
    .class = { .name = "RepeatVector",
               .config_size = sizeof(struct repeat_vector),
               .fields = fields,
               .help = "the same vector n times" },
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
