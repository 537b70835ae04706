/* The implementations of GEMM and convolution, one a file. */
#ifndef STRATA_OPS_IMPLEMENTATIONS_H
#define STRATA_OPS_IMPLEMENTATIONS_H

#include "ops/conv2d.h"
#include "ops/gemm.h"

extern const struct gemm_implementation strata_gemm_constant;
extern const struct gemm_implementation strata_gemm_packed;
extern const struct gemm_implementation strata_gemm_tiled;
extern const struct gemm_implementation strata_gemm_clblast;
extern const struct conv2d_implementation strata_conv2d_depthwise;
extern const struct conv2d_implementation strata_conv2d_winograd;
extern const struct conv2d_implementation strata_conv2d_tiled;
extern const struct conv2d_implementation strata_conv2d_im2col;

/* Whether `tiled` sums k in parts. The others do not, so that they would give other bits. */
bool strata_gemm_tiled_cuts(struct device *device, const struct gemm *gemm);

#endif
