#include "ops/reduce.h"

#include <assert.h>
#include <stdio.h>

#include "ops/map.h"

enum { OPTIONS = 48, LEAST_ON_CPUS = 128 };

size_t strata_op_slice(size_t rows)
{
    const size_t slice = (rows + 255) / 256;
    return slice < 32 ? 32 : slice;
}

static const char *options_of(enum storage storage, int width, int chunks, char options[OPTIONS])
{
    snprintf(options, OPTIONS, "-DVW=%d -DCHUNKS=%d%s", width, chunks, strata_op_kept(storage));
    return options;
}

/* One stage, where a grain has few rows. */
static bool sum_grains(struct run *run, const struct view *x, size_t rows, size_t columns, size_t each, const struct view *y,
                       strata_error *err)
{
    char options[OPTIONS];
    const int width = strata_op_kept_width(run, x->storage, columns);
    assert((rows + each - 1) / each <= STRATA_GRAINS);
    const struct arg args[] = { arg_view(x),        arg_view(y),     arg_ulong(rows),
                                arg_ulong(columns), arg_ulong(each), { 0 } };
    const struct launch launch = { .kernel = "reduce:sum_grains",
                                   .options = options_of(x->storage, width, 1, options),
                                   .args = args,
                                   .dims = 1,
                                   .global = { columns / (size_t)width } };
    return strata_launch(run, &launch, err);
}

struct slices strata_op_slices(struct run *run, size_t rows, size_t each)
{
    struct slices s = { .each = each ? each : rows };
    s.slice = strata_op_slice(s.each);
    if (s.slice < LEAST_ON_CPUS && strata_device_class_of(strata_run_device(run)) == STRATA_CPU_CLASS) s.slice = LEAST_ON_CPUS;
    s.slices = (s.each + s.slice - 1) / s.slice;
    s.grains = (rows + s.each - 1) / s.each;
    return s;
}

bool strata_op_sum_parts(struct run *run, const struct view *parts, const struct slices *s, size_t columns, const struct view *y,
                         strata_error *err)
{
    return sum_grains(run, parts, s->grains * s->slices, columns, s->slices, y, err);
}

bool strata_op_sum_grains(struct run *run, const struct view *x, size_t rows, size_t columns, size_t each,
                          const struct view *y, strata_error *err)
{
    char options[OPTIONS];
    const struct slices s = strata_op_slices(run, rows, each);
    const int width = strata_op_kept_width(run, x->storage, columns), chunks = strata_op_chunks(run, columns, width);
    struct view part = { 0 };
    if (s.slices == 1) return sum_grains(run, x, rows, columns, s.each, y, err);
    if (!strata_run_scratch(run, s.grains * s.slices * columns * sizeof(float), &part.buffer, err)) return false;
    const struct arg args[] = { arg_view(x),       arg_view(&part),    arg_ulong(rows),     arg_ulong(columns),
                                arg_ulong(s.each), arg_ulong(s.slice), arg_ulong(s.slices), { 0 } };
    const struct launch launch = { .kernel = "reduce:sum_slices",
                                   .options = options_of(x->storage, width, chunks, options),
                                   .args = args,
                                   .dims = 2,
                                   .global = { columns / (size_t)(width * chunks), s.grains * s.slices },
                                   .bytes = (double)rows * (double)columns * (double)strata_storage_size(x->storage) };
    return strata_launch(run, &launch, err) && strata_op_sum_parts(run, &part, &s, columns, y, err);
}

bool strata_op_sum_rows(struct run *run, const struct view *x, size_t rows, size_t columns, const struct view *y, strata_error *err)
{
    return strata_op_sum_grains(run, x, rows, columns, 0, y, err);
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
                                   .options = "-DVW=1 -DCHUNKS=1",
                                   .args = first,
                                   .dims = 1,
                                   .global = { items ? items : 1 } };
    const struct arg second[] = {
        arg_view(&part), arg_view(y), arg_int(accumulate), arg_ulong(items), { 0 }
    };
    const struct launch total = {
        .kernel = "reduce:total", .options = "-DVW=1 -DCHUNKS=1", .args = second, .dims = 1, .global = { 1 }
    };
    return strata_launch(run, &launch, err) && strata_launch(run, &total, err);
}

bool strata_op_sum(struct run *run, const struct view *x, size_t n, const struct view *y, bool accumulate,
                   strata_error *err)
{
    const struct sum_terms plain = { .one = 1 };
    return strata_op_sum_terms(run, &plain, x, n, y, accumulate, err);
}
