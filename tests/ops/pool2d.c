/* Maximum pooling by its definition: windows that overlap, meet and leave gaps, with and without padding, of few cells and of more than
 * a byte counts. */
#include "ops/pool2d.h"

#include "support.h"

/* height, width, channels, the window, its stride, the padding above and left, out_height and out_width. */
static const struct pool2d pools[] = {
    { 2, 6, 8, 64, 3, 4, 2, 2, 2, 2, 0, 0 },  { 3, 7, 5, 3, 3, 2, 2, 2, 2, 2, 0, 0 },   { 2, 9, 8, 24, 3, 3, 2, 1, 3, 3, 0, 0 },
    { 2, 7, 9, 10, 4, 5, 3, 3, 2, 2, 1, 1 },  { 1, 5, 7, 16, 3, 3, 2, 3, 2, 3, 0, 1 },  { 2, 40, 33, 2, 2, 2, 17, 16, 20, 17, 0, 0 },
    { 1, 24, 20, 32, 5, 2, 20, 17, 1, 3, 0, 0 },
};

static size_t inputs_of(const struct pool2d *p) { return p->n * p->height * p->width * p->channels; }

static size_t outputs_of(const struct pool2d *p) { return p->n * p->out_height * p->out_width * p->channels; }

/* Where in x the maximum of an output is, the first one on ties. */
static size_t maximum(const struct pool2d *p, const float *x, size_t output)
{
    const size_t c = output % p->channels, j = output / p->channels % p->out_width,
                 i = output / p->channels / p->out_width % p->out_height, s = output / p->channels / p->out_width / p->out_height;
    size_t best = SIZE_MAX;
    for (int k = 0; k < p->pool_height * p->pool_width; k++) {
        const long h = (long)i * p->stride_h - p->pad_top + k / p->pool_width, w = (long)j * p->stride_w - p->pad_left + k % p->pool_width;
        if (h < 0 || w < 0 || h >= (long)p->height || w >= (long)p->width) continue;
        const size_t at = ((s * p->height + (size_t)h) * p->width + (size_t)w) * p->channels + c;
        if (best == SIZE_MAX || x[at] > x[best]) best = at;
    }
    return best;
}

static void expect_definition(const struct pool2d *p, const float *x, const float *dy, const float *y, const float *dx)
{
    const size_t inputs = inputs_of(p), outputs = outputs_of(p);
    double *wanted = calloc(outputs, sizeof *wanted), *back = calloc(inputs, sizeof *back);
    for (size_t o = 0; o < outputs; o++) {
        const size_t at = maximum(p, x, o);
        wanted[o] = x[at];
        back[at] += dy[o];
    }
    expect_near(y, wanted, outputs, 0, "y");
    expect_near(dx, back, inputs, 1e-5, "dx"); /* sums of up to some hundred numbers of at most 0.5 */
    free(wanted);
    free(back);
}

static void check(struct device *device, struct run *run, const struct pool2d *p)
{
    strata_error err = { 0 };
    const size_t inputs = inputs_of(p), outputs = outputs_of(p), cells = (size_t)p->pool_height * (size_t)p->pool_width;
    float *x = numbers(inputs, 3), *dy = numbers(outputs, 4);
    for (size_t i = 0; i < inputs; i++) x[i] = roundf(x[i] * 8) / 8; /* ties */
    struct tensor tx = tensor_of(device, x, inputs), ty = tensor_of(device, NULL, outputs), tdy = tensor_of(device, dy, outputs),
                  tdx = tensor_of(device, NULL, inputs), index = tensor_of(device, NULL, strata_op_max_pool2d_index(outputs, cells));
    cr_assert(strata_op_max_pool2d(run, p, &tx.view, &ty.view, &index.view, &err), "%s", err.message);
    cr_assert(strata_op_max_pool2d_gradient(run, p, &tdy.view, &index.view, &tdx.view, &err), "%s", err.message);
    float *y = read_tensor(device, &ty), *dx = read_tensor(device, &tdx);
    free(read_tensor(device, &index));
    expect_definition(p, x, dy, y, dx);
    struct tensor *all[] = { &tx, &ty, &tdy, &tdx, &index };
    for (int i = 0; i < 5; i++) free_tensor(all[i]);
    free(x);
    free(dy);
    free(y);
    free(dx);
}

static void check_class(strata_device_class class)
{
    struct device *device = open_as(class);
    struct run *run = immediate(device);
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) check(device, run, &pools[i]);
    strata_run_free(run);
    strata_device_close(device);
}

Test(pool2d, gives_maxima_and_sends_gradients_to_them_on_cpus) { check_class(STRATA_CPU_CLASS); }

Test(pool2d, gives_maxima_and_sends_gradients_to_them_on_gpus) { check_class(STRATA_GPU_CLASS); }
