/* What the convolutions in register tiles share, channels last. Made for CPUs.
 *
 * The convolution and its input gradient are one gather,
 *   out[n,i,j,:] = sum over taps (p, q) of in[n, y, x, :] * w[p, q, :, :],   in being zero outside, where
 *   y = i * STRIDE_H + START_H + p * DILATION_H,   x alike,
 * for the convolution itself and, with taps reversed and w transposed, for the input gradient of one of stride 1.
 * The input gradient of a larger stride S visits the pixels i = phase + S * k of one phase at a time: of y / S only whole
 * numbers count, so the taps of a phase are a gather with step 1. PHASES_H, PHASES_W are that S, else 1.
 *
 * w comes in the panels of NR output channels that conv_panels.cl makes of it, behind ZEROS zeros, which stand for pixels outside.
 *   -D VW, NV, MR, BIAS, ACTIVATION              as in tile.h
 *   -D IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C     extents of `in` and `out`; channels of all groups
 *   -D KH, KW, GROUPS, STRIDE_H, STRIDE_W, START_H, START_W, DILATION_H, DILATION_W, PHASES_H, PHASES_W */
#include "alone.h"
#include "tile.h"

#if !defined(IN_H) || !defined(IN_W) || !defined(IN_C) || !defined(OUT_H) || !defined(OUT_W) || !defined(OUT_C)
#error "-D IN_H, IN_W, IN_C, OUT_H, OUT_W and OUT_C are needed"
#endif
#if !defined(KH) || !defined(KW) || !defined(GROUPS) || !defined(STRIDE_H) || !defined(STRIDE_W) || !defined(START_H) \
    || !defined(START_W) || !defined(DILATION_H) || !defined(DILATION_W) || !defined(PHASES_H) || !defined(PHASES_W)
#error "-D KH, KW, GROUPS, STRIDE_H, STRIDE_W, START_H, START_W, DILATION_H, DILATION_W, PHASES_H, PHASES_W are needed"
#endif

/* Channels of one group, and panels of one group. */
#define IN_G (IN_C / GROUPS)
#define OUT_G (OUT_C / GROUPS)
#define PANELS ((OUT_G + NR - 1) / NR)
/* How many columns of a tile there are: all, which leaves the compiler less to do, or so many. */
#define COLUMNS(left) (OUT_G % NR == 0 ? NR : (left))
#define ZEROS ((IN_G + NR - 1) / NR * NR)
