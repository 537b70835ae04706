#include "ops/pool2d.h"

#include <stdio.h>

#include "ops/map.h"

enum { OPTIONS = 160 };

/* Whether no window goes beyond the input. */
static bool inside(const struct pool2d *pool)
{
    const size_t bottom = (pool->out_height - 1) * (size_t)pool->stride_h + (size_t)pool->pool_height;
    const size_t right = (pool->out_width - 1) * (size_t)pool->stride_w + (size_t)pool->pool_width;
    return pool->pad_top == 0 && pool->pad_left == 0 && bottom <= pool->height && right <= pool->width;
}

static const char *window_options(const struct pool2d *pool, int width, int chunks, char options[OPTIONS])
{
    snprintf(options, OPTIONS, "-DVW=%d -DCHUNKS=%d -DPH=%d -DPW=%d -DSH=%d -DSW=%d -DPT=%d -DPL=%d -DINSIDE=%d", width, chunks,
             pool->pool_height, pool->pool_width, pool->stride_h, pool->stride_w, pool->pad_top, pool->pad_left, inside(pool));
    return options;
}

/* Appends the sizes to `args` (at most 4) and launches over the cells of one side. */
static bool launch_windows(struct run *run, const struct pool2d *pool, const char *kernel,
                           const char *more_options, enum storage storage, const struct arg *args, bool over_input,
                           strata_error *err)
{
    char window[OPTIONS], options[OPTIONS + 32];
    const int width = strata_op_kept_width(run, storage, pool->channels), chunks = strata_op_chunks(run, pool->channels, width);
    struct arg all[12] = { { 0 } };
    int count = 0;
    for (; args[count].type != ARG_END; count++) all[count] = args[count];
    const size_t sizes[] = { pool->n,          pool->height,    pool->width,
                             pool->out_height, pool->out_width, pool->channels };
    for (int i = 0; i < 6; i++) all[count++] = arg_int((int32_t)sizes[i]);
    snprintf(options, sizeof options, "%s%s%s", window_options(pool, width, chunks, window), more_options,
             strata_op_kept(storage));
    const struct launch launch = {
        .kernel = kernel,
        .options = options,
        .args = all,
        .dims = 3,
        .global = { pool->channels / (size_t)(width * chunks), over_input ? pool->width : pool->out_width,
                    pool->n * (over_input ? pool->height : pool->out_height) },
    };
    return strata_launch(run, &launch, err);
}

/* Bytes of a place in a window. */
static size_t place_size(size_t cells)
{
    return cells <= 256 ? 1 : sizeof(int32_t);
}

size_t strata_op_max_pool2d_index(size_t outputs, size_t cells)
{
    return (outputs * place_size(cells) + sizeof(float) - 1) / sizeof(float);
}

bool strata_op_max_pool2d_beside(const struct pool2d *pool, struct pooled *pooled)
{
    *pooled = (struct pooled){ .height = pool->pool_height, .width = pool->pool_width };
    return inside(pool) && pool->stride_h == pool->pool_height && pool->stride_w == pool->pool_width
        && place_size((size_t)pool->pool_height * (size_t)pool->pool_width) == 1;
}

struct arg strata_op_pooled_index(const struct pooled *pooled)
{
    return arg_place(pooled->index.buffer, pooled->index.offset * sizeof(float));
}

static struct arg arg_index(const struct pool2d *pool, const struct view *index, char options[OPTIONS])
{
    const size_t size = place_size((size_t)pool->pool_height * (size_t)pool->pool_width);
    snprintf(options, OPTIONS, " -DINDEX=%zu", index->buffer ? size : 0);
    return arg_place(index->buffer, index->offset * (sizeof(float) / size));
}

bool strata_op_max_pool2d(struct run *run, const struct pool2d *pool, const struct view *x,
                          const struct view *y, const struct view *index, strata_error *err)
{
    char options[OPTIONS];
    const struct arg args[] = { arg_view(x), arg_view(y), arg_index(pool, index, options), { 0 } };
    return launch_windows(run, pool, "max_pool2d:forward", options, x->storage, args, false, err);
}

bool strata_op_max_pool2d_gradient(struct run *run, const struct pool2d *pool, const struct view *dy,
                                   const struct view *index, const struct view *dx, strata_error *err)
{
    char options[OPTIONS];
    const struct arg args[] = { arg_view(dy), arg_index(pool, index, options), arg_view(dx), { 0 } };
    const bool apart = pool->stride_h >= pool->pool_height && pool->stride_w >= pool->pool_width;
    return launch_windows(run, pool, apart ? "max_pool2d:scatter" : "max_pool2d:gather", options, dy->storage, args, !apart, err);
}

bool strata_op_average_pool2d(struct run *run, const struct pool2d *pool, const struct view *x,
                              const struct view *y, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(y), { 0 } };
    return launch_windows(run, pool, "average_pool2d:forward", "", x->storage, args, false, err);
}

bool strata_op_average_pool2d_gradient(struct run *run, const struct pool2d *pool, const struct view *dy,
                                       const struct view *dx, strata_error *err)
{
    const struct arg args[] = { arg_view(dy), arg_view(dx), { 0 } };
    return launch_windows(run, pool, "average_pool2d:gradient", "", dy->storage, args, true, err);
}

/* ---- over all positions --------------------------------------------------------------------------------------- */

/* Appends the sizes to `args` (at most 4). */
static bool launch_global(struct run *run, const char *kernel, enum storage storage, const struct arg *args, size_t n,
                          size_t positions, size_t channels, strata_error *err)
{
    char options[32];
    const int width = strata_op_kept_width(run, storage, channels);
    struct arg all[8] = { { 0 } };
    int count = 0;
    for (; args[count].type != ARG_END; count++) all[count] = args[count];
    all[count++] = arg_int((int32_t)n);
    all[count++] = arg_int((int32_t)positions);
    all[count++] = arg_int((int32_t)channels);
    snprintf(options, sizeof options, "-DVW=%d%s", width, strata_op_kept(storage));
    const struct launch launch = { .kernel = kernel,
                                   .options = options,
                                   .args = all,
                                   .dims = 2,
                                   .global = { channels / (size_t)width, n } };
    return strata_launch(run, &launch, err);
}

bool strata_op_global_max_pool(struct run *run, size_t n, size_t positions, size_t channels,
                               const struct view *x, const struct view *y, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(y), { 0 } };
    return launch_global(run, "global_max_pool:forward", x->storage, args, n, positions, channels, err);
}

bool strata_op_global_max_pool_gradient(struct run *run, size_t n, size_t positions, size_t channels,
                                        const struct view *x, const struct view *y, const struct view *dy,
                                        const struct view *dx, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(y), arg_view(dy), arg_view(dx), { 0 } };
    return launch_global(run, "global_max_pool:gradient", dy->storage, args, n, positions, channels, err);
}

bool strata_op_global_average_pool(struct run *run, size_t n, size_t positions, size_t channels,
                                   const struct view *x, const struct view *y, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(y), { 0 } };
    return launch_global(run, "global_average_pool:forward", x->storage, args, n, positions, channels, err);
}

bool strata_op_global_average_pool_gradient(struct run *run, size_t n, size_t positions, size_t channels,
                                            const struct view *dy, const struct view *dx, strata_error *err)
{
    const struct arg args[] = { arg_view(dy), arg_view(dx), { 0 } };
    return launch_global(run, "global_average_pool:gradient", dy->storage, args, n, positions, channels, err);
}
