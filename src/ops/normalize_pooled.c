#include "ops/normalize_pooled.h"

#include <stdio.h>

#include "ops/map.h"

enum { OPTIONS = 240, SLICES = 64 }; /* a fixed number, so that the order of the sums depends on shapes alone */

static size_t channels_of(const struct normalize *n)
{
    return n->shape.dim[3];
}

/* Rows of windows of all images. */
static size_t rows_of(const struct normalize *n)
{
    return n->shape.dim[0] * (n->shape.dim[1] / (size_t)n->pooled.height);
}

static size_t slice_of(const struct normalize *n)
{
    return (rows_of(n) + SLICES - 1) / SLICES;
}

size_t strata_op_normalize_pooled_slices(const struct normalize *n)
{
    return rows_of(n) > 0 ? (rows_of(n) + slice_of(n) - 1) / slice_of(n) : 0;
}

/* Over the channels, and so many in dimension 1. */
static bool launch(struct run *run, const struct normalize *n, const char *kernel, const struct arg *args, size_t items,
                   strata_error *err)
{
    char options[OPTIONS];
    const int width = strata_op_vector_width(run, channels_of(n));
    snprintf(options, sizeof options,
             "-DVW=%d -DGAMMA=%d -DBETA=%d -DACTIVATION=%d -DHEIGHT=%zuu -DWIDTH=%zuu -DCHANNELS=%zuu -DPOOL_H=%d -DPOOL_W=%d -DINDEX=%d",
             width, n->gamma.buffer != NULL, n->beta.buffer != NULL, (int)n->activation, n->shape.dim[1], n->shape.dim[2], channels_of(n),
             n->pooled.height, n->pooled.width, n->pooled.index.buffer != NULL);
    const struct launch launch = { .kernel = kernel, .options = options, .args = args, .dims = 2,
                                   .global = { channels_of(n) / (size_t)width, items } };
    return items == 0 || strata_launch(run, &launch, err);
}

bool strata_op_normalize_pooled(struct run *run, const struct normalize *n, const struct view *x, const struct view *mean,
                                const struct view *variance, const struct view *y, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(mean), arg_view(variance), arg_view(&n->gamma), arg_view(&n->beta), arg_view(y),
                                strata_op_pooled_index(&n->pooled), arg_float(n->epsilon), arg_uint((uint32_t)rows_of(n)), { 0 } };
    return launch(run, n, "normalize_pooled:apply", args, rows_of(n), err);
}

bool strata_op_normalize_pooled_sums(struct run *run, const struct normalize *n, const struct normalize_gradient *g,
                                     const struct view *part, strata_error *err)
{
    const struct arg args[] = { arg_view(&g->x), arg_view(&g->dy), strata_op_pooled_index(&n->pooled), arg_view(&g->mean),
                                arg_view(&g->variance), arg_view(part), arg_float(n->epsilon), arg_uint((uint32_t)rows_of(n)),
                                arg_uint((uint32_t)slice_of(n)), { 0 } };
    return launch(run, n, "normalize_pooled:gradient_sums", args, strata_op_normalize_pooled_slices(n), err);
}

bool strata_op_normalize_pooled_input_gradient(struct run *run, const struct normalize *n, const struct normalize_gradient *g,
                                               const struct view *sums, strata_error *err)
{
    const size_t height = (size_t)n->pooled.height, blocks = (n->shape.dim[1] + height - 1) / height, rows = n->shape.dim[0] * blocks;
    const struct arg args[] = { arg_view(&g->x), arg_view(&g->dy), strata_op_pooled_index(&n->pooled), arg_view(&g->mean),
                                arg_view(&g->variance), arg_view(&n->gamma), arg_view(sums), arg_view(&g->dx), arg_float(n->epsilon),
                                arg_int(g->constant_stats), arg_float((double)strata_op_normalize_size(n)), arg_uint((uint32_t)rows), { 0 } };
    return launch(run, n, "normalize_pooled:input_gradient", args, rows, err);
}
