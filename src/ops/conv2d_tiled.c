/* Convolution and its gradients in register tiles, for CPUs: cl/conv_tiled.h; a convolution of single pixels is a matrix product. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "ops/constant.h"
#include "ops/implementations.h"
#include "ops/reduce.h"
#include "ops/tile.h"

enum {
    PANEL_BYTES = 192 << 10, /* of a panel of weights: read front to back for every tile, from the second cache */
    RUN_BYTES = 32 << 10,    /* of the panels that one work-item takes */
    MOST_TILES = 16,         /* of pixels that one work-item takes */
    LEAST_TILES = 2,
    ITEMS = 8,               /* for each compute unit */
    NEAR = 8192,             /* floats that a block of pixels sees, at most, where all of it is copied near; for the convolution itself */
    FEW_TERMS = 32,          /* where an output is a sum of so few */
    /* Of the kernel's gradient: */
    SPAN_TILES = 48,         /* of rows that one work-item takes, at most */
    PANEL_RUN = 8,           /* panels that it takes, at most */
    PIXELS = 128,            /* whose patches it copies at a time, */
    FEW_PIXELS = 96,         /* or where each is read for many tiles */
    GRADIENT_ITEMS = 64,     /* into which the sum is divided; a fixed number, so that its order depends on shapes alone */
    GRAIN_ITEMS = 8          /* into which the sum of a grain is, of which there are several */
};

/* What cl/conv_tiled.h calls a gather: the convolution or its input gradient. */
struct gather {
    size_t n, grain, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, groups, stride_h, stride_w, start_h, start_w, dilation_h, dilation_w, phases_h, phases_w;
    bool reversed;
    size_t pixels; /* of a block, at most */
    struct view in, kernel, out;
    struct tail tail;
};

static bool suits(struct device *device, const struct conv2d *conv)
{
    (void)conv;
    return strata_device_class_of(device) == STRATA_CPU_CLASS;
}

static struct gather gather_of(const struct conv2d *c)
{
    return (struct gather){ .n = c->n, .grain = c->grain, .in_h = c->height, .in_w = c->width, .in_c = c->channels,
                            .out_h = c->out_height, .out_w = c->out_width, .out_c = c->filters,
                            .kernel_h = c->kernel_height, .kernel_w = c->kernel_width, .groups = c->groups,
                            .stride_h = c->stride_h, .stride_w = c->stride_w, .start_h = -c->pad_top,
                            .start_w = -c->pad_left, .dilation_h = c->dilation_h, .dilation_w = c->dilation_w,
                            .phases_h = 1, .phases_w = 1, .pixels = PIXELS };
}

/* From dy to dx: x[i] is covered by y[j] at tap p where i = j * stride + p * dilation - pad, so with taps reversed
 * j = (i + pad - (K - 1) * dilation + p * dilation) / stride. */
static struct gather reversed_gather_of(const struct conv2d *c)
{
    return (struct gather){ .n = c->n, .in_h = c->out_height, .in_w = c->out_width, .in_c = c->filters,
                            .out_h = c->height, .out_w = c->width, .out_c = c->channels,
                            .kernel_h = c->kernel_height, .kernel_w = c->kernel_width, .groups = c->groups,
                            .stride_h = 1, .stride_w = 1,
                            .start_h = c->pad_top - (c->kernel_height - 1) * c->dilation_h,
                            .start_w = c->pad_left - (c->kernel_width - 1) * c->dilation_w,
                            .dilation_h = c->dilation_h, .dilation_w = c->dilation_w, .phases_h = c->stride_h,
                            .phases_w = c->stride_w, .reversed = true, .pixels = PIXELS };
}

static size_t taps_of(const struct gather *g)
{
    return (size_t)g->kernel_h * (size_t)g->kernel_w;
}

static size_t panels_a_group(const struct gather *g, const struct tile *tile)
{
    return strata_tile_ceil(g->out_c / (size_t)g->groups, (size_t)tile->columns);
}

/* Bytes of one tap of a panel. */
static size_t tap_bytes(const struct gather *g, const struct tile *tile)
{
    return g->in_c / (size_t)g->groups * (size_t)tile->columns * sizeof(float);
}

/* Taps of a block, whole rows of them if it can be. */
static size_t block_taps(const struct gather *g, const struct tile *tile)
{
    const size_t taps = strata_tile_clamp(PANEL_BYTES / tap_bytes(g, tile), 1, taps_of(g)), width = (size_t)g->kernel_w;
    return taps >= width ? taps / width * width : taps;
}

/* A block is so many pixels of so many rows of one image, at most `pixels`. */
static size_t block_width(const struct gather *g)
{
    return strata_tile_clamp(g->out_w, 1, g->pixels);
}

static size_t block_height(const struct gather *g)
{
    return strata_tile_clamp(g->pixels / block_width(g), 1, g->out_h);
}

/* How the kernel's gradient is divided: blocks of pixels into chunks, whose sums are added in order at the end; rows
 * (p, q, c) into spans of tiles; panels into runs. Where there are grains, each is divided, and chunks are those of one. */
struct division {
    size_t rows, tiles, spans, panels, runs, blocks, chunks, all_chunks;
};

static struct division divide(const struct gather *g, const struct tile *tile)
{
    struct division d = { .rows = taps_of(g) * g->in_c / (size_t)g->groups };
    const size_t tiles = strata_tile_ceil(d.rows, (size_t)tile->rows), panels = panels_a_group(g, tile);
    d.tiles = strata_tile_share(tiles, SPAN_TILES);
    d.spans = strata_tile_ceil(tiles, d.tiles);
    d.panels = strata_tile_share(panels, PANEL_RUN);
    d.runs = strata_tile_ceil(panels, d.panels) * (size_t)g->groups;

    const size_t image = strata_tile_ceil(g->out_w, block_width(g)) * strata_tile_ceil(g->out_h, block_height(g));
    const size_t n = g->grain ? g->grain : g->n, blocks = n * image, items = g->grain ? GRAIN_ITEMS : GRADIENT_ITEMS;
    d.blocks = strata_tile_ceil(blocks, strata_tile_clamp(items / (d.runs * d.spans), 1, blocks));
    d.chunks = strata_tile_ceil(blocks, d.blocks);
    d.all_chunks = g->n / n * d.chunks + strata_tile_ceil(g->n % n * image, d.blocks);
    return d;
}

enum { OPTIONS = 640 };

/* What all kernels take, and `more`. */
static void write_options(const struct gather *g, const struct tile *tile, const char *more, char options[OPTIONS])
{
    snprintf(options, OPTIONS,
             "-DVW=%d -DNV=%d -DMR=%d -DBIAS=%d -DACTIVATION=%d -DIN_H=%zu -DIN_W=%zu -DIN_C=%zu -DOUT_H=%zu -DOUT_W=%zu "
             "-DOUT_C=%zu -DKH=%d -DKW=%d -DGROUPS=%d -DSTRIDE_H=%d -DSTRIDE_W=%d -DSTART_H=%d -DSTART_W=%d "
             "-DDILATION_H=%d -DDILATION_W=%d -DPHASES_H=%d -DPHASES_W=%d %s",
             tile->width, tile->vectors, tile->rows, strata_tail_bias(&g->tail), (int)g->tail.activation, g->in_h, g->in_w, g->in_c, g->out_h,
             g->out_w, g->out_c, g->kernel_h, g->kernel_w, g->groups, g->stride_h, g->stride_w, g->start_h,
             g->start_w, g->dilation_h, g->dilation_w, g->phases_h, g->phases_w, more);
}

/* Brings the kernel to panels in scratch memory. */
static bool pack(struct run *run, const struct gather *g, const struct tile *tile, struct view *packed, strata_error *err)
{
    const size_t channels = g->in_c / (size_t)g->groups, zeros = strata_tile_ceil(channels, (size_t)tile->columns);
    const size_t items = zeros + panels_a_group(g, tile) * (size_t)g->groups * taps_of(g) * channels;
    if (!strata_op_make(run, &g->kernel, items * (size_t)tile->columns * sizeof(float), &packed->buffer, err))
        return false;
    const struct arg args[] = { arg_view(&g->kernel), arg_view(packed), arg_int((int32_t)items), arg_int((int32_t)zeros),
                                arg_int(tile->columns), arg_int((int32_t)taps_of(g)), arg_int((int32_t)channels),
                                arg_int((int32_t)(g->out_c / (size_t)g->groups)), arg_int(g->groups), arg_int(g->reversed), { 0 } };
    const struct launch launch = { .kernel = "conv_panels:pack", .options = "", .args = args, .dims = 1, .global = { items } };
    const bool ok = strata_launch(run, &launch, err);
    strata_op_made(run);
    return ok;
}

/* Floats of `in` that a block of pixels sees. */
static size_t seen(const struct gather *g)
{
    const size_t line = ((block_width(g) - 1) * (size_t)g->stride_w + (size_t)(g->kernel_w - 1) * (size_t)g->dilation_w + 1) * g->in_c;
    const size_t lines = (block_height(g) - 1) * (size_t)g->stride_h + (size_t)(g->kernel_h - 1) * (size_t)g->dilation_h + 1;
    return line * lines;
}

/* A block of pixels has all that it sees near, where borders are zeros (cl/conv_near.cl). */
static bool is_near(const struct gather *g)
{
    const size_t width = block_width(g), height = block_height(g);
    if (g->reversed || g->groups > 1 || taps_of(g) == 1 || taps_of(g) * g->in_c > FEW_TERMS || width * height < g->pixels / 2)
        return false;
    return seen(g) <= NEAR;
}

static size_t near_blocks(const struct gather *g)
{
    return g->n * strata_tile_ceil(g->out_w, block_width(g)) * strata_tile_ceil(g->out_h, block_height(g));
}

/* A block each. */
static size_t moments(struct device *device, const struct conv2d *conv)
{
    const struct gather g = gather_of(conv);
    return suits(device, conv) && is_near(&g) ? near_blocks(&g) : 0;
}

static bool run_near(struct run *run, const struct gather *g, const struct tile *tile, const struct view *packed, strata_error *err)
{
    char options[OPTIONS], more[48];
    const size_t blocks = near_blocks(g);
    snprintf(more, sizeof more, "-DPIXELS=%zu -DMOMENTS=%d", g->pixels, g->tail.moments.slices > 0);
    write_options(g, tile, more, options);
    assert(g->tail.moments.slices == 0 || g->tail.moments.slices == blocks);
    const struct arg args[] = { arg_view(&g->in), arg_view(packed), arg_view(&g->out), arg_view(&g->tail.bias), arg_int((int32_t)g->tail.factor),
                                arg_view(&g->tail.moments.part), arg_int((int32_t)g->n), { 0 } };
    const struct launch launch = { .kernel = "conv_near:gather", .options = options, .args = args, .dims = 1,
                                   .global = { blocks }, .local = { 1 } };
    return strata_launch(run, &launch, err);
}

static bool run_gather(struct run *run, const struct gather *g, strata_error *err)
{
    char options[OPTIONS], more[40];
    struct view packed = { 0 };
    struct device *device = strata_run_device(run);
    const struct tile tile = strata_tile_for(device, g->out_c / (size_t)g->groups);
    const size_t phases = (size_t)g->phases_h * (size_t)g->phases_w;
    const size_t pixels = g->n * strata_tile_ceil(g->out_h, (size_t)g->phases_h)
                          * strata_tile_ceil(g->out_w, (size_t)g->phases_w);
    if (pixels == 0)
        return true;
    assert(pixels <= INT_MAX / 2);

    const size_t panels = strata_tile_clamp(RUN_BYTES / (taps_of(g) * tap_bytes(g, &tile)), 1, panels_a_group(g, &tile));
    const size_t runs = strata_tile_ceil(panels_a_group(g, &tile), panels) * (size_t)g->groups;
    const size_t all_tiles = strata_tile_ceil(pixels, (size_t)tile.rows);
    const size_t most = strata_tile_clamp(all_tiles * runs * phases / strata_tile_items(device, ITEMS), LEAST_TILES, MOST_TILES);
    const size_t tiles = strata_tile_share(all_tiles, most);
    if (!pack(run, g, &tile, &packed, err))
        return false;
    if (is_near(g))
        return run_near(run, g, &tile, &packed, err);
    snprintf(more, sizeof more, "-DBLOCK_TAPS=%zu", block_taps(g, &tile));
    write_options(g, &tile, more, options);
    const struct arg args[] = { arg_view(&g->in), arg_view(&packed), arg_view(&g->out), arg_view(&g->tail.bias), arg_int((int32_t)g->tail.factor),
                                arg_int((int32_t)g->n), arg_int((int32_t)tiles), arg_int((int32_t)panels), { 0 } };
    const struct launch launch = { .kernel = "conv_tiled:gather", .options = options, .args = args, .dims = 3,
                                   .global = { runs, strata_tile_ceil(all_tiles, tiles), phases },
                                   .local = { 1, 1, 1 } };
    return strata_launch(run, &launch, err);
}

/* Whether each pixel of y comes from the same pixel of x alone. */
static bool is_product(const struct conv2d *c)
{
    return c->kernel_height == 1 && c->kernel_width == 1 && c->stride_h == 1 && c->stride_w == 1 && c->pad_top == 0
        && c->pad_left == 0 && c->out_height == c->height && c->out_width == c->width && c->groups == 1;
}

static bool forward(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *kernel,
                    const struct tail *tail, const struct view *y, strata_error *err)
{
    const struct gemm product = { .m = conv->n * conv->height * conv->width, .n = conv->filters, .k = conv->channels,
                                  .a = *x, .b = *kernel, .c = *y, .tail = *tail };
    struct gather g = gather_of(conv);
    g.in = *x;
    g.kernel = *kernel;
    g.out = *y;
    g.tail = *tail;
    return is_product(conv) && !strata_op_stays(run, kernel) ? strata_gemm_tiled.run(run, &product, err) : run_gather(run, &g, err);
}

static bool input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy,
                           const struct view *kernel, const struct view *dx, strata_error *err)
{
    const struct gemm product = { .m = conv->n * conv->height * conv->width, .n = conv->channels, .k = conv->filters,
                                  .transpose_b = true, .a = *dy, .b = *kernel, .c = *dx };
    struct gather g = reversed_gather_of(conv);
    g.in = *dy;
    g.kernel = *kernel;
    g.out = *dx;
    return is_product(conv) ? strata_gemm_tiled.run(run, &product, err) : run_gather(run, &g, err);
}

/* Whether tiles with so many rows in all are worth being chosen. */
static bool saves(size_t rows, size_t usual)
{
    return 16 * rows <= 15 * usual;
}

/* Three rows of four vectors are as many accumulators as six of two. What a block sees is read where it is then, and dout too, once for
 * each tile. */
static bool takes_threes(const struct gather *g, const struct tile *tile)
{
    return strata_tile_registers(tile->width) < 32 && g->groups == 1 && g->out_c % (size_t)(4 * tile->width) == 0 && seen(g) <= NEAR;
}

/* Rows that leave least of the last tile empty: few channels make few rows, of 3x3 nine for each. There are registers for ten where there
 * are 32. */
static struct tile gradient_tile_of(struct device *device, const struct gather *g)
{
    struct tile tile = strata_tile_for(device, g->out_c / (size_t)g->groups);
    const size_t rows = taps_of(g) * g->in_c / (size_t)g->groups;
    const int usual = tile.rows, most = strata_tile_registers(tile.width) == 32 ? 10 : usual;
    size_t least = strata_tile_ceil(rows, (size_t)usual) * (size_t)usual;
    if (rows % 3 == 0 && saves(rows, least) && takes_threes(g, &tile))
        return (struct tile){ .width = tile.width, .vectors = 4, .rows = 3, .columns = 4 * tile.width };
    for (int some = usual + 1; some <= most; some++) {
        const size_t all = strata_tile_ceil(rows, (size_t)some) * (size_t)some;
        if (!saves(all, least)) continue;
        tile.rows = some;
        least = all;
    }
    return tile;
}

static bool run_kernel_gradient(struct run *run, const struct gather *g, const struct tile *tile, const struct view *dy,
                                const struct view *dkernel, strata_error *err)
{
    char options[OPTIONS], more[80];
    struct view parts = { 0 };
    const struct division d = divide(g, tile);
    const size_t count = d.rows * g->out_c;
    snprintf(more, sizeof more, "-DPIXELS=%zu -DSPAN_TILES=%zu -DPANEL_RUN=%zu -DNEAR=%d", g->pixels, d.tiles, d.panels,
             g->groups == 1 && seen(g) <= NEAR);
    write_options(g, tile, more, options);
    if (d.all_chunks > 1 && !strata_run_scratch(run, d.all_chunks * count * sizeof(float), &parts.buffer, err))
        return false;

    const struct arg args[] = { arg_view(&g->in), arg_view(dy), arg_view(d.all_chunks > 1 ? &parts : dkernel),
                                arg_int((int32_t)g->n), arg_int((int32_t)d.blocks),
                                arg_int((int32_t)(g->grain ? g->grain : g->n)), arg_int((int32_t)d.chunks), { 0 } };
    const struct launch launch = { .kernel = "conv_gradient:gradient", .options = options, .args = args, .dims = 3,
                                   .global = { d.runs, d.spans, d.all_chunks }, .local = { 1, 1, 1 } };
    if (!strata_launch(run, &launch, err)) return false;
    if (d.all_chunks == 1) return true;
    if (g->grain) return strata_op_sum_grains(run, &parts, d.all_chunks, count, d.chunks, dkernel, err);
    const struct slices whole = { .grains = 1, .slices = d.chunks };
    return strata_op_sum_parts(run, &parts, &whole, count, dkernel, err);
}

static bool kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *dy,
                            const struct view *dkernel, strata_error *err)
{
    const struct gemm product = { .m = conv->channels, .n = conv->filters, .k = conv->n * conv->height * conv->width,
                                  .grain = conv->grain * conv->height * conv->width, .transpose_a = true, .a = *x, .b = *dy, .c = *dkernel };
    struct gather g = gather_of(conv);
    g.in = *x;
    if (is_product(conv)) return strata_gemm_tiled.run(run, &product, err);
    const struct tile tile = gradient_tile_of(strata_run_device(run), &g);
    if (tile.rows < tile.vectors) g.pixels = FEW_PIXELS;
    return run_kernel_gradient(run, &g, &tile, dy, dkernel, err);
}

const struct conv2d_implementation strata_conv2d_tiled = {
    .name = "tiled", .alike = true, .grains = true, .can = suits, .suits = suits, .moments = moments, .forward = forward, .input_gradient = input_gradient,
    .kernel_gradient = kernel_gradient,
};
