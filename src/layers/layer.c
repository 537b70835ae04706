#include "layers/layer.h"

bool strata_shape_keep(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    (void)config;
    (void)err;
    *out = *in;
    return true;
}

const char *strata_layer_shape_text(const struct shape *shape, char buffer[STRATA_SHAPE_TEXT])
{
    return strata_shape_text(shape, "None", buffer);
}

bool strata_layer_expect_rank(const struct shape *in, int rank, const char *class_name, strata_error *err)
{
    static const char *const axes[] = { "(batch)", "(batch, features)", "(batch, steps, channels)",
                                        "(batch, height, width, channels)" };
    char text[STRATA_SHAPE_TEXT];
    if (in->rank == rank) return true;
    return strata_fail(err, STRATA_ESHAPE, "input has shape %s; %s needs %d axes: %s",
                       strata_layer_shape_text(in, text), class_name, rank + 1,
                       rank >= 0 && rank <= 3 ? axes[rank] : "more");
}

bool strata_halves_always(const void *config, struct device *device, bool strict, const struct shape *in)
{
    (void)config;
    (void)device;
    (void)strict;
    (void)in;
    return true;
}
