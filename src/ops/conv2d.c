#include "ops/conv2d.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"

static bool unknown(const char *name, strata_error *err)
{
    char list[400] = "";
    size_t used = 0;
    for (int i = 0; strata_conv2d_implementations[i] && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 strata_conv2d_implementations[i]->name);
    return strata_fail(err, STRATA_EVALUE, "STRATA_IMPL: conv2d has no implementation \"%s\"; there are %s",
                       name, list);
}

/* The forced one, else the first that suits. */
static const struct conv2d_implementation *choose(struct run *run, const struct conv2d *conv,
                                                  strata_error *err)
{
    char name[64];
    struct device *device = strata_run_device(run);
    const bool forced = strata_env_impl("conv2d", name, sizeof name);
    for (int i = 0; strata_conv2d_implementations[i]; i++) {
        const struct conv2d_implementation *implementation = strata_conv2d_implementations[i];
        const bool allowed = !implementation->rounds_more || !strata_run_strict(run);
        if (forced ? strcmp(implementation->name, name) == 0 : allowed && implementation->suits(device, conv))
            return implementation;
    }
    if (forced)
        unknown(name, err);
    else
        strata_fail(err, STRATA_EBUG, "no implementation of conv2d suits a kernel of %d x %d with %d groups",
                    conv->kernel_height, conv->kernel_width, conv->groups);
    return NULL;
}

/* Multiplications and additions of a direct convolution, and its three tensors read or written once. */
static void begin(struct run *run, const char *operation, const struct conv2d_implementation *implementation,
                  const struct conv2d *c)
{
    const double taps = (double)c->kernel_height * (double)c->kernel_width * (double)c->channels / (double)c->groups;
    const double x = (double)c->n * (double)c->height * (double)c->width * (double)c->channels;
    const double y = (double)c->n * (double)c->out_height * (double)c->out_width * (double)c->filters;
    strata_run_work(run, (struct work){ operation, implementation->name, 2 * y * taps,
                                        sizeof(float) * (x + y + taps * (double)c->filters) });
}

static bool end(struct run *run, bool ok)
{
    strata_run_work(run, (struct work){ 0 });
    return ok;
}

bool strata_op_conv2d(struct run *run, const struct conv2d *conv, const struct view *x,
                      const struct view *kernel, const struct tail *tail, const struct view *y, strata_error *err)
{
    static const struct tail none;
    const struct conv2d_implementation *implementation = choose(run, conv, err);
    if (!implementation) return false;
    begin(run, "conv2d", implementation, conv);
    return end(run, implementation->forward(run, conv, x, kernel, tail ? tail : &none, y, err));
}

bool strata_op_conv2d_input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy,
                                     const struct view *kernel, const struct view *dx, strata_error *err)
{
    const struct conv2d_implementation *implementation = choose(run, conv, err);
    if (!implementation) return false;
    begin(run, "conv2d input gradient", implementation, conv);
    return end(run, implementation->input_gradient(run, conv, dy, kernel, dx, err));
}

bool strata_op_conv2d_kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x,
                                      const struct view *dy, const struct view *dkernel, strata_error *err)
{
    const struct conv2d_implementation *implementation = choose(run, conv, err);
    if (!implementation) return false;
    begin(run, "conv2d kernel gradient", implementation, conv);
    return end(run, implementation->kernel_gradient(run, conv, x, dy, dkernel, err));
}
