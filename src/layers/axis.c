#include "layers/axis.h"

json_t *strata_axis_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct ints *ints = at;
    (void)field;
    (void)flavour;
    if (ints->count == 1) return json_integer(ints->v[0]);
    json_t *list = json_array();
    for (int i = 0; list && i < ints->count; i++) {
        if (json_array_append_new(list, json_integer(ints->v[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

bool strata_axis_mask(const struct ints *axes, int rank, unsigned *mask)
{
    *mask = 0;
    for (int i = 0; i < axes->count; i++) {
        const long axis = axes->v[i] < 0 ? axes->v[i] + rank : axes->v[i];
        if (axis < 0 || axis >= rank) return false;
        *mask |= 1u << axis;
    }
    return true;
}
