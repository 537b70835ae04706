#include "ops/conv2d.h"

#include <float.h>
#include <string.h>

#include "support.h"

/* Images, kernels and all that changes how a pixel is found: one channel, three, more than a tile; strides without and
 * with remainders; dilation; padding of one side, of more than the kernel needs; groups; rows longer than a block, and
 * one that tiles of few channels fill, the last of them over the one before; more filters than a block of Winograd's
 * gradient has; more channels than its forward pass transforms near. */
static const struct conv2d cases[] = {
    { 2, 7, 9, 3, 7, 9, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } },
    { 2, 7, 9, 3, 4, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, { 0 } },
    { 3, 11, 8, 4, 7, 6, 33, 5, 3, 1, 1, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 13, 12, 6, 5, 4, 40, 3, 3, 3, 3, 1, 1, 1, 0, 1, 0, { 0 } },
    { 2, 13, 12, 6, 13, 12, 9, 3, 3, 1, 1, 2, 2, 2, 2, 1, 0, { 0 } },
    { 2, 13, 12, 6, 7, 6, 9, 3, 2, 2, 2, 2, 2, 2, 0, 1, 0, { 0 } },
    { 2, 9, 9, 8, 9, 9, 12, 3, 3, 1, 1, 1, 1, 1, 1, 4, 0, { 0 } },
    { 2, 9, 9, 8, 5, 5, 8, 3, 3, 2, 2, 1, 1, 1, 1, 8, 0, { 0 } },
    { 2, 6, 5, 6, 4, 3, 12, 3, 3, 1, 1, 1, 1, 0, 0, 6, 0, { 0 } },
    { 1, 5, 5, 1, 5, 5, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 5, 4, 17, 5, 4, 35, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 6, 6, 70, 6, 6, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } },
    { 1, 3, 3, 2, 1, 1, 3, 3, 3, 1, 1, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 5, 4, 2, 2, 2, 3, 1, 1, 3, 3, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 9, 7, 3, 5, 3, 4, 3, 3, 2, 3, 1, 1, 1, 1, 1, 0, { 0 } },
    { 1, 4, 4, 2, 7, 8, 3, 2, 3, 1, 1, 1, 1, 2, 3, 1, 0, { 0 } },
    { 1, 5, 600, 2, 5, 600, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } },
    { 3, 28, 28, 1, 26, 26, 32, 3, 3, 1, 1, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 9, 7, 20, 9, 7, 130, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } },
    { 2, 9, 7, 8, 9, 7, 8, 3, 3, 1, 1, 1, 1, 1, 1, 8, 0, { 0 } },
    { 2, 8, 16, 5, 7, 14, 5, 2, 3, 1, 1, 1, 1, 0, 0, 5, 0, { 0 } },
    { 1, 4, 4, 2, 7, 8, 2, 2, 3, 1, 1, 1, 1, 2, 3, 2, 0, { 0 } },
    { 2, 9, 9, 16, 9, 9, 16, 5, 5, 1, 1, 1, 1, 2, 2, 16, 0, { 0 } },
    { 2, 12, 11, 3, 12, 11, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } },
    { 1, 23, 21, 2, 10, 9, 40, 5, 3, 2, 2, 1, 1, 0, 0, 1, 0, { 0 } },
    { 2, 13, 14, 1, 9, 10, 32, 3, 3, 1, 1, 2, 2, 0, 0, 1, 0, { 0 } },
    { 1, 3, 150, 3, 3, 150, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } },
    { 1, 11, 95, 3, 5, 47, 8, 3, 3, 2, 2, 1, 1, 0, 0, 1, 0, { 0 } },
};
enum { CASES = sizeof cases / sizeof *cases };

static size_t x_count(const struct conv2d *c)
{
    return c->n * c->height * c->width * c->channels;
}

static size_t y_count(const struct conv2d *c)
{
    return c->n * c->out_height * c->out_width * c->filters;
}

static size_t kernel_count(const struct conv2d *c)
{
    return (size_t)c->kernel_height * (size_t)c->kernel_width * c->channels / (size_t)c->groups * c->filters;
}

struct problem {
    const struct conv2d *conv;
    float *x, *kernel, *bias, *dy;
    double *y, *dx, *dkernel; /* the definition; y without bias */
    struct tensor tx, tkernel, tbias, tdy;
};

/* Adds the terms of one output element to the three results. */
static void define_element(struct problem *p, size_t image, size_t i, size_t j, size_t f)
{
    const struct conv2d *c = p->conv;
    const size_t channels = c->channels / (size_t)c->groups, group = f / (c->filters / (size_t)c->groups);
    const size_t y_at = ((image * c->out_height + i) * c->out_width + j) * c->filters + f;
    for (int tap = 0; tap < c->kernel_height * c->kernel_width; tap++) {
        const long h = (long)i * c->stride_h + tap / c->kernel_width * c->dilation_h - c->pad_top;
        const long w = (long)j * c->stride_w + tap % c->kernel_width * c->dilation_w - c->pad_left;
        if (h < 0 || h >= (long)c->height || w < 0 || w >= (long)c->width)
            continue;
        for (size_t q = 0; q < channels; q++) {
            const size_t x_at =
                ((image * c->height + (size_t)h) * c->width + (size_t)w) * c->channels + group * channels + q;
            const size_t kernel_at = ((size_t)tap * channels + q) * c->filters + f;
            p->y[y_at] += (double)p->x[x_at] * (double)p->kernel[kernel_at];
            p->dx[x_at] += (double)p->dy[y_at] * (double)p->kernel[kernel_at];
            p->dkernel[kernel_at] += (double)p->x[x_at] * (double)p->dy[y_at];
        }
    }
}

static struct problem make(struct device *device, const struct conv2d *conv)
{
    struct problem p = { .conv = conv, .x = numbers(x_count(conv), 1), .kernel = numbers(kernel_count(conv), 2),
                         .bias = numbers(2 * conv->filters, 3), .dy = numbers(y_count(conv), 4) };
    p.y = calloc(y_count(conv), sizeof *p.y);
    p.dx = calloc(x_count(conv), sizeof *p.dx);
    p.dkernel = calloc(kernel_count(conv), sizeof *p.dkernel);
    cr_assert(p.y && p.dx && p.dkernel);
    for (size_t image = 0; image < conv->n; image++)
        for (size_t i = 0; i < conv->out_height; i++)
            for (size_t j = 0; j < conv->out_width; j++)
                for (size_t f = 0; f < conv->filters; f++) define_element(&p, image, i, j, f);
    p.tx = tensor_of(device, p.x, x_count(conv));
    p.tkernel = tensor_of(device, p.kernel, kernel_count(conv));
    p.tbias = tensor_of(device, p.bias, 2 * conv->filters);
    p.tdy = tensor_of(device, p.dy, y_count(conv));
    return p;
}

static void drop(struct problem *p)
{
    free(p->x);
    free(p->kernel);
    free(p->bias);
    free(p->dy);
    free(p->y);
    free(p->dx);
    free(p->dkernel);
    free_tensor(&p->tx);
    free_tensor(&p->tkernel);
    free_tensor(&p->tbias);
    free_tensor(&p->tdy);
}

/* Terms are below 1/4: so many of them in any order round by less than as many epsilons, in practice. */
static void check(struct device *device, struct tensor *t, const double *wanted, size_t terms, const char *what)
{
    float *found = read_tensor(device, t);
    expect_near(found, wanted, t->count, FLT_EPSILON * (double)(terms + 4), what);
    free(found);
    free_tensor(t);
}

static void check_forward(struct device *device, struct run *run, struct problem *p, const char *what)
{
    strata_error err = { 0 };
    const struct conv2d *c = p->conv;
    struct tensor y = tensor_of(device, NULL, y_count(c));
    cr_assert(strata_op_conv2d(run, c, &p->tx.view, &p->tkernel.view, NULL, &y.view, &err), "%s: %s", what, err.message);
    check(device, &y, p->y, kernel_count(c) / c->filters, what);

    const struct tail tail = { .bias = p->tbias.view, .factor = c->filters % 2 ? 0 : c->filters, /* both kinds are among the shapes */
                               .activation = ACTIVATION_RELU };
    for (size_t i = 0; i < y_count(c); i++)
        p->y[i] = fmax(0, p->y[i] * (tail.factor ? (double)p->bias[tail.factor + i % c->filters] : 1)
                              + (double)p->bias[i % c->filters]);
    y = tensor_of(device, NULL, y_count(c));
    cr_assert(strata_op_conv2d(run, c, &p->tx.view, &p->tkernel.view, &tail, &y.view, &err), "%s: %s", what, err.message);
    check(device, &y, p->y, kernel_count(c) / c->filters, what);
}

static void check_gradients(struct device *device, struct run *run, struct problem *p, const char *what)
{
    strata_error err = { 0 };
    const struct conv2d *c = p->conv;
    struct tensor dx = tensor_of(device, NULL, x_count(c)), dkernel = tensor_of(device, NULL, kernel_count(c));
    cr_assert(strata_op_conv2d_input_gradient(run, c, &p->tdy.view, &p->tkernel.view, &dx.view, &err), "%s: %s", what,
              err.message);
    check(device, &dx, p->dx, kernel_count(c) / c->channels * (size_t)c->groups, what);
    cr_assert(strata_op_conv2d_kernel_gradient(run, c, &p->tx.view, &p->tdy.view, &dkernel.view, &err), "%s: %s", what,
              err.message);
    check(device, &dkernel, p->dkernel, c->n * c->out_height * c->out_width, what);
}

/* What is made of a constant kernel stays for the second play, which reads another x. */
static void check_constant(struct device *device, const struct problem *p, const char *what)
{
    strata_error err = { 0 };
    const struct conv2d *c = p->conv;
    struct tensor y = tensor_of(device, NULL, y_count(c)), x = tensor_of(device, NULL, x_count(c));
    struct view kernel = p->tkernel.view;
    kernel.constant = true;
    struct run *run = strata_run_record(device, 8 << 20, &err);
    cr_assert(strata_op_conv2d(run, c, &x.view, &kernel, NULL, &y.view, &err), "%s: %s", what, err.message);
    for (int play = 0; play < 2; play++) {
        if (play == 1)
            cr_assert(strata_buffer_copy(device, QUEUE_COMPUTE, p->tx.view.buffer, 0, x.view.buffer, 0, strata_buffer_size(x.view.buffer), &err));
        cr_assert(strata_run_play(run, &err), "%s: %s", what, err.message);
    }
    check(device, &y, p->y, kernel_count(c) / c->filters, what);
    strata_run_free(run);
    free_tensor(&x);
}

/* One implementation serves only convolutions of each channel by itself; all others serve every one. */
static bool can(const struct conv2d_implementation *implementation, const struct conv2d *conv)
{
    return strcmp(implementation->name, "depthwise") != 0 || (conv->groups > 1 && (size_t)conv->groups == conv->channels);
}

static void check_class(strata_device_class class)
{
    struct device *device = open_as(class);
    struct run *run = immediate(device);
    for (int i = 0; strata_conv2d_implementations[i]; i++)
        for (int k = 0; k < CASES; k++) {
            char what[80];
            if (!can(strata_conv2d_implementations[i], &cases[k])) continue;
            force("conv2d", strata_conv2d_implementations[i]->name);
            snprintf(what, sizeof what, "%s, case %d", strata_conv2d_implementations[i]->name, k);
            struct problem p = make(device, &cases[k]);
            check_constant(device, &p, what);
            check_forward(device, run, &p, what);
            check_gradients(device, run, &p, what);
            drop(&p);
        }
    strata_run_free(run);
    strata_device_close(device);
}

Test(conv2d, every_implementation_agrees_with_the_definition_on_the_cpu_class)
{
    check_class(STRATA_CPU_CLASS);
}

Test(conv2d, every_implementation_agrees_with_the_definition_on_the_gpu_class)
{
    check_class(STRATA_GPU_CLASS);
}

Test(conv2d, tiled_gives_the_same_bits_every_time)
{
    strata_error err = { 0 };
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    force("conv2d", "tiled");
    const struct conv2d conv = { 5, 20, 21, 7, 20, 21, 19, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } };
    struct problem p = make(device, &conv);
    float *first = NULL;
    for (int time = 0; time < 3; time++) {
        struct tensor dkernel = tensor_of(device, NULL, kernel_count(&conv));
        cr_assert(strata_op_conv2d_kernel_gradient(run, &conv, &p.tx.view, &p.tdy.view, &dkernel.view, &err), "%s",
                  err.message);
        float *found = read_tensor(device, &dkernel);
        cr_assert(!first || memcmp(first, found, dkernel.count * sizeof *found) == 0);
        if (first)
            free(found);
        else
            first = found;
        free_tensor(&dkernel);
    }
    free(first);
    drop(&p);
    strata_run_free(run);
    strata_device_close(device);
}

/* The bits of y in a run, of an implementation that is forced, or of the one chosen where `name` is NULL. */
static float *bits_of(struct device *device, const struct conv2d *conv, const char *name, bool strict)
{
    strata_error err = { 0 };
    struct run *run = immediate(device);
    struct problem p = make(device, conv);
    struct tensor y = tensor_of(device, NULL, y_count(conv));
    if (name)
        force("conv2d", name);
    else
        unsetenv("STRATA_IMPL");
    strata_run_set_strict(run, strict);
    cr_assert(strata_op_conv2d(run, conv, &p.tx.view, &p.tkernel.view, NULL, &y.view, &err), "%s",
              err.message);
    float *bits = read_tensor(device, &y);
    free_tensor(&y);
    drop(&p);
    strata_run_free(run);
    return bits;
}

Test(conv2d, a_strict_run_leaves_winograd_out)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    const struct conv2d conv = { 2, 12, 12, 32, 12, 12, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } };
    float *strict = bits_of(device, &conv, NULL, true), *free_run = bits_of(device, &conv, NULL, false);
    float *tiled = bits_of(device, &conv, "tiled", false), *winograd = bits_of(device, &conv, "winograd", false);
    const size_t bytes = y_count(&conv) * sizeof(float);
    cr_assert_eq(memcmp(strict, tiled, bytes), 0);
    cr_assert_eq(memcmp(free_run, winograd, bytes), 0);
    cr_assert_neq(memcmp(tiled, winograd, bytes), 0);
    free(strict);
    free(free_run);
    free(tiled);
    free(winograd);
    strata_device_close(device);
}

Test(conv2d, few_channels_take_winograd_forward_alone)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    const struct conv2d few = { 2, 32, 32, 3, 32, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } };
    const struct conv2d many = { 2, 32, 32, 16, 32, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, { 0 } };
    cr_assert_str_eq(strata_conv2d_default(device, &few, false, false)->name, "winograd");
    cr_assert_str_eq(strata_conv2d_default(device, &few, false, true)->name, "tiled");
    cr_assert_str_eq(strata_conv2d_default(device, &many, false, true)->name, "winograd");
    strata_device_close(device);
}
