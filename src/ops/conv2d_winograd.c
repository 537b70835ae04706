/* Convolution of 3 x 3 with stride 1 and its gradients by Winograd's transforms, for CPUs: cl/winograd.cl and
 * cl/winograd_gradient.cl. F(4x4, 3x3) takes 36 products for 16 outputs where a direct convolution takes 144, F(2x2, 3x3)
 * 16 for 4; the outputs of a tile that lie outside the image are lost, so small images may do better with the small tile.
 *
 * Error, measured against float64 on normal numbers with 3 to 512 channels: at most 3.2e-6 of the largest result, 1.3 to five times
 * that of the direct sum. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "ops/constant.h"
#include "ops/implementations.h"
#include "ops/tile.h"

enum {
    LEAST_FILTERS = 16,            /* with fewer, transforms cost more than they save; */
    LEAST_CHANNELS = 3,            /* likewise of the convolution itself, */
    MANY_CHANNELS = 16,            /* and of its gradients and what is pooled */
    LEAST_WORK = 1 << 20,          /* products of a direct convolution of one image: with fewer, what is saved isn't worth the rounding */
    TRANSFORM_BYTES = 224 << 10,   /* of a work-item's transformed inputs: about half of a second cache */
    SUM_BYTES = 32 << 10,          /* of its products, where channels are few: about a first cache */
    MOST_TILE_GROUPS = 8,          /* of MR tiles a work-item */
    LEAST_TILE_GROUPS = 3,         /* for which all weights are read, where there are so many that they come from afar, */
    MOST_TRANSFORM_BYTES = 672 << 10, /* and where the inputs are not more */
    LEAST_PANELS = 4,              /* for which a work-item transforms its input */
    ITEMS = 8,                     /* for each compute unit */
    /* Of the kernel's gradient: */
    GRADIENT_BYTES = 384 << 10,    /* of a work-item's transforms: longer sums for a wider block are worth leaving the second cache a little */
    GRADIENT_CHANNELS = 64,        /* of a block, and */
    GRADIENT_FILTERS = 64,
    GRADIENT_ITEMS = 16,           /* a fixed number, so that the order of the sum depends on shapes alone */
    GRAIN_ITEMS = 4                /* of a grain: each is as much to write and read again, and there are many grains */
};

/* What cl/winograd.cl calls a convolution: of x, or of dy. */
struct winograd {
    size_t n, grain, in_h, in_w, in_c, out_h, out_w, out_c;
    int start_h, start_w;
    bool reversed;
    struct view in, kernel, out;
    struct tail tail;
    struct pooled pooled; /* forward: of out; reversed: of in; the kernel's gradient: of dy */
};

static bool can(const struct conv2d *c)
{
    return c->kernel_height == 3 && c->kernel_width == 3 && c->stride_h == 1 && c->stride_w == 1 && c->dilation_h == 1
        && c->dilation_w == 1 && c->groups == 1;
}

/* Products an output with tiles of m outputs a side. */
static double products(size_t m, size_t height, size_t width)
{
    const size_t tiles = strata_tile_ceil(height, m) * strata_tile_ceil(width, m);
    return (double)(tiles * (m + 2) * (m + 2)) / (double)(height * width);
}

/* The side of the tile. The small one's products are cheaper by far to transform to and from. */
static int tile_side(size_t height, size_t width)
{
    return products(4, height, width) <= products(2, height, width) ? 4 : 2;
}

static bool has_many_channels(const struct conv2d *c)
{
    return c->channels >= MANY_CHANNELS;
}

/* Windows must not reach from a tile into the next one. */
static bool pools(const struct conv2d *c)
{
    const int m = tile_side(c->out_height, c->out_width);
    return can(c) && m % c->pooled.height == 0 && m % c->pooled.width == 0;
}

static bool serves(struct device *device, const struct conv2d *c)
{
    return strata_device_class_of(device) == STRATA_CPU_CLASS && can(c);
}

static bool suits(struct device *device, const struct conv2d *c)
{
    const double direct = 9, worth = 0.65; /* the share of products up to which it wins, measured */
    if (!serves(device, c) || c->channels < LEAST_CHANNELS
        || c->filters < LEAST_FILTERS
        || 9 * c->out_height * c->out_width * c->channels * c->filters < LEAST_WORK)
        return false;
    return products((size_t)tile_side(c->out_height, c->out_width), c->out_height, c->out_width) <= worth * direct;
}

static struct winograd forward_of(const struct conv2d *c)
{
    return (struct winograd){ .n = c->n, .grain = c->grain, .in_h = c->height, .in_w = c->width, .in_c = c->channels,
                              .out_h = c->out_height, .out_w = c->out_width, .out_c = c->filters,
                              .start_h = -c->pad_top, .start_w = -c->pad_left, .pooled = c->pooled };
}

static struct winograd reversed_of(const struct conv2d *c)
{
    return (struct winograd){ .n = c->n, .in_h = c->out_height, .in_w = c->out_width, .in_c = c->filters,
                              .out_h = c->height, .out_w = c->width, .out_c = c->channels,
                              .start_h = c->pad_top - 2, .start_w = c->pad_left - 2, .reversed = true, .pooled = c->pooled };
}

static size_t tiles_of(const struct winograd *w, int m)
{
    return w->n * strata_tile_ceil(w->out_h, (size_t)m) * strata_tile_ceil(w->out_w, (size_t)m);
}

/* Tiles of a work-item, in multiples of the register tile's rows. */
static size_t item_tiles(const struct winograd *w, const struct tile *tile, int m)
{
    const size_t points = (size_t)(m + 2) * (size_t)(m + 2), group = points * w->in_c * sizeof(float) * (size_t)tile->rows;
    const size_t near = strata_tile_least(TRANSFORM_BYTES / group, MOST_TILE_GROUPS);
    const size_t far = strata_tile_least(MOST_TRANSFORM_BYTES / group, LEAST_TILE_GROUPS);
    const size_t sums = SUM_BYTES / (points * (size_t)tile->columns * sizeof(float) * (size_t)tile->rows);
    const size_t groups = w->in_c < MANY_CHANNELS ? strata_tile_least(near, sums) : near > far ? near : far;
    return (size_t)tile->rows * strata_tile_clamp(groups, 1, strata_tile_ceil(tiles_of(w, m), (size_t)tile->rows));
}

enum { OPTIONS = 400 };

static void write_options(const struct winograd *w, const struct tile *tile, int m, const char *more, char options[OPTIONS])
{
    snprintf(options, OPTIONS,
             "-DVW=%d -DMR=%d -DBIAS=%d -DACTIVATION=%d -DM=%d -DIN_H=%zu -DIN_W=%zu -DIN_C=%zu -DOUT_H=%zu -DOUT_W=%zu "
             "-DOUT_C=%zu -DSTART_H=%d -DSTART_W=%d -DPOOL_H=%d -DPOOL_W=%d %s",
             tile->width, tile->rows, strata_tail_bias(&w->tail), (int)w->tail.activation, m, w->in_h, w->in_w, w->in_c, w->out_h,
             w->out_w, w->out_c, w->start_h, w->start_w, w->pooled.height, w->pooled.width, more);
}

/* Panels of a work-item: all of them, or fewer where there would be too few items. */
static size_t item_panels(size_t panels, size_t blocks, size_t wanted)
{
    size_t some = panels;
    while (blocks * strata_tile_ceil(panels, some) < wanted && some / 2 >= LEAST_PANELS) some /= 2;
    return some;
}

static bool pack(struct run *run, const struct winograd *w, const struct tile *tile, int m, size_t panels, size_t bytes,
                 struct view *packed, strata_error *err)
{
    char options[64];
    snprintf(options, sizeof options, "-DVW=%d -DMR=%d -DBIAS=0 -DACTIVATION=0 -DM=%d", tile->width, tile->rows, m);
    if (!strata_op_make(run, &w->kernel, bytes, &packed->buffer, err))
        return false;
    const struct arg args[] = { arg_view(&w->kernel), arg_view(packed), arg_int((int32_t)w->in_c), arg_int((int32_t)w->out_c),
                                arg_int(w->reversed), { 0 } };
    const struct launch launch = { .kernel = "winograd_panels:pack", .options = options, .args = args, .dims = 2,
                                   .global = { w->in_c, panels } };
    const bool ok = strata_launch(run, &launch, err);
    strata_op_made(run);
    return ok;
}

/* A row of work-items each. */
static size_t moments(struct device *device, const struct conv2d *c)
{
    const struct tile tile = strata_tile_of(device);
    const int m = tile_side(c->out_height, c->out_width);
    const struct winograd w = forward_of(c);
    return serves(device, c) && tiles_of(&w, m) > 0 ? strata_tile_ceil(tiles_of(&w, m), item_tiles(&w, &tile, m)) : 0;
}

static bool convolve(struct run *run, const struct winograd *w, strata_error *err)
{
    char options[OPTIONS], more[100];
    struct view packed = { 0 };
    struct device *device = strata_run_device(run);
    const struct tile tile = strata_tile_of(device);
    const int m = tile_side(w->out_h, w->out_w);
    const size_t points = (size_t)(m + 2) * (size_t)(m + 2), panels = strata_tile_ceil(w->out_c, (size_t)tile.columns);
    if (tiles_of(w, m) == 0)
        return true;
    assert(tiles_of(w, m) <= INT_MAX / 2);

    const size_t tiles = item_tiles(w, &tile, m), blocks = strata_tile_ceil(tiles_of(w, m), tiles);
    const size_t some = item_panels(panels, blocks, strata_tile_items(device, ITEMS));
    snprintf(more, sizeof more, "-DTILES=%zu -DREVERSED=%d -DINDEX=%d -DMOMENTS=%d", tiles, w->reversed,
             w->pooled.index.buffer != NULL, w->tail.moments.slices > 0);
    assert(w->tail.moments.slices == 0 || w->tail.moments.slices == blocks);
    write_options(w, &tile, m, more, options);
    if (!pack(run, w, &tile, m, panels, panels * points * w->in_c * (size_t)tile.columns * sizeof(float), &packed, err))
        return false;
    const struct arg args[] = { arg_view(&w->in), arg_view(&packed), arg_view(&w->out), arg_view(&w->tail.bias), arg_int((int32_t)w->tail.factor),
                                strata_op_pooled_index(&w->pooled), arg_view(&w->tail.moments.part), arg_int((int32_t)w->n),
                                arg_int((int32_t)some), { 0 } };
    const struct launch launch = { .kernel = "winograd:convolve", .options = options, .args = args, .dims = 2,
                                   .global = { strata_tile_ceil(panels, some), blocks }, .local = { 1, 1 } };
    return strata_launch(run, &launch, err);
}

static bool forward(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *kernel,
                    const struct tail *tail, const struct view *y, strata_error *err)
{
    struct winograd w = forward_of(conv);
    w.in = *x;
    w.kernel = *kernel;
    w.out = *y;
    w.tail = *tail;
    return can(conv) ? convolve(run, &w, err)
                     : strata_conv2d_tiled.forward(run, conv, x, kernel, tail, y, err);
}

static bool input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy,
                           const struct view *kernel, const struct view *dx, strata_error *err)
{
    struct winograd w = reversed_of(conv);
    w.in = *dy;
    w.kernel = *kernel;
    w.out = *dx;
    return can(conv) ? convolve(run, &w, err) : strata_conv2d_tiled.input_gradient(run, conv, dy, kernel, dx, err);
}

/* ---- the kernel's gradient ---------------------------------------------------------------------------------------- */

/* Blocks of channels by panels, chunks of tiles and how many of them are transformed at a time; the floats of one's sums. */
struct division {
    size_t channels, panels, blocks, tiles, tiles_of_chunk, chunks, sums;
};

static struct division divide(const struct winograd *w, const struct tile *tile, int m)
{
    const size_t width = (size_t)tile->width, rows = (size_t)tile->rows, columns = (size_t)tile->columns;
    const size_t points = (size_t)(m + 2) * (size_t)(m + 2), all = tiles_of(w, m);
    const size_t panels = strata_tile_ceil(w->out_c, columns), runs = strata_tile_ceil(w->out_c, GRADIENT_FILTERS);
    const size_t spans = strata_tile_ceil(w->in_c, GRADIENT_CHANNELS);
    struct division d = { .panels = strata_tile_ceil(panels, runs) };
    d.channels = spans == 1 ? w->in_c : strata_tile_ceil(strata_tile_ceil(w->in_c, spans), width) * width;
    d.blocks = strata_tile_ceil(w->in_c, d.channels) * strata_tile_ceil(panels, d.panels);
    const size_t items = w->grain ? GRAIN_ITEMS : GRADIENT_ITEMS, wanted = items / d.blocks > 1 ? items / d.blocks : 1;
    d.tiles_of_chunk = strata_tile_ceil(all, wanted);
    d.chunks = strata_tile_ceil(all, d.tiles_of_chunk);
    d.tiles = strata_tile_least(GRADIENT_BYTES / (points * (d.channels + d.panels * columns) * sizeof(float)), d.tiles_of_chunk);
    d.sums = points * d.panels * strata_tile_ceil(d.channels, rows) * rows * columns;
    return d;
}

static bool finish(struct run *run, const struct winograd *w, const struct tile *tile, const char *options,
                   const struct view *parts, const struct view *dkernel, size_t chunks, strata_error *err)
{
    const struct arg args[] = { arg_view(parts), arg_view(dkernel), arg_int((int32_t)chunks), { 0 } };
    const struct launch launch = { .kernel = "winograd_gradient:finish", .options = options, .args = args, .dims = 2,
                                   .global = { strata_tile_ceil(w->out_c, (size_t)tile->width), w->in_c } };
    return strata_launch(run, &launch, err);
}

static bool run_kernel_gradient(struct run *run, const struct winograd *w, const struct view *dy,
                                const struct view *dkernel, strata_error *err)
{
    char options[OPTIONS], more[80];
    struct view parts = { 0 };
    const struct tile tile = strata_tile_of(strata_run_device(run));
    const int m = tile_side(w->out_h, w->out_w);
    const struct division d = divide(w, &tile, m);
    assert(tiles_of(w, m) > 0 && tiles_of(w, m) <= INT_MAX / 2);
    snprintf(more, sizeof more, "-DTILES=%zu -DCHANNELS=%zu -DPANEL_RUN=%zu", d.tiles, d.channels, d.panels);
    write_options(w, &tile, m, more, options);
    if (!strata_run_scratch(run, d.chunks * d.blocks * d.sums * sizeof(float), &parts.buffer, err))
        return false;
    const struct arg args[] = { arg_view(&w->in), arg_view(dy), strata_op_pooled_index(&w->pooled), arg_view(&parts), arg_int((int32_t)w->n),
                                arg_int((int32_t)d.tiles_of_chunk), { 0 } };
    const struct launch launch = { .kernel = "winograd_gradient:gradient", .options = options, .args = args, .dims = 2,
                                   .global = { d.blocks, d.chunks }, .local = { 1, 1 } };
    return strata_launch(run, &launch, err) && finish(run, w, &tile, options, &parts, dkernel, d.chunks, err);
}

static bool kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *dy,
                            const struct view *dkernel, strata_error *err)
{
    struct winograd w = forward_of(conv);
    w.in = *x;
    return can(conv) && tiles_of(&w, 4) > 0
        ? run_kernel_gradient(run, &w, dy, dkernel, err)
        : strata_conv2d_tiled.kernel_gradient(run, conv, x, dy, dkernel, err);
}

const struct conv2d_implementation strata_conv2d_winograd = {
    .name = "winograd", .rounds_more = true, .alike = true, .can = serves, .suits = suits, .gradients = has_many_channels,
    .pools = pools, .moments = moments, .forward = forward, .input_gradient = input_gradient,
    .kernel_gradient = kernel_gradient,
};
