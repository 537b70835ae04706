/* Batch normalization whose output is pooled as it is computed gives what the two operations give one after the other, forward to the
 * bit and backward but for the order of the sums. */
#include <string.h>

#include "ops/normalize.h"
#include "support.h"

/* Windows that fill the image, and that leave rows or columns over; channels that vectors divide, and that they don't. */
static const struct {
    size_t n, height, width, channels;
    int pool_height, pool_width;
    bool gamma, beta, constant;
} cases[] = {
    { 5, 8, 8, 32, 2, 2, true, true, false }, { 3, 7, 9, 16, 2, 2, true, true, false }, { 2, 9, 5, 3, 3, 1, false, true, false },
    { 4, 6, 7, 20, 1, 3, true, false, false }, { 2, 3, 3, 8, 4, 4, true, true, false },  { 3, 6, 5, 17, 2, 2, true, true, true },
    { 70, 5, 4, 4, 2, 2, false, false, false },
};

struct tensors {
    struct tensor x, gamma, beta, dy, stats, z, dz, parameters[2]; /* z: not pooled */
    struct tensor y[2], index[2], dx[2];                           /* apart and together */
    size_t xs, ys, indices;
};

static struct normalize normalize_of(size_t k, const struct tensors *t, enum activation_kind activation)
{
    struct normalize n = { .kind = NORMALIZE_BATCH, .axes = 8, .epsilon = 1e-3, .activation = activation,
                           .shape = { 4, { cases[k].n, cases[k].height, cases[k].width, cases[k].channels } } };
    if (cases[k].gamma) n.gamma = t->gamma.view;
    if (cases[k].beta) n.beta = t->beta.view;
    return n;
}

static struct pool2d pool_of(size_t k)
{
    return (struct pool2d){ .n = cases[k].n, .height = cases[k].height, .width = cases[k].width, .channels = cases[k].channels,
                            .out_height = cases[k].height / (size_t)cases[k].pool_height,
                            .out_width = cases[k].width / (size_t)cases[k].pool_width, .pool_height = cases[k].pool_height,
                            .pool_width = cases[k].pool_width, .stride_h = cases[k].pool_height, .stride_w = cases[k].pool_width };
}

static struct tensor filled(struct device *device, size_t count, unsigned seed, float step)
{
    float *some = numbers(count, seed);
    for (size_t i = 0; i < count; i++) some[i] = roundf(some[i] * step) / step; /* ties */
    const struct tensor t = tensor_of(device, some, count);
    free(some);
    return t;
}

static void make(struct device *device, size_t k, struct tensors *t)
{
    const struct pool2d pool = pool_of(k);
    const size_t channels = cases[k].channels;
    t->xs = cases[k].n * cases[k].height * cases[k].width * channels;
    t->ys = cases[k].n * pool.out_height * pool.out_width * channels;
    t->indices = strata_op_max_pool2d_index(t->ys > 0 ? t->ys : 1, (size_t)(pool.pool_height * pool.pool_width));
    t->x = filled(device, t->xs, 1, 4);
    t->gamma = filled(device, channels, 2, 64);
    t->beta = filled(device, channels, 3, 64);
    t->dy = filled(device, t->ys > 0 ? t->ys : 1, 4, 1024);
    t->stats = tensor_of(device, NULL, 2 * channels);
    t->z = tensor_of(device, NULL, t->xs);
    t->dz = tensor_of(device, NULL, t->xs);
    for (int i = 0; i < 2; i++) {
        float *zeros = calloc(t->indices, sizeof *zeros); /* the last few bytes belong to no output */
        cr_assert_not_null(zeros);
        t->y[i] = tensor_of(device, NULL, t->ys > 0 ? t->ys : 1);
        t->index[i] = tensor_of(device, zeros, t->indices);
        t->dx[i] = tensor_of(device, NULL, t->xs);
        t->parameters[i] = tensor_of(device, NULL, 2 * channels);
        free(zeros);
    }
}

static void drop(struct tensors *t)
{
    struct tensor *all[] = { &t->x, &t->gamma, &t->beta, &t->dy, &t->stats, &t->z, &t->dz, &t->parameters[0], &t->parameters[1],
                             &t->y[0], &t->y[1], &t->index[0], &t->index[1], &t->dx[0], &t->dx[1] };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free_tensor(all[i]);
}

static void expect(struct device *device, struct tensor *pair, double tolerance, size_t k, const char *what)
{
    float *apart = read_tensor(device, &pair[0]), *together = read_tensor(device, &pair[1]);
    double most = 0;
    for (size_t i = 0; i < pair->count; i++) most = fmax(most, fabs((double)apart[i]));
    if (tolerance == 0)
        cr_assert_eq(memcmp(apart, together, pair->count * sizeof *apart), 0, "case %zu: %s", k, what);
    for (size_t i = 0; i < pair->count; i++)
        cr_assert_float_eq(together[i], apart[i], tolerance * most, "case %zu: %s[%zu] is %g, not %g", k, what, i, (double)together[i],
                           (double)apart[i]);
    free(apart);
    free(together);
}

static struct view half_of(const struct tensor *t, size_t half)
{
    const size_t count = t->count / 2;
    return (struct view){ .buffer = t->view.buffer, .offset = t->view.offset + half * count, .shape = { 1, { count } } };
}

static void check_backward(struct run *run, size_t k, const struct tensors *t)
{
    strata_error err = { 0 };
    const struct pool2d pool = pool_of(k);
    struct normalize n = normalize_of(k, t, ACTIVATION_LINEAR);
    for (int i = 0; i < 2; i++) {
        struct normalize_gradient g = { .x = t->x.view, .dy = i ? t->dy.view : t->dz.view, .mean = half_of(&t->stats, 0),
                                        .variance = half_of(&t->stats, 1), .dx = t->dx[i].view, .constant_stats = cases[k].constant,
                                        .dbeta = half_of(&t->parameters[i], 0), .dgamma = half_of(&t->parameters[i], 1) };
        if (i == 0)
            cr_assert(strata_op_max_pool2d_gradient(run, &pool, &t->dy.view, &t->index[0].view, &t->dz.view, &err), "%s", err.message);
        if (i == 1) {
            cr_assert(strata_op_max_pool2d_beside(&pool, &n.pooled));
            n.pooled.index = t->index[1].view;
        }
        cr_assert(strata_op_normalize_gradient(run, &n, &g, &err), "%s", err.message);
    }
}

static void check(struct device *device, struct run *run, size_t k)
{
    strata_error err = { 0 };
    struct tensors t;
    const struct pool2d pool = pool_of(k);
    make(device, k, &t);
    struct normalize n = normalize_of(k, &t, k % 2 ? ACTIVATION_LINEAR : ACTIVATION_RELU);
    cr_assert(strata_op_normalize(run, &n, &t.x.view, &t.stats.view, &t.z.view, &err), "%s", err.message);
    cr_assert(t.ys == 0 || strata_op_max_pool2d(run, &pool, &t.z.view, &t.y[0].view, &t.index[0].view, &err), "%s", err.message);
    cr_assert(strata_op_max_pool2d_beside(&pool, &n.pooled));
    n.pooled.index = t.index[1].view;
    cr_assert(strata_op_normalize(run, &n, &t.x.view, &t.stats.view, &t.y[1].view, &err), "%s", err.message);
    if (t.ys > 0) {
        expect(device, t.y, 0, k, "y");
        expect(device, t.index, 0, k, "index");
        check_backward(run, k, &t);
        expect(device, t.dx, 3e-6, k, "dx");
        expect(device, t.parameters, 3e-6, k, "dbeta and dgamma");
    }
    drop(&t);
}

Test(normalize, pools_its_output_as_it_computes_it)
{
    static const strata_device_class classes[] = { STRATA_CPU_CLASS, STRATA_GPU_CLASS };
    for (int i = 0; i < 2; i++) {
        struct device *device = open_as(classes[i]);
        struct run *run = immediate(device);
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) check(device, run, k);
        strata_run_free(run);
        strata_device_close(device);
    }
}
