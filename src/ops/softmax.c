#include "ops/softmax.h"

#include "ops/map.h"

static const char *options_of(const struct softmax *softmax)
{
    return softmax->log ? "-DLOG=1" : "-DLOG=0";
}

bool strata_op_softmax(struct run *run, const struct softmax *softmax, const struct view *x,
                       const struct view *y, strata_error *err)
{
    const struct arg args[] = {
        arg_view(x), arg_view(y), arg_ulong(softmax->extent), arg_ulong(softmax->inner), { 0 }
    };
    return strata_op_map(run, "softmax:forward", options_of(softmax), args,
                         strata_view_count(x) / softmax->extent, err);
}

bool strata_op_softmax_gradient(struct run *run, const struct softmax *softmax, const struct view *y,
                                const struct view *dy, const struct view *dx, strata_error *err)
{
    const struct arg args[] = {
        arg_view(y), arg_view(dy), arg_view(dx), arg_ulong(softmax->extent), arg_ulong(softmax->inner), { 0 }
    };
    return strata_op_map(run, "softmax:gradient", options_of(softmax), args,
                         strata_view_count(y) / softmax->extent, err);
}
