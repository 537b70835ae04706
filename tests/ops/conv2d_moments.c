/* The moments that a convolution gives of its output are those of the output, and batch normalization gets its statistics from them. */
#include "ops/conv2d.h"
#include "ops/normalize.h"
#include "support.h"

/* Of several slices; channels that fill vectors and that don't; rows, columns and tiles that are cut short; both sizes of tile of
 * winograd, and blocks of pixels of few channels. */
static const struct {
    const char *implementation;
    size_t n, height, width, channels, filters;
    int kernel, stride, pad;
} cases[] = {
    { "winograd", 9, 16, 16, 32, 64, 3, 1, 1 }, { "winograd", 5, 13, 11, 20, 19, 3, 1, 1 }, { "winograd", 3, 12, 12, 5, 35, 3, 1, 0 },
    { "winograd", 7, 6, 6, 64, 16, 3, 1, 1 },   { "winograd", 1, 1, 1, 3, 4, 3, 1, 1 },     { "winograd", 2, 23, 10, 40, 90, 3, 1, 1 },
    { "tiled", 5, 32, 32, 3, 64, 3, 1, 1 },     { "tiled", 3, 15, 12, 1, 21, 5, 1, 0 },      { "tiled", 2, 33, 30, 3, 8, 3, 2, 1 },
    { "tiled", 2, 40, 10, 2, 40, 3, 1, 1 },
};

static struct conv2d conv_of(size_t k)
{
    const size_t kernel = (size_t)cases[k].kernel, stride = (size_t)cases[k].stride, around = 2 * (size_t)cases[k].pad;
    return (struct conv2d){ .n = cases[k].n, .height = cases[k].height, .width = cases[k].width, .channels = cases[k].channels,
                            .out_height = (cases[k].height + around - kernel) / stride + 1,
                            .out_width = (cases[k].width + around - kernel) / stride + 1, .filters = cases[k].filters,
                            .kernel_height = cases[k].kernel, .kernel_width = cases[k].kernel, .stride_h = cases[k].stride,
                            .stride_w = cases[k].stride, .dilation_h = 1, .dilation_w = 1, .pad_top = cases[k].pad,
                            .pad_left = cases[k].pad, .groups = 1 };
}

/* Means and variances of y (rows, channels). */
static void check_statistics(const float *y, const float *statistics, size_t rows, size_t channels, size_t k)
{
    for (size_t c = 0; c < channels; c++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < rows; i++) mean += (double)y[i * channels + c] / (double)rows;
        for (size_t i = 0; i < rows; i++) variance += ((double)y[i * channels + c] - mean) * ((double)y[i * channels + c] - mean) / (double)rows;
        cr_assert_float_eq(statistics[c], mean, 1e-6 * (fabs(mean) + sqrt(variance)), "case %zu, channel %zu: mean %g, not %g", k, c,
                           (double)statistics[c], mean);
        cr_assert_float_eq(statistics[channels + c], variance, 1e-5 * variance, "case %zu, channel %zu: variance %g, not %g", k, c,
                           (double)statistics[channels + c], variance);
    }
}

static void check(struct device *device, struct run *run, size_t k)
{
    strata_error err = { 0 };
    const struct conv2d conv = conv_of(k);
    force("conv2d", cases[k].implementation);
    const size_t slices = strata_op_conv2d_moments(device, false, &conv), parts = strata_moments_elements(slices, conv.filters);
    cr_assert_gt(slices, 0, "case %zu", k);
    const size_t rows = conv.n * conv.out_height * conv.out_width, ys = rows * conv.filters;
    const size_t xs = conv.n * conv.height * conv.width * conv.channels;
    const size_t kernels = (size_t)(conv.kernel_height * conv.kernel_width) * conv.channels * conv.filters;
    float *of_x = numbers(xs, 1), *of_kernel = numbers(kernels, 2), *of_bias = numbers(conv.filters, 3);
    for (size_t i = 0; i < conv.filters; i++) of_bias[i] *= 1000; /* a mean that is large beside the variance */
    struct tensor x = tensor_of(device, of_x, xs), kernel = tensor_of(device, of_kernel, kernels),
                  bias = tensor_of(device, of_bias, conv.filters), part = tensor_of(device, NULL, parts),
                  y = tensor_of(device, NULL, ys), z = tensor_of(device, NULL, ys), statistics = tensor_of(device, NULL, 2 * conv.filters);
    const struct tail tail = { .bias = bias.view, .activation = k % 2 ? ACTIVATION_RELU : ACTIVATION_LINEAR, .moments = { part.view, slices } };
    const struct normalize normalize = { .kind = NORMALIZE_BATCH, .shape = { 2, { rows, conv.filters } }, .axes = 2, .epsilon = 1e-3,
                                         .moments = tail.moments };
    cr_assert(strata_op_conv2d(run, &conv, &x.view, &kernel.view, &tail, &y.view, &err)
              && strata_op_normalize(run, &normalize, &y.view, &statistics.view, &z.view, &err), "%s", err.message);
    float *of_y = read_tensor(device, &y), *of_statistics = read_tensor(device, &statistics);
    check_statistics(of_y, of_statistics, rows, conv.filters, k);
    struct tensor *tensors[] = { &x, &kernel, &bias, &part, &y, &z, &statistics };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) free_tensor(tensors[i]);
    float *numbers_of[] = { of_x, of_kernel, of_bias, of_y, of_statistics };
    for (size_t i = 0; i < sizeof numbers_of / sizeof *numbers_of; i++) free(numbers_of[i]);
}

Test(conv2d, gives_the_moments_of_its_output)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) check(device, run, k);
    strata_run_free(run);
    strata_device_close(device);
}
