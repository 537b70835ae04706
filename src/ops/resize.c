#include "ops/resize.h"

#include <stdio.h>

#include "ops/map.h"
#include "ops/pool2d.h"
#include "ops/strided.h"

/* A cell becomes factor_h times factor_w cells. */
static bool nearest(struct run *run, const struct resize *r, const struct view *x, const struct view *y,
                    strata_error *err)
{
    const size_t fh = (size_t)r->factor_h, fw = (size_t)r->factor_w;
    const struct strided box = {
        .rank = 5,
        .dim = { r->n * r->height, fh, r->width, fw, r->channels },
        .from = { r->width * r->channels, 0, r->channels, 0, 1 },
        .to = { fh * r->width * fw * r->channels, r->width * fw * r->channels, fw * r->channels, r->channels,
                1 },
    };
    return strata_op_strided(run, &box, x, y, err);
}

/* The sum over the cells that came of one: their mean times their number. */
static bool nearest_gradient(struct run *run, const struct resize *r, const struct view *dy,
                             const struct view *dx, strata_error *err)
{
    const struct pool2d pool = {
        .n = r->n,
        .height = r->height * (size_t)r->factor_h,
        .width = r->width * (size_t)r->factor_w,
        .channels = r->channels,
        .out_height = r->height,
        .out_width = r->width,
        .pool_height = r->factor_h,
        .pool_width = r->factor_w,
        .stride_h = r->factor_h,
        .stride_w = r->factor_w,
    };
    return strata_op_average_pool2d(run, &pool, dy, dx, err)
           && strata_op_affine(run, dx, (double)r->factor_h * r->factor_w, 0, dx, err);
}

static bool launch(struct run *run, const struct resize *r, const char *kernel, const struct view *from,
                   const struct view *to, bool over_input, strata_error *err)
{
    char options[80];
    const size_t fh = over_input ? 1 : (size_t)r->factor_h, fw = over_input ? 1 : (size_t)r->factor_w;
    snprintf(options, sizeof options, "-DMETHOD=%d -DSH=%d -DSW=%d", (int)r->method, r->factor_h,
             r->factor_w);
    const struct arg args[] = { arg_view(from),
                                arg_view(to),
                                arg_int((int32_t)r->n),
                                arg_int((int32_t)r->height),
                                arg_int((int32_t)r->width),
                                arg_int((int32_t)r->channels),
                                { 0 } };
    const struct launch launch = { .kernel = kernel,
                                   .options = options,
                                   .args = args,
                                   .dims = 3,
                                   .global = { r->channels, r->width * fw, r->n * r->height * fh } };
    return strata_launch(run, &launch, err);
}

bool strata_op_resize(struct run *run, const struct resize *resize, const struct view *x,
                      const struct view *y, strata_error *err)
{
    if (resize->method == RESIZE_NEAREST) return nearest(run, resize, x, y, err);
    return launch(run, resize, "resize:forward", x, y, false, err);
}

bool strata_op_resize_gradient(struct run *run, const struct resize *resize, const struct view *dy,
                               const struct view *dx, strata_error *err)
{
    if (resize->method == RESIZE_NEAREST) return nearest_gradient(run, resize, dy, dx, err);
    return launch(run, resize, "resize:gradient", dy, dx, true, err);
}
