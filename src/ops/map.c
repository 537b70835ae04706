#include "ops/map.h"

#include <assert.h>

enum { MAX_ARGS = 15 };

bool strata_op_map(struct run *run, const char *kernel, const char *options, const struct arg *args, size_t n,
                   strata_error *err)
{
    struct arg all[MAX_ARGS + 2] = { { 0 } };
    int count = 0, places = 0;
    for (; args[count].type != ARG_END; count++) {
        assert(count < MAX_ARGS);
        all[count] = args[count];
        places += args[count].type == ARG_PLACE && args[count].buffer;
    }
    all[count] = arg_ulong(n);
    const struct launch launch = {
        .kernel = kernel, .options = options, .args = all, .dims = 1, .global = { n },
        .bytes = (double)n * (double)places * sizeof(float)
    };
    return n == 0 || strata_launch(run, &launch, err);
}

static bool same_place(const struct view *a, const struct view *b)
{
    return a->buffer == b->buffer && a->offset == b->offset;
}

bool strata_op_copy(struct run *run, const struct view *x, const struct view *y, strata_error *err)
{
    const size_t bytes = strata_view_count(x) * sizeof(float);
    if (same_place(x, y) || bytes == 0) return true;
    return strata_run_copy(run, x->buffer, x->offset * sizeof(float), y->buffer, y->offset * sizeof(float),
                           bytes, err);
}

bool strata_op_add(struct run *run, const struct view *a, const struct view *b, const struct view *y,
                   strata_error *err)
{
    const struct arg args[] = { arg_view(a), arg_view(b), arg_view(y), { 0 } };
    return strata_op_map(run, "map:add", NULL, args, strata_view_count(y), err);
}

bool strata_op_zero(struct run *run, const struct view *y, strata_error *err)
{
    const size_t bytes = strata_view_count(y) * sizeof(float);
    return bytes == 0 || strata_run_zero(run, y->buffer, y->offset * sizeof(float), bytes, err);
}

bool strata_op_affine(struct run *run, const struct view *x, double scale, double offset,
                      const struct view *y, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(y), arg_float(scale), arg_float(offset), { 0 } };
    return strata_op_map(run, "map:affine", NULL, args, strata_view_count(y), err);
}

bool strata_op_add_bias(struct run *run, const struct view *x, const struct view *bias, const struct view *y,
                        strata_error *err)
{
    const struct arg args[] = {
        arg_view(x), arg_view(bias), arg_view(y), arg_ulong(strata_view_columns(y)), { 0 }
    };
    return strata_op_map(run, "map:add_bias", NULL, args, strata_view_count(y), err);
}

bool strata_op_store(struct run *run, const float *numbers, size_t n, const struct view *y, strata_error *err)
{
    for (size_t i = 0; i < n; i += 8) {
        const size_t some = n - i < 8 ? n - i : 8;
        struct arg args[10] = { arg_place(y->buffer, y->offset + i) };
        for (size_t k = 0; k < 8; k++) args[k + 1] = arg_float(k < some ? (double)numbers[i + k] : 0);
        if (!strata_op_map(run, "map:store", NULL, args, some, err)) return false;
    }
    return true;
}

int strata_op_vector_width(struct run *run, size_t columns)
{
    if (strata_device_class_of(strata_run_device(run)) != STRATA_CPU_CLASS) return 1;
    int width = 16;
    while (columns % (size_t)width != 0) width /= 2;
    return width;
}
