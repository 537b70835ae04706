/* Where windows (convolution kernels, pools) lie along the axes of an input. */
#ifndef STRATA_LAYERS_WINDOW_H
#define STRATA_LAYERS_WINDOW_H

#include "layers/fields_common.h"

/* An input as a plane, channels last; a one-dimensional input (steps, channels) has height 1 and width steps. */
struct plane {
    size_t height, width, channels;
};

struct windows {
    long size[2], stride[2], dilation[2]; /* of height and width */
    int padding;                          /* enum padding */
    size_t out[2];
    int pad[2];                           /* cells above, and left */
};

/* The plane of an input of `dims` (1 or 2) spatial axes; fails as strata_layer_expect_rank does. */
bool strata_plane(const struct shape *in, int dims, const char *class_name, struct plane *plane, strata_error *err);

/* Sizes, strides and dilations from lists of `dims` numbers; height gets 1 when dims is 1. */
struct windows strata_windows(int dims, const struct ints *size, const struct ints *stride,
                              const struct ints *dilation, int padding);

/* Fills out and pad as TensorFlow does: same pads so that out = ceil(in / stride), with the odd cell below and right;
 * causal pads in front alone. Fails when no window fits; `what` is "kernel" or "pool". */
bool strata_windows_place(struct windows *windows, const struct shape *in, int dims, const char *what,
                          strata_error *err);

/* The shape of `dims` spatial axes and channels. */
struct shape strata_plane_shape(int dims, const size_t out[2], size_t channels);

#endif
