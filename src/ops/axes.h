/* A tensor as groups of elements: some axes are kept and number the groups, the others are gone over in each. */
#ifndef STRATA_OPS_AXES_H
#define STRATA_OPS_AXES_H

#include <stdbool.h>

#include "base/shape.h"

enum { STRATA_AXES_OPTIONS = 320 };

struct axes {
    size_t groups, size;  /* how many, and elements in each */
    bool last_kept;       /* the last axis is a kept one: groups that follow each other lie side by side */
    char options[STRATA_AXES_OPTIONS]; /* for kernels that include cl/axes.h; begins with a blank */
};

/* kept: bit i for axis i of the shape. */
void strata_op_axes(const struct shape *shape, unsigned kept, struct axes *axes);

#endif
