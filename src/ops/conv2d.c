#include "ops/conv2d.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "ops/request.h"

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

const struct conv2d_implementation *strata_conv2d_named(const char *name)
{
    for (int i = 0; strata_conv2d_implementations[i]; i++)
        if (strcmp(strata_conv2d_implementations[i]->name, name) == 0) return strata_conv2d_implementations[i];
    return NULL;
}

static bool suits(const struct conv2d_implementation *implementation, struct device *device, const struct conv2d *conv, bool gradient)
{
    if (!implementation->suits(device, conv)) return false;
    return !gradient || !implementation->gradients || implementation->gradients(conv);
}

const struct conv2d_implementation *strata_conv2d_default(struct device *device, const struct conv2d *conv, bool strict, bool gradient)
{
    for (int i = 0; strata_conv2d_implementations[i]; i++) {
        const struct conv2d_implementation *implementation = strata_conv2d_implementations[i];
        if ((!strict || !implementation->rounds_more) && suits(implementation, device, conv, gradient)) return implementation;
    }
    return NULL;
}

static const struct conv2d_implementation *forced_or_default(struct device *device, bool strict, const struct conv2d *conv, bool gradient)
{
    char name[STRATA_IMPLEMENTATION_NAME];
    return strata_env_impl("conv2d", name, sizeof name) ? strata_conv2d_named(name) : strata_conv2d_default(device, conv, strict, gradient);
}

bool strata_op_conv2d_alike(struct device *device)
{
    static const struct conv2d plain = { .kernel_height = 1, .kernel_width = 1, .groups = 1 };
    const struct conv2d_implementation *last = forced_or_default(device, true, &plain, false);
    return last && last->alike;
}

bool strata_op_conv2d_grains(struct device *device, bool strict, const struct conv2d *conv)
{
    const struct conv2d_implementation *implementation = forced_or_default(device, strict, conv, true);
    return implementation && implementation->grains;
}

bool strata_op_conv2d_halves(struct device *device, bool strict, const struct conv2d *conv)
{
    const struct conv2d_implementation *implementation = forced_or_default(device, strict, conv, false);
    return implementation && implementation->halves && conv->groups == 1;
}

bool strata_op_conv2d_pools(struct device *device, bool strict, const struct conv2d *conv)
{
    const struct conv2d_implementation *implementation = forced_or_default(device, strict, conv, true);
    return implementation && implementation->pools && implementation->pools(conv);
}

size_t strata_op_conv2d_moments(struct device *device, bool strict, const struct conv2d *conv)
{
    const struct conv2d_implementation *implementation = forced_or_default(device, strict, conv, false);
    return implementation && implementation->moments ? implementation->moments(device, conv) : 0;
}

/* The forced one, else what was measured to be the fastest, else the first that suits. */
static const struct conv2d_implementation *choose(struct device *device, const struct request *request, bool *tuned,
                                                  strata_error *err)
{
    char name[STRATA_IMPLEMENTATION_NAME];
    const struct conv2d *conv = &request->conv;
    const enum wanted wanted = strata_request_wanted(request, device, "conv2d", name);
    const struct conv2d_implementation *named = wanted == WANTED_NONE ? NULL : strata_conv2d_named(name);
    if (wanted == WANTED_FORCED && !named) unknown(name, err);
    if (wanted == WANTED_FORCED) return named;
    *tuned = named && named->can(device, conv) && !(request->strict && named->rounds_more);
    if (*tuned) return named;
    named = strata_conv2d_default(device, conv, request->strict, strata_request_is_gradient(request));
    if (!named)
        strata_fail(err, STRATA_EBUG, "no implementation of conv2d suits a kernel of %d x %d with %d groups",
                    conv->kernel_height, conv->kernel_width, conv->groups);
    return named;
}

/* Nothing is measured with halves, with what is pooled, or with moments. */
static const struct conv2d_implementation *begin(struct run *run, const struct request *request, enum storage storage,
                                                 strata_error *err)
{
    bool tuned = false;
    const bool halves = storage != STORAGE_FLOAT32, pooled = request->conv.pooled.height > 0;
    const bool moments = request->tail.moments.slices > 0, measured = !halves && !pooled && !moments;
    if (measured) strata_run_tell(run, request);
    const struct conv2d_implementation *implementation =
        measured ? choose(strata_run_device(run), request, &tuned, err)
                 : forced_or_default(strata_run_device(run), request->strict, &request->conv, strata_request_is_gradient(request));
    assert(!halves || (implementation && implementation->halves));
    assert(!pooled || (implementation && implementation->pools));
    assert(!moments || (implementation && implementation->moments));
    if (implementation) strata_run_work(run, strata_request_work(request, implementation->name, tuned));
    return implementation;
}

static bool end(struct run *run, bool ok)
{
    strata_run_work(run, (struct work){ 0 });
    return ok;
}

static struct request request_of(struct run *run, enum request_kind kind, const struct conv2d *conv)
{
    return (struct request){ .kind = kind, .strict = strata_run_strict(run), .untuned = strata_run_untuned(run), .conv = *conv };
}

bool strata_op_conv2d(struct run *run, const struct conv2d *conv, const struct view *x,
                      const struct view *kernel, const struct tail *tail, const struct view *y, strata_error *err)
{
    struct request request = request_of(run, REQUEST_CONV2D, conv);
    if (tail) request.tail = *tail;
    const struct conv2d_implementation *implementation = begin(run, &request, x->storage, err);
    return implementation && end(run, implementation->forward(run, conv, x, kernel, &request.tail, y, err));
}

bool strata_op_conv2d_input_gradient(struct run *run, const struct conv2d *conv, const struct view *dy,
                                     const struct view *kernel, const struct view *dx, strata_error *err)
{
    const struct request request = request_of(run, REQUEST_CONV2D_INPUT_GRADIENT, conv);
    const struct conv2d_implementation *implementation = begin(run, &request, dy->storage, err);
    return implementation && end(run, implementation->input_gradient(run, conv, dy, kernel, dx, err));
}

bool strata_op_conv2d_kernel_gradient(struct run *run, const struct conv2d *conv, const struct view *x,
                                      const struct view *dy, const struct view *dkernel, strata_error *err)
{
    const struct request request = request_of(run, REQUEST_CONV2D_KERNEL_GRADIENT, conv);
    const struct conv2d_implementation *implementation = begin(run, &request, dy->storage, err);
    return implementation && end(run, implementation->kernel_gradient(run, conv, x, dy, dkernel, err));
}
