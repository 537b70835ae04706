#include "ops/input.h"

#include "base/error.h"
#include "ops/map.h"

bool strata_op_input(struct run *run, const struct buffer *x, strata_type type, float scale, bool integer,
                     const struct view *y, strata_error *err)
{
    static const char *const sources[] = { [STRATA_FLOAT32] = "-DSOURCE=float", [STRATA_UINT8] = "-DSOURCE=uchar",
                                           [STRATA_INT32] = "-DSOURCE=int" };
    if (type > STRATA_INT32)
        return strata_fail(err, STRATA_EVALUE, "inputs are float32, uint8 or int32");
    const struct arg real[] = { arg_buffer(x), arg_view(y), arg_float(scale), { 0 } };
    const struct arg whole[] = { arg_buffer(x), arg_view(y), { 0 } };
    return strata_op_map(run, integer ? "input:to_int" : "input:to_float", sources[type], integer ? whole : real,
                         strata_view_count(y), err);
}
