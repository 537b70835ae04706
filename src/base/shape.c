#include "base/shape.h"

#include <stdio.h>

size_t strata_shape_count(const struct shape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= shape->dim[i];
    return count;
}

bool strata_shape_equal(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool strata_shape_is_open(const struct shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == 0)
            return true;
    return false;
}

bool strata_shape_fits(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i] && a->dim[i] != 0 && b->dim[i] != 0)
            return false;
    return true;
}

struct shape strata_shape_batch(size_t n, const struct shape *shape)
{
    struct shape batched = { .rank = shape->rank + 1, .dim = { n } };
    for (int i = 0; i < shape->rank; i++)
        batched.dim[i + 1] = shape->dim[i];
    return batched;
}

const char *strata_shape_text(const struct shape *shape, const char *batch, char buffer[STRATA_SHAPE_TEXT])
{
    size_t used = 0;
    int axes = 0;
    used += (size_t)snprintf(buffer, STRATA_SHAPE_TEXT, "(");
    if (batch)
        used += (size_t)snprintf(buffer + used, STRATA_SHAPE_TEXT - used, "%.20s", axes++ ? "" : batch);
    for (int i = 0; i < shape->rank; i++, axes++) {
        const char *comma = axes ? ", " : "";
        used += (size_t)(shape->dim[i] ? snprintf(buffer + used, STRATA_SHAPE_TEXT - used, "%s%zu", comma, shape->dim[i])
                                       : snprintf(buffer + used, STRATA_SHAPE_TEXT - used, "%sNone", comma));
    }
    snprintf(buffer + used, STRATA_SHAPE_TEXT - used, axes == 1 ? ",)" : ")");
    return buffer;
}
