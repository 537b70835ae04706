/* Conv1D and Conv2D, which differ in the number of spatial axes alone. */
#ifndef STRATA_LAYERS_CONV_PLAIN_H
#define STRATA_LAYERS_CONV_PLAIN_H

#include "layers/conv.h"

bool strata_conv_plain_shape(const struct conv_config *c, int dims, const char *class_name, const struct shape *in,
                             struct shape *out, strata_error *err);
bool strata_conv_plain_weights(const struct conv_config *c, int dims, const struct shape *in, struct weights *ask);
bool strata_conv_plain_forward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);
bool strata_conv_plain_sums_grains(const struct conv_config *c, int dims, struct device *device, bool strict,
                                   const struct shape *in);
bool strata_conv_plain_halves(const struct conv_config *c, int dims, struct device *device, bool strict, const struct shape *in);
bool strata_conv_plain_pools(const struct conv_config *c, int dims, struct device *device, bool strict, const struct shape *in,
                             const struct pooled *pooled);
size_t strata_conv_plain_gives_moments(const struct conv_config *c, int dims, struct device *device, bool strict, size_t n,
                                       const struct shape *in);
bool strata_conv_plain_backward(const struct conv_config *c, int dims, const struct step *s, strata_error *err);

#endif
