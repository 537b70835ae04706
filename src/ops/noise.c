#include "ops/noise.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "ops/map.h"

enum { OPTIONS = 512 };

/* Extents of the sample's axes and strides of the noise, 0 where it repeats. */
static const char *options_of(const struct noise *noise, const struct shape *shape, bool gradient,
                              char options[OPTIONS])
{
    const int axes = noise->repeats ? shape->rank - 1 : 0;
    size_t stride[STRATA_MAX_RANK] = { 0 }, count = 1;
    for (int axis = axes; axis > 0; axis--) {
        if (noise->repeats >> axis & 1) continue;
        stride[axis] = count;
        count *= shape->dim[axis];
    }
    int used =
        snprintf(options, OPTIONS, "-DKIND=%d -DGRADIENT=%d -DAXES=%d", (int)noise->kind, gradient, axes);
    for (int axis = 0; axis < axes; axis++)
        used += snprintf(options + used, OPTIONS - (size_t)used, " -DD%d=%zuu -DN%d=%zuu", axis,
                         shape->dim[axis + 1], axis, stride[axis + 1]);
    return options;
}

/* Source: Klambauer et al., "Self-normalizing neural networks", as in Keras 3's AlphaDropout. */
static void alpha_constants(double rate, double c[4])
{
    const double shift = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;
    const double scale = 1 / sqrt((1 - rate) * (1 + rate * shift * shift));
    c[0] = rate;
    c[1] = scale;
    c[2] = shift;
    c[3] = -scale * shift * rate;
}

static void constants_of(const struct noise *noise, double c[4])
{
    const double rate = noise->rate;
    switch (noise->kind) {
    case NOISE_DROPOUT:
        c[0] = rate;
        c[1] = rate < 1 ? 1 / (1 - rate) : 0;
        break;
    case NOISE_ALPHA_DROPOUT:
        alpha_constants(rate, c);
        break;
    case NOISE_GAUSSIAN:
        c[0] = noise->deviation;
        break;
    case NOISE_GAUSSIAN_DROPOUT:
        c[0] = sqrt(rate / (1 - rate));
        break;
    }
}

static bool apply(struct run *run, const struct noise *noise, const struct view *x, const struct view *y,
                  bool gradient, strata_error *err)
{
    char options[OPTIONS];
    double c[4] = { 0 };
    const size_t n = y->shape.dim[0], count = n ? strata_view_count(y) / n : 0;
    assert(noise->step_words && !(noise->repeats & 1));
    constants_of(noise, c);
    options_of(noise, &y->shape, gradient, options);
    const struct arg args[] = {
        arg_view(x),
        arg_view(y),
        arg_buffer(noise->step_words),
        arg_uint((uint32_t)noise->seed),
        arg_uint((uint32_t)(noise->seed >> 32)),
        arg_uint(noise->stream),
        arg_float(c[0]),
        arg_float(c[1]),
        arg_float(c[2]),
        arg_float(c[3]),
        arg_uint((uint32_t)count),
        arg_uint((uint32_t)n),
        { 0 },
    };
    const struct launch launch = { .kernel = "noise:apply_noise",
                                   .options = options,
                                   .args = args,
                                   .dims = 2,
                                   .global = { noise->repeats ? (count + 7) / 8 : (count + 31) / 32, n } };
    return count == 0 || strata_launch(run, &launch, err);
}

bool strata_op_noise(struct run *run, const struct noise *noise, const struct view *x, const struct view *y,
                     strata_error *err)
{
    return apply(run, noise, x, y, false, err);
}

bool strata_op_noise_gradient(struct run *run, const struct noise *noise, const struct view *dy,
                              const struct view *dx, strata_error *err)
{
    if (noise->kind == NOISE_GAUSSIAN) return strata_op_copy(run, dy, dx, err);
    return apply(run, noise, dy, dx, true, err);
}
