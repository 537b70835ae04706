/* Arithmetic in Keras's graphs that is no layer: x + 3 or x * y of a functional model's tensors. */
#ifndef STRATA_LAYERS_OPERATION_H
#define STRATA_LAYERS_OPERATION_H

#include "layers/layer.h"

/* One tensor and a number, or two tensors. */
struct operation {
    double constant; /* NAN: two tensors */
    bool first;      /* the number is the left operand */
};

#endif
