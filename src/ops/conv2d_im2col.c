/* Convolution as matrix products by CLBlast over patches written out (im2col), in pieces of whole images that bound the
 * memory. The products take no scratch memory, which holds the patches. */
#include <stdio.h>

#include "ops/gemm.h"
#include "ops/implementations.h"
#include "ops/map.h"

enum { OPTIONS = 400 };
enum { PATCH_BYTES = 64 << 20 }; /* what the patches of a piece may take; at least one image is taken */

/* One group of one piece: images first .. first + images. */
struct piece {
    const struct conv2d *conv;
    size_t first, images;
    size_t rows, patch;    /* the matrix of patches */
    size_t channels, filters; /* of a group */
    size_t group;
    struct view col, narrow_kernel, narrow_y; /* scratch; the narrow ones are those of a group among several. Of a y that is kept as
                                                 halves narrow_y is this piece in floats */
    enum storage storage;
};

static bool suits(struct device *device, const struct conv2d *conv)
{
    (void)device;
    (void)conv;
    return true;
}

static size_t images_a_piece(const struct conv2d *conv, size_t patch)
{
    const size_t bytes = conv->out_height * conv->out_width * patch * sizeof(float);
    const size_t images = bytes ? PATCH_BYTES / bytes : conv->n;
    return images < 1 ? 1 : images > conv->n ? conv->n : images;
}

/* Scratch for the largest piece, cut into the three matrices. */
static bool start(struct run *run, const struct conv2d *conv, enum storage storage, struct piece *piece, strata_error *err)
{
    struct buffer *scratch;
    *piece = (struct piece){ .conv = conv, .storage = storage, .channels = conv->channels / (size_t)conv->groups,
                             .filters = conv->filters / (size_t)conv->groups };
    piece->patch = (size_t)conv->kernel_height * (size_t)conv->kernel_width * piece->channels;
    piece->images = images_a_piece(conv, piece->patch);
    piece->rows = piece->images * conv->out_height * conv->out_width;
    const size_t col = piece->rows * piece->patch, kernel = piece->patch * piece->filters, y = piece->rows * piece->filters;
    const size_t narrow = conv->groups > 1 || storage != STORAGE_FLOAT32 ? kernel + y : 0;
    if (!strata_run_scratch(run, (col + narrow) * sizeof(float), &scratch, err))
        return false;
    piece->col = (struct view){ .buffer = scratch };
    piece->narrow_kernel = (struct view){ .buffer = scratch, .offset = col };
    piece->narrow_y = (struct view){ .buffer = scratch, .offset = col + kernel };
    return true;
}

/* The next group, or the next images; false when all were taken. */
static bool next(struct piece *piece)
{
    const struct conv2d *conv = piece->conv;
    if (++piece->group == (size_t)conv->groups) {
        piece->group = 0;
        piece->first += piece->images;
    }
    if (piece->first + piece->images > conv->n)
        piece->images = conv->n - (piece->first < conv->n ? piece->first : conv->n);
    piece->rows = piece->images * conv->out_height * conv->out_width;
    return piece->images > 0;
}

static void write_options(const struct piece *piece, char options[OPTIONS])
{
    const struct conv2d *c = piece->conv;
    snprintf(options, OPTIONS, "-DH=%zu -DW=%zu -DC=%zu -DOH=%zu -DOW=%zu -DKH=%d -DKW=%d -DSH=%d -DSW=%d -DDH=%d -DDW=%d -DPT=%d "
             "-DPL=%d -DCG=%zu%s", c->height, c->width, c->channels, c->out_height, c->out_width, c->kernel_height,
             c->kernel_width, c->stride_h, c->stride_w, c->dilation_h, c->dilation_w, c->pad_top, c->pad_left, piece->channels,
             strata_op_kept(piece->storage));
}

static bool gather(struct run *run, const struct piece *piece, const struct view *x, strata_error *err)
{
    char options[OPTIONS];
    const struct arg args[] = { arg_view(x), arg_view(&piece->col), arg_ulong(piece->first),
                                arg_ulong(piece->group * piece->channels), { 0 } };
    write_options(piece, options);
    return strata_op_map(run, "im2col:gather", options, args, piece->rows * piece->patch, err);
}

static bool spread(struct run *run, const struct piece *piece, const struct view *dx, strata_error *err)
{
    char options[OPTIONS];
    const struct conv2d *conv = piece->conv;
    const struct arg args[] = { arg_view(&piece->col), arg_view(dx), arg_ulong(piece->first),
                                arg_ulong(piece->group * piece->channels), { 0 } };
    write_options(piece, options);
    return strata_op_map(run, "im2col:spread", options, args, piece->images * conv->height * conv->width * piece->channels, err);
}

/* Columns of this group between a wide matrix of all filters and a narrow one. */
static bool move_columns(struct run *run, const struct piece *piece, const char *kernel, const struct view *from,
                         const struct view *to, size_t rows, strata_error *err)
{
    const struct arg args[] = { arg_view(from), arg_view(to), arg_ulong(piece->conv->filters),
                                arg_ulong(piece->group * piece->filters), arg_ulong(piece->filters), { 0 } };
    return strata_op_map(run, kernel, NULL, args, rows * piece->filters, err);
}

/* The rows of this piece in a tensor of all output positions. */
static struct view rows_of(const struct piece *piece, const struct view *y)
{
    struct view rows = *y;
    rows.offset += piece->first * piece->conv->out_height * piece->conv->out_width * piece->conv->filters;
    rows.shape = (struct shape){ 2, { piece->rows, piece->conv->filters } };
    return rows;
}

/* The sums of a piece, in floats, finished and kept as halves. */
static bool keep(struct run *run, const struct piece *piece, const struct tail *tail, const struct view *rows, strata_error *err)
{
    char options[64];
    const struct arg args[] = { arg_view(&piece->narrow_y), arg_view(&tail->bias), arg_view(rows), arg_ulong(tail->factor),
                                arg_ulong(piece->filters), { 0 } };
    snprintf(options, sizeof options, "-DACTIVATION=%d -DBIAS=%d%s", (int)tail->activation, strata_tail_bias(tail),
             strata_op_kept(rows->storage));
    return strata_op_map(run, "epilogue:store", options, args, piece->rows * piece->filters, err);
}

/* Halves of a piece, or columns of its group, as floats. */
static bool take(struct run *run, const struct piece *piece, const struct view *rows, strata_error *err)
{
    const struct view to = strata_view_as(&piece->narrow_y, rows->shape);
    return rows->storage == STORAGE_FLOAT32 ? move_columns(run, piece, "columns:take", rows, &piece->narrow_y, piece->rows, err)
                                            : strata_op_convert(run, rows, STORAGE_FLOAT32, &to, err);
}

static bool forward_piece(struct run *run, const struct piece *piece, const struct view *x, const struct view *kernel,
                          const struct tail *tail, const struct view *y, strata_error *err)
{
    const bool grouped = piece->conv->groups > 1, halves = y->storage != STORAGE_FLOAT32;
    const struct view out = rows_of(piece, y);
    struct gemm gemm = { .m = piece->rows, .n = piece->filters, .k = piece->patch, .a = piece->col,
                         .b = grouped ? piece->narrow_kernel : *kernel, .c = grouped || halves ? piece->narrow_y : out };
    if (!halves) gemm.tail = *tail;
    gemm.tail.bias.offset += piece->group * piece->filters;
    return gather(run, piece, x, err)
        && (!grouped || move_columns(run, piece, "columns:take", kernel, &piece->narrow_kernel, piece->patch, err))
        && strata_gemm_clblast.run(run, &gemm, err)
        && (!grouped || move_columns(run, piece, "columns:put", &piece->narrow_y, &out, piece->rows, err))
        && (!halves || keep(run, piece, tail, &out, err));
}

static bool forward(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *kernel,
                    const struct tail *tail, const struct view *y, strata_error *err)
{
    struct piece piece;
    if (!start(run, conv, x->storage, &piece, err))
        return false;
    do
        if (!forward_piece(run, &piece, x, kernel, tail, y, err))
            return false;
    while (next(&piece));
    return true;
}

static bool input_piece(struct run *run, const struct piece *piece, const struct view *dy, const struct view *kernel,
                        const struct view *dx, strata_error *err)
{
    const bool grouped = piece->conv->groups > 1, apart = grouped || dy->storage != STORAGE_FLOAT32;
    const struct view out = rows_of(piece, dy);
    const struct gemm gemm = { .m = piece->rows, .n = piece->patch, .k = piece->filters, .transpose_b = true,
                               .a = apart ? piece->narrow_y : out, .b = grouped ? piece->narrow_kernel : *kernel,
                               .c = piece->col };
    return (!grouped || move_columns(run, piece, "columns:take", kernel, &piece->narrow_kernel, piece->patch, err))
        && (!apart || take(run, piece, &out, err))
        && strata_gemm_clblast.run(run, &gemm, err) && spread(run, piece, dx, err);
}

static bool input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy, const struct view *kernel,
                           const struct view *dx, strata_error *err)
{
    struct piece piece;
    if (!start(run, conv, dy->storage, &piece, err))
        return false;
    do
        if (!input_piece(run, &piece, dy, kernel, dx, err))
            return false;
    while (next(&piece));
    return true;
}

static bool kernel_piece(struct run *run, const struct piece *piece, const struct view *x, const struct view *dy,
                         const struct view *dkernel, strata_error *err)
{
    const bool grouped = piece->conv->groups > 1, apart = grouped || dy->storage != STORAGE_FLOAT32;
    const struct view out = rows_of(piece, dy);
    const struct gemm gemm = { .m = piece->patch, .n = piece->filters, .k = piece->rows, .transpose_a = true,
                               .accumulate = piece->first > 0, .a = piece->col, .b = apart ? piece->narrow_y : out,
                               .c = grouped ? piece->narrow_kernel : *dkernel };
    if (!gather(run, piece, x, err) || (apart && !take(run, piece, &out, err)))
        return false;
    if (!grouped)
        return strata_gemm_clblast.run(run, &gemm, err);
    return (piece->first == 0
            || move_columns(run, piece, "columns:take", dkernel, &piece->narrow_kernel, piece->patch, err))
        && strata_gemm_clblast.run(run, &gemm, err)
        && move_columns(run, piece, "columns:put", &piece->narrow_kernel, dkernel, piece->patch, err);
}

static bool kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x, const struct view *dy,
                            const struct view *dkernel, strata_error *err)
{
    struct piece piece;
    if (!start(run, conv, dy->storage, &piece, err))
        return false;
    do
        if (!kernel_piece(run, &piece, x, dy, dkernel, err))
            return false;
    while (next(&piece));
    return true;
}

const struct conv2d_implementation strata_conv2d_im2col = {
    .name = "im2col", .halves = true, .can = suits, .suits = suits, .forward = forward, .input_gradient = input_gradient, .kernel_gradient = kernel_gradient,
};
