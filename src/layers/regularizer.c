/* L1, L2, L1L2 and OrthogonalRegularizer. */
#include "layers/regularizer.h"

#include <math.h>
#include <stddef.h>

#include "ops/map.h"
#include "ops/reduce.h"

/* ---- sums of absolute values and squares ---- */

struct l1_l2 {
    double l1, l2;
};

static bool apply_l1_l2(const void *config, struct run *run, const struct view *w, double scale,
                        const struct view *penalty, const struct view *dw, strata_error *err)
{
    const struct l1_l2 *c = config;
    const size_t n = strata_view_count(w);
    const struct sum_terms terms = { .absolute = scale * c->l1, .square = scale * c->l2 };
    if (penalty->buffer && !strata_op_sum_terms(run, &terms, w, n, penalty, true, err)) return false;
    const struct arg args[] = {
        arg_view(w), arg_view(dw), arg_float(scale * c->l1), arg_float(2 * scale * c->l2), { 0 }
    };
    return !dw->buffer || strata_op_map(run, "regularizer:gradient", NULL, args, n, err);
}

#define FIELD_FACTOR(key, member, default_value)                                                             \
    {                                                                                                        \
        key, FIELD_FLOAT, offsetof(struct l1_l2, member), .otherwise = default_value, .min = 0, .max = 1e30, \
                                                          .help = "the factor"                               \
    }

static const struct field l1_fields[] = { FIELD_FACTOR("l1", l1, 0.01), { 0 } };
static const struct field l2_fields[] = { FIELD_FACTOR("l2", l2, 0.01), { 0 } };
static const struct field l1_l2_fields[] = { FIELD_FACTOR("l1", l1, 0), FIELD_FACTOR("l2", l2, 0), { 0 } };

static const struct regularizer_class l1 = {
    .class = { .name = "L1",
               .config_size = sizeof(struct l1_l2),
               .fields = l1_fields,
               .help = "l1 times the sum of the absolute values" },
    .apply = apply_l1_l2,
};

static const struct regularizer_class l2 = {
    .class = { .name = "L2",
               .config_size = sizeof(struct l1_l2),
               .fields = l2_fields,
               .help = "l2 times the sum of the squares" },
    .apply = apply_l1_l2,
};

static const char *const l1_l2_aliases[] = { "l1_l2", NULL };
static const struct regularizer_class l1_and_l2 = {
    .class = { .name = "L1L2",
               .config_size = sizeof(struct l1_l2),
               .fields = l1_l2_fields,
               .aliases = l1_l2_aliases,
               .help = "both" },
    .apply = apply_l1_l2,
};

/* ---- OrthogonalRegularizer ---- */

struct orthogonal {
    double factor;
    int mode;
};

static const char *const modes[] = { "rows", "columns", NULL };

static const struct field orthogonal_fields[] = {
    { "factor", FIELD_FLOAT, offsetof(struct orthogonal, factor), .otherwise = 0.01, .min = 0, .max = 1e30,
      .help = "the factor" },
    { "mode", FIELD_CHOICE, offsetof(struct orthogonal, mode), .choices = modes,
      .help = "what is to be orthogonal" },
    { 0 },
};

/* The vectors of a matrix: how many, how long, and the strides between them and between their elements. */
struct vectors {
    int count, length, vector, element;
};

static bool measure(struct run *run, const struct view *w, const struct vectors *v, struct view *scratch,
                    strata_error *err)
{
    const size_t count = (size_t)v->count;
    if (!strata_run_scratch(run, count * (count + 2) * sizeof(float), &scratch->buffer, err)) return false;
    const struct arg first[] = { arg_view(w),
                                 arg_buffer(scratch->buffer),
                                 arg_int(v->count),
                                 arg_int(v->length),
                                 arg_int(v->vector),
                                 arg_int(v->element),
                                 { 0 } };
    const struct launch products = {
        .kernel = "orthogonal:products", .args = first, .dims = 2, .global = { count, count }
    };
    const struct arg second[] = { arg_buffer(scratch->buffer), arg_int(v->count), { 0 } };
    const struct launch sums = {
        .kernel = "orthogonal:sums", .args = second, .dims = 1, .global = { count }
    };
    return strata_launch(run, &products, err) && strata_launch(run, &sums, err);
}

static bool add_penalty(struct run *run, const struct vectors *v, double scale, const struct view *scratch,
                        const struct view *penalty, strata_error *err)
{
    const struct arg args[] = {
        arg_buffer(scratch->buffer), arg_view(penalty), arg_float(scale), arg_int(v->count), { 0 }
    };
    const struct launch launch = { .kernel = "orthogonal:penalty", .args = args, .dims = 1, .global = { 1 } };
    return strata_launch(run, &launch, err);
}

static bool add_gradient(struct run *run, const struct view *w, const struct vectors *v, double scale,
                         const struct view *scratch, const struct view *dw, strata_error *err)
{
    const struct arg args[] = { arg_view(w),        arg_buffer(scratch->buffer), arg_view(dw),
                                arg_float(scale),   arg_int(v->count),           arg_int(v->length),
                                arg_int(v->vector), arg_int(v->element),         { 0 } };
    const struct launch launch = { .kernel = "orthogonal:gradient",
                                   .args = args,
                                   .dims = 2,
                                   .global = { (size_t)v->length, (size_t)v->count } };
    return strata_launch(run, &launch, err);
}

static bool apply_orthogonal(const void *config, struct run *run, const struct view *w, double scale,
                             const struct view *penalty, const struct view *dw, strata_error *err)
{
    const struct orthogonal *c = config;
    struct view scratch = { 0 };
    char text[STRATA_SHAPE_TEXT];
    if (w->shape.rank != 2)
        return strata_fail(err, STRATA_ESHAPE,
                           "the weight has shape %s; OrthogonalRegularizer is for matrices only",
                           strata_shape_text(&w->shape, NULL, text));
    const int rows = (int)w->shape.dim[0], columns = (int)w->shape.dim[1];
    const struct vectors v = c->mode == 0 ? (struct vectors){ rows, columns, columns, 1 }
                                          : (struct vectors){ columns, rows, 1, columns };
    const double pairs = v.count * (v.count - 1.0) / 2, factor = scale * c->factor * 0.5 / pairs;
    if (v.count < 2) return true;
    return measure(run, w, &v, &scratch, err)
           && (!penalty->buffer || add_penalty(run, &v, factor, &scratch, penalty, err))
           && (!dw->buffer || add_gradient(run, w, &v, factor, &scratch, dw, err));
}

static const struct regularizer_class orthogonal = {
    .class = { .name = "OrthogonalRegularizer",
               .config_size = sizeof(struct orthogonal),
               .fields = orthogonal_fields,
               .help = "factor times the mean absolute product of two rows or columns of unit length" },
    .apply = apply_orthogonal,
};

static const struct class *const classes[] = { &l1.class, &l2.class, &l1_and_l2.class, &orthogonal.class,
                                               NULL };

const struct registry strata_regularizers = { .kind = "regularizer",
                                              .module = "keras.regularizers",
                                              .classes = classes };
