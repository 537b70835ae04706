#include "ops/implementations.h"

#include <stddef.h>

const struct gemm_implementation *const strata_gemm_implementations[] = {
    &strata_gemm_constant,
    &strata_gemm_packed,
    &strata_gemm_tiled,
    &strata_gemm_clblast,
    NULL,
};
const struct conv2d_implementation *const strata_conv2d_implementations[] = {
    &strata_conv2d_depthwise,
    &strata_conv2d_winograd,
    &strata_conv2d_tiled,
    &strata_conv2d_im2col,
    NULL,
};
