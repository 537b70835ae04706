#include "ops/resample.h"

#include <stdio.h>

#include "ops/map.h"

bool strata_op_draw(struct run *run, const struct draw *d, const struct view *numbers, strata_error *err)
{
    const uint32_t n = (uint32_t)numbers->shape.dim[0];
    const struct arg args[] = {
        arg_buffer(d->step_words), arg_view(numbers), arg_uint((uint32_t)d->seed), arg_uint((uint32_t)(d->seed >> 32)),
        arg_uint(d->stream), arg_float(d->low[0]), arg_float(d->high[0]), arg_float(d->low[1]), arg_float(d->high[1]),
        arg_uint(n), { 0 },
    };
    return strata_launch(run, &(struct launch){ .kernel = "augment:draw", .args = args, .dims = 1, .global = { n } }, err);
}

bool strata_op_maps(struct run *run, enum map_kind kind, int sides, size_t height, size_t width, const struct view *numbers,
                    const struct view *maps, strata_error *err)
{
    const uint32_t n = (uint32_t)maps->shape.dim[0];
    const struct arg args[] = { arg_view(numbers), arg_view(maps), arg_int((int)kind), arg_int(sides), arg_int((int)height),
                                arg_int((int)width), arg_uint(n), { 0 } };
    return strata_launch(run, &(struct launch){ .kernel = "augment:maps", .args = args, .dims = 1, .global = { n } }, err);
}

bool strata_op_same_map(struct run *run, const double map[6], const struct view *maps, strata_error *err)
{
    const uint32_t n = (uint32_t)maps->shape.dim[0];
    const struct arg args[] = { arg_view(maps), arg_float(map[0]), arg_float(map[1]), arg_float(map[2]), arg_float(map[3]),
                                arg_float(map[4]), arg_float(map[5]), arg_uint(n), { 0 } };
    return strata_launch(run, &(struct launch){ .kernel = "augment:same_map", .args = args, .dims = 1, .global = { n } },
                         err);
}

/* large: x or dx; small: y or dy. */
static bool run_resample(struct run *run, const struct resample *r, const struct view *maps, const struct view *large,
                         const struct view *small, bool gradient, strata_error *err)
{
    char options[64];
    const size_t *in = large->shape.dim, *out = small->shape.dim, n = out[0], c = out[3];
    const size_t height = r->height ? r->height : in[1], width = r->height ? r->width : in[2];
    const struct view box = { .buffer = large->buffer, .offset = large->offset + (r->top * in[2] + r->left) * c, .shape = large->shape };
    const struct arg args[] = {
        arg_view(gradient ? small : &box), arg_view(gradient ? &box : small), arg_view(maps), arg_int((int)n),
        arg_int((int)height), arg_int((int)width), arg_int((int)c), arg_ulong(in[2] * c), arg_ulong(in[1] * in[2] * c),
        arg_int((int)out[1]), arg_int((int)out[2]), gradient ? (struct arg){ 0 } : arg_float(r->fill_value), { 0 },
    };
    const struct launch launch = {
        .kernel = gradient ? "resample:gradient" : "resample:forward", .options = options, .args = args, .dims = 3,
        .global = { c, gradient ? width : out[2], n * (gradient ? height : out[1]) },
    };
    snprintf(options, sizeof options, "-DBILINEAR=%d -DFILL=%d", r->bilinear, (int)r->fill);
    return n == 0 || strata_launch(run, &launch, err);
}

bool strata_op_resample(struct run *run, const struct resample *r, const struct view *maps, const struct view *x,
                        const struct view *y, strata_error *err)
{
    return run_resample(run, r, maps, x, y, false, err);
}

bool strata_op_resample_gradient(struct run *run, const struct resample *r, const struct view *maps, const struct view *dy,
                                 const struct view *dx, strata_error *err)
{
    return (r->height == 0 || strata_op_zero(run, dx, err)) && run_resample(run, r, maps, dx, dy, true, err);
}
