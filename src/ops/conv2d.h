/* Two-dimensional convolution (cross-correlation, as Keras's Conv2D) and its two gradients. */
#ifndef STRATA_OPS_CONV2D_H
#define STRATA_OPS_CONV2D_H

#include "ops/pool2d.h"
#include "ops/tail.h"

/* x (n, height, width, channels), kernel (kernel_height, kernel_width, channels / groups, filters),
 * y (n, out_height, out_width, filters):
 *
 *   y[n,i,j,f] = sum over p, q, c of x[n, i*stride_h + p*dilation_h - pad_top, j*stride_w + q*dilation_w - pad_left, c]
 *                * kernel[p, q, c, f],   x being zero outside. Filter f belongs to group f / (filters / groups). */
struct conv2d {
    size_t n, height, width, channels;
    size_t out_height, out_width, filters;
    int kernel_height, kernel_width, stride_h, stride_w, dilation_h, dilation_w;
    int pad_top, pad_left;
    int groups;
    size_t grain; /* the kernel's gradient: so many samples are a grain, as in strata_op_sum_grains; 0: it is summed as one */
    struct pooled pooled; /* y and dy are of maxima over windows of the convolution's output */
};

struct conv2d_implementation {
    const char *name; /* for STRATA_IMPL=conv2d=name */
    bool rounds_more; /* not for a strict run, unless it is forced */
    bool alike;       /* what it makes of a sample does not depend on how many there are */
    bool grains;      /* serves a `grain`; others must get n samples of one */
    bool halves;      /* heeds how x, y and their gradients are kept, which is alike, where there is one group */
    bool (*can)(struct device *device, const struct conv2d *conv);
    bool (*suits)(struct device *device, const struct conv2d *conv);
    bool (*gradients)(const struct conv2d *conv); /* of one that suits: whether its gradients do too; NULL: they do */
    bool (*pools)(const struct conv2d *conv); /* of one that it can: whether it heeds `pooled` there; NULL: never */
    /* In how many slices it gives the moments of y where the tail wants them; 0, or NULL: it doesn't. */
    size_t (*moments)(struct device *device, const struct conv2d *conv);
    bool (*forward)(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *kernel,
                    const struct tail *tail, const struct view *y, strata_error *err);
    bool (*input_gradient)(struct run *run, const struct conv2d *conv, const struct view *dy,
                           const struct view *kernel, const struct view *dx, strata_error *err);
    bool (*kernel_gradient)(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *dy,
                            const struct view *dkernel, strata_error *err);
};

/* In order of preference, and with `can` and `suits`, as for GEMM. Ends in NULL. */
extern const struct conv2d_implementation *const strata_conv2d_implementations[];

/* By name, or the first that suits, as a `gradient` or as the convolution itself; NULL: there is none. */
const struct conv2d_implementation *strata_conv2d_named(const char *name);
const struct conv2d_implementation *strata_conv2d_default(struct device *device, const struct conv2d *conv, bool strict, bool gradient);

/* Where nothing was measured: whether all that serve on this device, or the forced one, are alike; whether the one for this
 * convolution's gradients serves a grain; whether the one for the convolution takes tensors that are kept as halves; whether that for the
 * gradients, which is then that for the convolution, heeds `pooled`; in how many slices the one for the convolution gives moments, 0: in
 * none. Such tensors, what is pooled, and a tail with moments get an implementation that takes them, measured or not. */
bool strata_op_conv2d_alike(struct device *device);
bool strata_op_conv2d_grains(struct device *device, bool strict, const struct conv2d *conv);
bool strata_op_conv2d_halves(struct device *device, bool strict, const struct conv2d *conv);
bool strata_op_conv2d_pools(struct device *device, bool strict, const struct conv2d *conv);
size_t strata_op_conv2d_moments(struct device *device, bool strict, const struct conv2d *conv);

/* tail NULL: nothing. Outputs are overwritten. */
bool strata_op_conv2d(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *kernel,
                      const struct tail *tail, const struct view *y, strata_error *err);
bool strata_op_conv2d_input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy,
                                     const struct view *kernel, const struct view *dx, strata_error *err);
bool strata_op_conv2d_kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x,
                                      const struct view *dy, const struct view *dkernel, strata_error *err);

#endif
