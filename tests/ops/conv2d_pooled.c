/* A convolution whose output is pooled as it is computed gives the bits of the two operations one after the other, forward and
 * backward. */
#include <string.h>

#include "ops/conv2d.h"
#include "support.h"

/* Windows that fill the tiles of both sizes, and that leave rows, columns or a part of a tile over; channels that do not fill a vector. */
static const struct {
    size_t n, height, width, channels, filters;
    int pad, pool_height, pool_width;
} cases[] = {
    { 3, 14, 14, 16, 64, 0, 2, 2 }, { 2, 12, 9, 20, 19, 1, 2, 2 }, { 2, 8, 11, 5, 35, 1, 2, 1 },
    { 2, 12, 12, 32, 32, 1, 4, 4 }, { 2, 10, 7, 3, 16, 1, 1, 2 },  { 1, 6, 5, 16, 16, 0, 2, 2 },
};

static struct conv2d conv_of(size_t k)
{
    const size_t out_height = cases[k].height - 2 + 2 * (size_t)cases[k].pad, out_width = cases[k].width - 2 + 2 * (size_t)cases[k].pad;
    return (struct conv2d){ .n = cases[k].n, .height = cases[k].height, .width = cases[k].width, .channels = cases[k].channels,
                            .out_height = out_height, .out_width = out_width, .filters = cases[k].filters, .kernel_height = 3,
                            .kernel_width = 3, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1,
                            .pad_top = cases[k].pad, .pad_left = cases[k].pad, .groups = 1 };
}

static struct pool2d pool_of(const struct conv2d *c, size_t k)
{
    return (struct pool2d){ .n = c->n, .height = c->out_height, .width = c->out_width, .channels = c->filters,
                            .out_height = c->out_height / (size_t)cases[k].pool_height,
                            .out_width = c->out_width / (size_t)cases[k].pool_width, .pool_height = cases[k].pool_height,
                            .pool_width = cases[k].pool_width, .stride_h = cases[k].pool_height, .stride_w = cases[k].pool_width };
}

static void same(struct device *device, struct tensor *got, struct tensor *wanted, size_t k, const char *what)
{
    float *a = read_tensor(device, got), *b = read_tensor(device, wanted);
    cr_assert_eq(memcmp(a, b, got->count * sizeof *a), 0, "%s, case %zu", what, k);
    free(a);
    free(b);
    free_tensor(got);
    free_tensor(wanted);
}

static void check(struct device *device, struct run *run, size_t k)
{
    strata_error err = { 0 };
    const struct conv2d apart = conv_of(k);
    const struct pool2d pool = pool_of(&apart, k);
    struct conv2d conv = apart;
    cr_assert(strata_op_max_pool2d_beside(&pool, &conv.pooled));
    cr_assert(strata_op_conv2d_pools(device, false, &conv), "case %zu", k);
    const size_t xs = conv.n * conv.height * conv.width * conv.channels, kernels = 9 * conv.channels * conv.filters;
    const size_t sums = conv.n * conv.out_height * conv.out_width * conv.filters;
    const size_t ys = conv.n * pool.out_height * pool.out_width * conv.filters;
    float *of_x = numbers(xs, 1), *of_kernel = numbers(kernels, 2), *of_bias = numbers(conv.filters, 3), *of_dy = numbers(ys, 4);
    for (size_t i = 0; i < xs; i++) of_x[i] = roundf(of_x[i] * 4) / 4;
    for (size_t i = 0; i < kernels; i++) of_kernel[i] = roundf(of_kernel[i] * 2) / 2; /* ties */
    of_x[xs / 2] = NAN;
    struct tensor x = tensor_of(device, of_x, xs), kernel = tensor_of(device, of_kernel, kernels),
                  bias = tensor_of(device, of_bias, conv.filters), dy = tensor_of(device, of_dy, ys),
                  sum = tensor_of(device, NULL, sums), dsum = tensor_of(device, NULL, sums);
    const size_t indices = strata_op_max_pool2d_index(ys, (size_t)(pool.pool_height * pool.pool_width));
    float *zeros = calloc(indices, sizeof *zeros); /* the last few bytes belong to no output */
    cr_assert_not_null(zeros);
    struct tensor y[2], index[2], dx[2], dkernel[2];
    for (int i = 0; i < 2; i++) {
        y[i] = tensor_of(device, NULL, ys);
        index[i] = tensor_of(device, zeros, indices);
        dx[i] = tensor_of(device, NULL, xs);
        dkernel[i] = tensor_of(device, NULL, kernels);
    }
    const struct tail tail = { .bias = bias.view, .activation = k % 2 ? ACTIVATION_RELU : ACTIVATION_LINEAR };
    cr_assert(strata_op_conv2d(run, &apart, &x.view, &kernel.view, &tail, &sum.view, &err)
              && strata_op_max_pool2d(run, &pool, &sum.view, &y[0].view, &index[0].view, &err)
              && strata_op_max_pool2d_gradient(run, &pool, &dy.view, &index[0].view, &dsum.view, &err)
              && strata_op_conv2d_input_gradient(run, &apart, &dsum.view, &kernel.view, &dx[0].view, &err)
              && strata_op_conv2d_kernel_gradient(run, &apart, &x.view, &dsum.view, &dkernel[0].view, &err), "%s", err.message);
    conv.pooled.index = index[1].view;
    cr_assert(strata_op_conv2d(run, &conv, &x.view, &kernel.view, &tail, &y[1].view, &err)
              && strata_op_conv2d_input_gradient(run, &conv, &dy.view, &kernel.view, &dx[1].view, &err)
              && strata_op_conv2d_kernel_gradient(run, &conv, &x.view, &dy.view, &dkernel[1].view, &err), "%s", err.message);
    same(device, &y[1], &y[0], k, "y");
    conv.pooled.index = (struct view){ 0 };
    y[0] = tensor_of(device, NULL, ys);
    y[1] = tensor_of(device, NULL, ys);
    cr_assert(strata_op_max_pool2d(run, &pool, &sum.view, &y[0].view, &conv.pooled.index, &err)
              && strata_op_conv2d(run, &conv, &x.view, &kernel.view, &tail, &y[1].view, &err), "%s", err.message);
    same(device, &y[1], &y[0], k, "y without places");
    same(device, &index[1], &index[0], k, "places");
    same(device, &dx[1], &dx[0], k, "dx");
    same(device, &dkernel[1], &dkernel[0], k, "dkernel");
    struct tensor *rest[] = { &x, &kernel, &bias, &dy, &sum, &dsum };
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) free_tensor(rest[i]);
    float *numbers_of[] = { of_x, of_kernel, of_bias, of_dy, zeros };
    for (size_t i = 0; i < sizeof numbers_of / sizeof *numbers_of; i++) free(numbers_of[i]);
}

Test(conv2d, pools_its_output_as_it_computes_it)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    force("conv2d", "winograd");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) check(device, run, k);
    strata_run_free(run);
    strata_device_close(device);
}
