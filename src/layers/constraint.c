/* MaxNorm, MinMaxNorm, UnitNorm and NonNeg. */
#include "layers/regularizer.h"

#include <math.h>
#include <stddef.h>

#include "layers/axis.h"
#include "ops/axes.h"
#include "ops/map.h"

struct norm {
    double low, high, rate;
    struct ints axis;
};

#define FIELD_NORM_AXIS STRATA_FIELD_AXIS(struct norm, axis, 0, "the axes over which the norm is taken")

static bool groups_of(const struct norm *c, const struct view *w, struct axes *axes, strata_error *err)
{
    unsigned over;
    char text[STRATA_SHAPE_TEXT];
    if (!strata_axis_mask(&c->axis, w->shape.rank, &over))
        return strata_fail(err, STRATA_ESHAPE,
                           "the weight has shape %s; the constraint's axis is not one of its axes",
                           strata_shape_text(&w->shape, NULL, text));
    strata_op_axes(&w->shape, ~over, axes);
    return true;
}

static bool clamp_norm(const void *config, struct run *run, const struct view *w, strata_error *err)
{
    const struct norm *c = config;
    struct axes axes;
    if (!groups_of(c, w, &axes, err)) return false;
    const struct arg args[] = {
        arg_view(w), arg_float(c->low), arg_float(c->high), arg_float(c->rate), arg_uint((uint32_t)axes.size),
        { 0 }
    };
    return strata_op_map(run, "constraint:clamp_norm", axes.options, args, axes.groups, err);
}

/* ---- MaxNorm ---- */

static const struct field max_fields[] = {
    { "max_value", FIELD_FLOAT, offsetof(struct norm, high), .otherwise = 2, .min = 0, .max = INFINITY,
      .help = "the largest norm" },
    FIELD_NORM_AXIS,
    { 0 },
};

static bool apply_max_norm(const void *config, struct run *run, const struct view *w, strata_error *err)
{
    struct norm c = *(const struct norm *)config;
    c.low = 0;
    c.rate = 1;
    return clamp_norm(&c, run, w, err);
}

static const struct constraint_class max_norm = {
    .class = { .name = "MaxNorm",
               .config_size = sizeof(struct norm),
               .fields = max_fields,
               .help = "norms are at most max_value" },
    .apply = apply_max_norm,
};

/* ---- MinMaxNorm ---- */

static const struct field min_max_fields[] = {
    { "min_value", FIELD_FLOAT, offsetof(struct norm, low), .otherwise = 0, .min = 0, .max = INFINITY,
      .help = "the smallest norm" },
    { "max_value", FIELD_FLOAT, offsetof(struct norm, high), .otherwise = 1, .min = 0, .max = INFINITY,
      .help = "the largest norm" },
    { "rate", FIELD_FLOAT, offsetof(struct norm, rate), .otherwise = 1, .min = 0, .max = 1,
      .help = "how much of the way is gone at once" },
    FIELD_NORM_AXIS,
    { 0 },
};

static bool ordered(void *config, enum flavour flavour, strata_error *err)
{
    const struct norm *c = config;
    (void)flavour;
    return c->low <= c->high
           || strata_fail(err, STRATA_EVALUE, "min_value is %g, above max_value, which is %g", c->low,
                          c->high);
}

static const struct constraint_class min_max_norm = {
    .class = { .name = "MinMaxNorm",
               .config_size = sizeof(struct norm),
               .fields = min_max_fields,
               .check = ordered,
               .help = "norms are brought between two values" },
    .apply = clamp_norm,
};

/* ---- UnitNorm ---- */

static const struct field unit_fields[] = { FIELD_NORM_AXIS, { 0 } };

static bool apply_unit_norm(const void *config, struct run *run, const struct view *w, strata_error *err)
{
    struct axes axes;
    if (!groups_of(config, w, &axes, err)) return false;
    const struct arg args[] = { arg_view(w), arg_uint((uint32_t)axes.size), { 0 } };
    return strata_op_map(run, "constraint:unit_norm", axes.options, args, axes.groups, err);
}

static const struct constraint_class unit_norm = {
    .class = { .name = "UnitNorm",
               .config_size = sizeof(struct norm),
               .fields = unit_fields,
               .help = "norms are 1" },
    .apply = apply_unit_norm,
};

/* ---- NonNeg ---- */

static bool apply_non_neg(const void *config, struct run *run, const struct view *w, strata_error *err)
{
    (void)config;
    const struct arg args[] = { arg_view(w), { 0 } };
    return strata_op_map(run, "constraint:non_negative", " -DKN=0 -DON=0", args, strata_view_count(w), err);
}

static const struct constraint_class non_neg = {
    .class = { .name = "NonNeg", .help = "no weight is below 0" },
    .apply = apply_non_neg,
};

static const struct class *const classes[] = { &max_norm.class, &min_max_norm.class, &unit_norm.class,
                                               &non_neg.class, NULL };

const struct registry strata_constraints = { .kind = "constraint",
                                             .module = "keras.constraints",
                                             .classes = classes };
