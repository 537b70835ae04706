/* Transposed convolution of 1 or 2 spatial axes: the convolution from its output to its input, run backwards. */
#ifndef STRATA_LAYERS_CONV_TRANSPOSE_H
#define STRATA_LAYERS_CONV_TRANSPOSE_H

#include "layers/conv.h"

bool strata_conv_transpose_check(void *config, enum flavour flavour, strata_error *err);
bool strata_conv_transpose_shape(const struct conv_config *c, int dims, const char *class_name, const struct shape *in,
                                 struct shape *out, strata_error *err);
bool strata_conv_transpose_weights(const struct conv_config *c, int dims, const struct shape *in, struct weights *ask);
bool strata_conv_transpose_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);
bool strata_conv_transpose_backward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);

#endif
