#include "layers/merging.h"

#include "ops/map.h"

int strata_merge_inputs(const struct shape *in)
{
    int count = 0;
    while (in[count].rank >= 0) count++;
    return count;
}

/* The shape with axes of extent 1 in front. */
static struct shape widened(const struct shape *shape, int rank)
{
    struct shape wide = { .rank = rank };
    for (int i = 0; i < rank; i++)
        wide.dim[i] = i < rank - shape->rank ? 1 : shape->dim[i - (rank - shape->rank)];
    return wide;
}

bool strata_merge_shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    char a[STRATA_SHAPE_TEXT], b[STRATA_SHAPE_TEXT];
    const int inputs = strata_merge_inputs(in);
    (void)config;
    *out = in[0];
    for (int k = 1; k < inputs; k++) {
        const int rank = in[k].rank > out->rank ? in[k].rank : out->rank;
        const struct shape own = widened(&in[k], rank), all = widened(out, rank);
        for (int i = 0; i < rank; i++)
            if (own.dim[i] != all.dim[i] && own.dim[i] != 1 && all.dim[i] != 1)
                return strata_fail(err, STRATA_ESHAPE, "inputs have shapes %s and %s, which cannot be merged",
                                   strata_layer_shape_text(&in[0], a), strata_layer_shape_text(&in[k], b));
        *out = all;
        for (int i = 0; i < rank; i++) out->dim[i] = own.dim[i] > all.dim[i] ? own.dim[i] : all.dim[i];
    }
    return inputs > 1 || strata_fail(err, STRATA_ESHAPE, "a layer that merges needs at least 2 inputs");
}

static struct shape widened_batch(const struct shape *x, int rank)
{
    const struct shape sample = { x->rank - 1, { x->dim[1], x->dim[2], x->dim[3], x->dim[4], x->dim[5] } };
    const struct shape wide = widened(&sample, rank - 1);
    return strata_shape_batch(x->dim[0], &wide);
}

struct view strata_merge_input(const struct step *s, int k)
{
    return strata_view_as(&s->xs[k], widened_batch(&s->xs[k].shape, s->y.shape.rank));
}

bool strata_merge_forward(enum merge_op op, const struct step *s, strata_error *err)
{
    const struct view none = { 0 };
    const bool pair = op == MERGE_ADD && strata_shape_equal(&s->xs[0].shape, &s->y.shape)
                      && strata_shape_equal(&s->xs[1].shape, &s->y.shape);
    if (pair && !strata_op_add(s->run, &s->xs[0], &s->xs[1], &s->y, err)) return false;
    for (int k = pair ? 2 : 0; k < s->inputs; k++) {
        const struct view x = strata_merge_input(s, k);
        if (!strata_op_merge(s->run, k ? op : MERGE_COPY, &x, &none, &s->y, err)) return false;
    }
    return true;
}

struct view strata_merge_gradient(const struct step *s, int k)
{
    return strata_view_as(&s->dxs[k], widened_batch(&s->dxs[k].shape, s->dy.shape.rank));
}

bool strata_merge_pass(const struct step *s, int k, double factor, strata_error *err)
{
    const struct view none = { 0 }, dx = strata_merge_gradient(s, k);
    return !dx.buffer || strata_op_merge_gradient(s->run, &s->dy, &none, factor, &dx, err);
}

bool strata_merge_choose(const struct step *s, int k, strata_error *err)
{
    const struct view dx = strata_merge_gradient(s, k), own = strata_merge_input(s, k);
    const struct view weight = strata_view_as(&s->work, s->dy.shape);
    bool ok =
        !dx.buffer
        || (strata_op_zero(s->run, &weight, err) && strata_op_affine(s->run, &weight, 0, 1, &weight, err)
            && strata_op_merge(s->run, MERGE_KEEP_EQUAL, &own, &s->y, &weight, err));
    for (int j = 0; ok && dx.buffer && j < k; j++) {
        const struct view before = strata_merge_input(s, j);
        ok = strata_op_merge(s->run, MERGE_KEEP_UNEQUAL, &before, &s->y, &weight, err);
    }
    return ok && (!dx.buffer || strata_op_merge_gradient(s->run, &s->dy, &weight, 1, &dx, err));
}

size_t strata_merge_work(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    (void)config;
    (void)in;
    return n * strata_shape_count(out);
}
