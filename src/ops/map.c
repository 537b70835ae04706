#include "ops/map.h"

#include <assert.h>
#include <stdio.h>

enum { MAX_ARGS = 15 };

bool strata_op_map(struct run *run, const char *kernel, const char *options, const struct arg *args, size_t n,
                   strata_error *err)
{
    struct arg all[MAX_ARGS + 2] = { { 0 } };
    int count = 0;
    size_t bytes = 0; /* an item */
    for (; args[count].type != ARG_END; count++) {
        assert(count < MAX_ARGS);
        all[count] = args[count];
        if (args[count].type == ARG_PLACE && args[count].buffer) bytes += args[count].element;
    }
    all[count] = arg_ulong(n);
    const struct launch launch = {
        .kernel = kernel, .options = options, .args = all, .dims = 1, .global = { n },
        .bytes = (double)n * (double)bytes
    };
    return n == 0 || strata_launch(run, &launch, err);
}

static bool same_place(const struct view *a, const struct view *b)
{
    return a->buffer == b->buffer && a->offset == b->offset;
}

bool strata_op_copy(struct run *run, const struct view *x, const struct view *y, strata_error *err)
{
    const size_t size = strata_storage_size(x->storage), bytes = strata_view_count(x) * size;
    assert(x->storage == y->storage);
    if (same_place(x, y) || bytes == 0) return true;
    return strata_run_copy(run, x->buffer, x->offset * size, y->buffer, y->offset * size, bytes, err);
}

/* Of cl/half.cl. */
static bool map_halves(struct run *run, const char *kernel, enum storage from, enum storage through, enum storage to,
                       const struct arg *args, size_t n, strata_error *err)
{
    char options[64];
    snprintf(options, sizeof options, "-DFROM=%d -DTHROUGH=%d -DTO=%d", (int)from, (int)through, (int)to);
    return strata_op_map(run, kernel, options, args, n, err);
}

bool strata_op_convert(struct run *run, const struct view *x, enum storage through, const struct view *y, strata_error *err)
{
    const struct arg args[] = { arg_view(x), arg_view(y), { 0 } };
    const bool finer = through == STORAGE_FLOAT32 || through == x->storage || through == y->storage;
    return map_halves(run, "half:convert", x->storage, finer ? STORAGE_FLOAT32 : through, y->storage, args, strata_view_count(y),
                      err);
}

bool strata_op_add(struct run *run, const struct view *a, const struct view *b, const struct view *y,
                   strata_error *err)
{
    const struct arg args[] = { arg_view(a), arg_view(b), arg_view(y), { 0 } };
    assert(a->storage == y->storage && b->storage == y->storage);
    if (y->storage != STORAGE_FLOAT32)
        return map_halves(run, "half:add", y->storage, STORAGE_FLOAT32, y->storage, args, strata_view_count(y), err);
    return strata_op_map(run, "map:add", NULL, args, strata_view_count(y), err);
}

bool strata_op_zero(struct run *run, const struct view *y, strata_error *err)
{
    const size_t size = strata_storage_size(y->storage), bytes = strata_view_count(y) * size;
    return bytes == 0 || strata_run_zero(run, y->buffer, y->offset * size, bytes, err);
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

int strata_op_chunks(struct run *run, size_t columns, int width)
{
    if (strata_device_class_of(strata_run_device(run)) != STRATA_CPU_CLASS) return 1;
    int chunks = 8;
    while (columns / (size_t)width % (size_t)chunks != 0) chunks /= 2;
    return chunks;
}

int strata_op_kept_width(struct run *run, enum storage storage, size_t columns)
{
    return storage == STORAGE_FLOAT32 ? strata_op_vector_width(run, columns) : 1;
}

const char *strata_op_kept(enum storage storage)
{
    static const char *const options[STORAGE_KINDS] = { [STORAGE_FLOAT32] = "", [STORAGE_FLOAT16] = " -DKEPT=1",
                                                        [STORAGE_BFLOAT16] = " -DKEPT=2" };
    return options[storage];
}
