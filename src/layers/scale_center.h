/* What layer and group normalization share: gamma, beta and their settings. */
#ifndef STRATA_LAYERS_SCALE_CENTER_H
#define STRATA_LAYERS_SCALE_CENTER_H

#include "layers/axis.h"
#include "layers/fields_common.h"
#include "ops/normalize.h"

struct scale_center {
    struct ints axis;
    long groups;
    double epsilon;
    bool center, scale;
    struct object beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
        gamma_constraint;
};

#define STRATA_SCALE_CENTER_FIELDS                                                                                   \
    { "epsilon", FIELD_FLOAT, offsetof(struct scale_center, epsilon), .otherwise = 1e-3, .min = 0, .max = 1e30,     \
      .help = "added to the variance" },                                                                            \
        STRATA_FIELD_BOOL("center", struct scale_center, center, 1, "adds beta"),                                    \
        STRATA_FIELD_BOOL("scale", struct scale_center, scale, 1, "multiplies by gamma"),                            \
        STRATA_FIELD_INITIALIZER("beta_initializer", struct scale_center, beta_initializer, "Zeros"),                \
        STRATA_FIELD_INITIALIZER("gamma_initializer", struct scale_center, gamma_initializer, "Ones"),               \
        STRATA_FIELD_REGULARIZER("beta_regularizer", struct scale_center, beta_regularizer),                         \
        STRATA_FIELD_REGULARIZER("gamma_regularizer", struct scale_center, gamma_regularizer),                       \
        STRATA_FIELD_CONSTRAINT("beta_constraint", struct scale_center, beta_constraint),                            \
        STRATA_FIELD_CONSTRAINT("gamma_constraint", struct scale_center, gamma_constraint)

/* The mask of the axes of a shape whose batch axis is left out; fails when there is no such axis or it is the batch. */
bool strata_scale_center_axes(const struct scale_center *c, const struct shape *in, unsigned *mask, strata_error *err);

/* gamma and beta of one shape, each where it is wanted. */
void strata_scale_center_ask(const struct scale_center *c, const struct shape *shape, struct weights *ask);

/* Of any kind; parts as struct normalize's. Statistics are kept for backward when training. */
bool strata_scale_center_forward(const struct scale_center *c, enum normalize_kind kind, size_t parts,
                                 const struct step *s, strata_error *err);
bool strata_scale_center_backward(const struct scale_center *c, enum normalize_kind kind, size_t parts,
                                  const struct step *s, strata_error *err);

#endif
