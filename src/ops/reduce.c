#include "ops/reduce.h"

#include <assert.h>
#include <stdio.h>

#include "ops/map.h"

size_t strata_op_slice(size_t rows)
{
    const size_t slice = (rows + 255) / 256;
    return slice < 32 ? 32 : slice;
}

/* One stage: y (slices, columns). */
static bool sum_slices(struct run *run, const struct view *x, size_t rows, size_t columns, size_t slice,
                       const struct view *y, strata_error *err)
{
    char options[32];
    const int width = strata_op_kept_width(run, x->storage, columns);
    snprintf(options, sizeof options, "-DVW=%d%s", width, strata_op_kept(x->storage));
    const struct arg args[] = { arg_view(x),        arg_view(y),      arg_ulong(rows),
                                arg_ulong(columns), arg_ulong(slice), { 0 } };
    const struct launch launch = { .kernel = "reduce:sum_rows",
                                   .options = options,
                                   .args = args,
                                   .dims = 2,
                                   .global = { columns / (size_t)width, (rows + slice - 1) / slice } };
    return strata_launch(run, &launch, err);
}

bool strata_op_sum_rows(struct run *run, const struct view *x, size_t rows, size_t columns,
                        const struct view *y, strata_error *err)
{
    const size_t slice = strata_op_slice(rows), slices = (rows + slice - 1) / slice;
    if (slices <= 1) return sum_slices(run, x, rows, columns, slice, y, err);
    struct view part = { 0 };
    return strata_run_scratch(run, slices * columns * sizeof(float), &part.buffer, err)
           && sum_slices(run, x, rows, columns, slice, &part, err)
           && sum_slices(run, &part, slices, columns, slices, y, err);
}

/* One stage, where a grain has few rows. */
static bool sum_grains(struct run *run, const struct view *x, size_t rows, size_t columns, size_t each, const struct view *y,
                       strata_error *err)
{
    char options[32];
    const int width = strata_op_kept_width(run, x->storage, columns);
    assert((rows + each - 1) / each <= STRATA_GRAINS);
    snprintf(options, sizeof options, "-DVW=%d%s", width, strata_op_kept(x->storage));
    const struct arg args[] = { arg_view(x),        arg_view(y),     arg_ulong(rows),
                                arg_ulong(columns), arg_ulong(each), { 0 } };
    const struct launch launch = { .kernel = "reduce:sum_grains",
                                   .options = options,
                                   .args = args,
                                   .dims = 1,
                                   .global = { columns / (size_t)width } };
    return strata_launch(run, &launch, err);
}

bool strata_op_sum_grains(struct run *run, const struct view *x, size_t rows, size_t columns, size_t each,
                          const struct view *y, strata_error *err)
{
    char options[32];
    if (each == 0) return strata_op_sum_rows(run, x, rows, columns, y, err);
    const size_t slice = strata_op_slice(each), slices = (each + slice - 1) / slice, grains = (rows + each - 1) / each;
    const int width = strata_op_kept_width(run, x->storage, columns);
    struct view part = { 0 };
    if (slices == 1) return sum_grains(run, x, rows, columns, each, y, err);
    if (!strata_run_scratch(run, grains * slices * columns * sizeof(float), &part.buffer, err)) return false;
    snprintf(options, sizeof options, "-DVW=%d%s", width, strata_op_kept(x->storage));
    const struct arg args[] = { arg_view(x),     arg_view(&part),  arg_ulong(rows),   arg_ulong(columns),
                                arg_ulong(each), arg_ulong(slice), arg_ulong(slices), { 0 } };
    const struct launch launch = { .kernel = "reduce:sum_grain_rows",
                                   .options = options,
                                   .args = args,
                                   .dims = 2,
                                   .global = { columns / (size_t)width, grains * slices } };
    return strata_launch(run, &launch, err) && sum_grains(run, &part, grains * slices, columns, slices, y, err);
}

bool strata_op_sum_terms(struct run *run, const struct sum_terms *terms, const struct view *x, size_t n,
                         const struct view *y, bool accumulate, strata_error *err)
{
    const size_t items = n < 1024 ? n : 1024;
    struct view part = { 0 };
    if (!strata_run_scratch(run, (items + 1) * sizeof(float), &part.buffer, err)) return false;
    const struct arg first[] = { arg_view(x),
                                 arg_view(&part),
                                 arg_float(terms->one),
                                 arg_float(terms->absolute),
                                 arg_float(terms->square),
                                 arg_ulong(n),
                                 arg_ulong(items),
                                 { 0 } };
    const struct launch launch = { .kernel = "reduce:sum_terms",
                                   .options = "-DVW=1",
                                   .args = first,
                                   .dims = 1,
                                   .global = { items ? items : 1 } };
    const struct arg second[] = {
        arg_view(&part), arg_view(y), arg_int(accumulate), arg_ulong(items), { 0 }
    };
    const struct launch total = {
        .kernel = "reduce:total", .options = "-DVW=1", .args = second, .dims = 1, .global = { 1 }
    };
    return strata_launch(run, &launch, err) && strata_launch(run, &total, err);
}

bool strata_op_sum(struct run *run, const struct view *x, size_t n, const struct view *y, bool accumulate,
                   strata_error *err)
{
    const struct sum_terms plain = { .one = 1 };
    return strata_op_sum_terms(run, &plain, x, n, y, accumulate, err);
}
