/* Convolution with as many groups as channels, without a matrix product: each output cell is a few multiplications. */
#include "ops/implementations.h"

#include <stdio.h>

#include "ops/map.h"
#include "ops/reduce.h"

enum {
    OPTIONS = 260,
    MOST_COLUMNS = 32, /* of a work-item */
    ROWS = 2,          /* likewise, where it takes whole ones */
    MOST_TAPS = 9      /* of a window whose weights are held in registers */
};

static bool suits(struct device *device, const struct conv2d *conv)
{
    (void)device;
    return conv->groups > 1 && (size_t)conv->groups == conv->channels;
}

/* Filters a channel. */
static size_t multiplier(const struct conv2d *conv)
{
    return conv->filters / conv->channels;
}

/* Vectors run over filters and channels alike, so there is one filter a channel. No wider than the registers, of which a window's
 * weights take one each. */
static int width_of(struct run *run, const struct conv2d *conv)
{
    const int native = strata_device_info_of(strata_run_device(run))->native_vector_width;
    const int width = multiplier(conv) == 1 ? strata_op_vector_width(run, conv->channels) : 1;
    return width > native && native >= 4 ? native : width;
}

/* Neighbouring cells of a row that one work-item takes: on GPUs each has its own. */
static size_t columns_of(struct run *run, const struct conv2d *conv)
{
    if (strata_device_class_of(strata_run_device(run)) != STRATA_CPU_CLASS) return 1;
    return conv->out_width < MOST_COLUMNS ? conv->out_width : MOST_COLUMNS;
}

/* On GPUs and for large windows cells are taken one by one. */
static bool takes_rows(struct run *run, const struct conv2d *c)
{
    return strata_device_class_of(strata_run_device(run)) == STRATA_CPU_CLASS && multiplier(c) == 1 && c->stride_h == 1 && c->stride_w == 1
        && c->dilation_h == 1 && c->dilation_w == 1 && c->kernel_height * c->kernel_width <= MOST_TAPS;
}

/* Appends the sizes to `args` (at most 5); `slice` is the last argument unless 0. `more` are further options. */
static bool launch(struct run *run, const struct conv2d *conv, const char *kernel, const char *more,
                   const struct arg *args, const size_t global[3], size_t slice, strata_error *err)
{
    char options[OPTIONS];
    struct arg all[13] = { { 0 } };
    int count = 0;
    if (!suits(NULL, conv))
        return strata_fail(err, STRATA_EVALUE,
                           "STRATA_IMPL: conv2d=depthwise needs a group for each of the %zu channels, not %d "
                           "groups",
                           conv->channels, conv->groups);
    const size_t sizes[] = { conv->n,          conv->height,    conv->width,
                             conv->out_height, conv->out_width, conv->filters };
    for (; args[count].type != ARG_END; count++) all[count] = args[count];
    for (int i = 0; i < 6; i++) all[count++] = arg_int((int32_t)sizes[i]);
    if (slice) all[count++] = arg_int((int32_t)slice);
    snprintf(options, sizeof options,
             "-DVW=%d -DKH=%d -DKW=%d -DSH=%d -DSW=%d -DDH=%d -DDW=%d -DPT=%d -DPL=%d -DM=%zu%s",
             width_of(run, conv), conv->kernel_height, conv->kernel_width, conv->stride_h, conv->stride_w,
             conv->dilation_h, conv->dilation_w, conv->pad_top, conv->pad_left, multiplier(conv), more);
    const struct launch launch = { .kernel = kernel,
                                   .options = options,
                                   .args = all,
                                   .dims = 3,
                                   .global = { global[0], global[1], global[2] } };
    return strata_launch(run, &launch, err);
}

static bool forward(struct run *run, const struct conv2d *conv, const struct view *x,
                    const struct view *kernel, const struct tail *tail, const struct view *y, strata_error *err)
{
    char more[64];
    const struct arg args[] = { arg_view(x), arg_view(kernel), arg_view(&tail->bias), arg_view(y),
                                arg_int((int32_t)tail->factor), { 0 } };
    const size_t vectors = conv->filters / (size_t)width_of(run, conv), columns = columns_of(run, conv);
    const bool rows = takes_rows(run, conv);
    const size_t by_rows[3] = { vectors, conv->n * ((conv->out_height + ROWS - 1) / ROWS), 1 };
    const size_t by_columns[3] = { vectors, (conv->out_width + columns - 1) / columns, conv->n * conv->out_height };
    snprintf(more, sizeof more, " -DACTIVATION=%d -DBIAS=%d -DCOLUMNS=%zu -DROWS=%d", (int)tail->activation, strata_tail_bias(tail),
             columns, rows ? ROWS : 0);
    return launch(run, conv, rows ? "depthwise:forward_rows" : "depthwise:forward", more, args, rows ? by_rows : by_columns, 0, err);
}

static bool input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy,
                           const struct view *kernel, const struct view *dx, strata_error *err)
{
    const struct arg args[] = { arg_view(dy), arg_view(kernel), arg_view(dx), { 0 } };
    const size_t global[3] = { conv->channels / (size_t)width_of(run, conv), conv->width,
                               conv->n * conv->height };
    return launch(run, conv, "depthwise:input_gradient", "", args, global, 0, err);
}

static bool kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x,
                            const struct view *dy, const struct view *dkernel, strata_error *err)
{
    const size_t taps = (size_t)conv->kernel_height * (size_t)conv->kernel_width,
                 columns = taps * conv->filters;
    const struct slices s = strata_op_slices(run, conv->n * conv->out_height, 0);
    struct view part = { 0 };
    if (!strata_run_scratch(run, s.slices * columns * sizeof(float), &part.buffer, err)) return false;
    const struct arg args[] = { arg_view(x), arg_view(dy), arg_view(&part), { 0 } };
    const size_t global[3] = { conv->filters / (size_t)width_of(run, conv), taps, s.slices };
    return launch(run, conv, "depthwise:kernel_gradient", "", args, global, s.slice, err)
           && strata_op_sum_parts(run, &part, &s, columns, dkernel, err);
}

const struct conv2d_implementation strata_conv2d_depthwise = {
    .name = "depthwise",
    .alike = true,
    .can = suits,
    .suits = suits,
    .forward = forward,
    .input_gradient = input_gradient,
    .kernel_gradient = kernel_gradient,
};
