/* The matrix product with a right side that is constant, for CPUs: it is packed once, and the product is a convolution of single
 * pixels (cl/conv_tiled.cl). */
#include "ops/constant.h"
#include "ops/implementations.h"

static bool is_convolution(const struct gemm *g)
{
    return !g->transpose_a && !g->transpose_b && !g->accumulate;
}

static bool suits(struct device *device, const struct gemm *gemm)
{
    return gemm->b.constant && is_convolution(gemm) && strata_device_class_of(device) == STRATA_CPU_CLASS;
}

static bool run_gemm(struct run *run, const struct gemm *g, strata_error *err)
{
    const struct conv2d conv = { .n = g->m, .height = 1, .width = 1, .channels = g->k, .out_height = 1, .out_width = 1,
                                 .filters = g->n, .kernel_height = 1, .kernel_width = 1, .stride_h = 1, .stride_w = 1,
                                 .dilation_h = 1, .dilation_w = 1, .groups = 1 };
    return strata_op_stays(run, &g->b) && is_convolution(g)
        ? strata_conv2d_tiled.forward(run, &conv, &g->a, &g->b, &g->tail, &g->c, err)
        : strata_gemm_tiled.run(run, g, err);
}

const struct gemm_implementation strata_gemm_constant = { .name = "constant", .grains = true, .can = suits, .suits = suits, .run = run_gemm };
