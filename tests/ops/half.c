/* Floats that are kept as halves: rounding as IEEE 754 defines it, worked out in double precision here. */
#include "ops/map.h"

#include <string.h>

#include "support.h"

static const strata_device_class device_classes[] = { STRATA_CPU_CLASS, STRATA_GPU_CLASS };

struct format {
    enum storage storage;
    int digits, least; /* of the fraction, the leading one counted; the exponent of the smallest number */
    double largest;
};
static const struct format formats[] = {
    { STORAGE_FLOAT16, 11, -24, 65504 },
    { STORAGE_BFLOAT16, 8, -133, 0x1.fep127 },
};
enum { FORMATS = sizeof formats / sizeof *formats };

/* To the nearest, ties to even (which rint does), beyond the largest to infinity. */
static double nearest(const struct format *f, double v)
{
    int exponent;
    if (!isfinite(v) || v == 0) return v;
    frexp(v, &exponent);
    const int last = exponent - f->digits > f->least ? exponent - f->digits : f->least;
    const double rounded = ldexp(rint(ldexp(v, -last)), last);
    return fabs(rounded) > f->largest ? copysign(INFINITY, v) : rounded;
}

static struct view halves_of(struct device *device, const struct format *f, size_t n)
{
    strata_error err = { 0 };
    struct view view = { .buffer = strata_buffer_create(device, (n + 3) * sizeof(uint16_t), &err), .offset = 3,
                         .shape = { 1, { n } }, .storage = f->storage };
    cr_assert_not_null(view.buffer, "%s", err.message);
    return view;
}

/* Numbers next to every border between two halves, and plain ones. */
static float *awkward(const struct format *f, size_t *count)
{
    enum { EACH = 40 };
    const int from = f->storage == STORAGE_FLOAT16 ? -26 : -125, to = f->storage == STORAGE_FLOAT16 ? 17 : 127;
    float *values = calloc((size_t)(to - from + 1) * EACH, sizeof *values);
    cr_assert_not_null(values);
    *count = 0;
    for (int e = from; e <= to; e++)
        for (int i = 0; i < EACH; i++) {
            const double tie = 1 + (double)(i / 4) / (1 << (f->digits - 1)) + 1.0 / (1 << f->digits);
            const double off = i % 4 == 0 ? 0 : i % 4 == 1 ? 0x1p-23 : i % 4 == 2 ? -0x1p-23 : 0x1p-12;
            values[(*count)++] = (float)ldexp((i % 8 < 4 ? 1 : -1) * (tie + off), e);
        }
    return values;
}

static void round_on(strata_device_class class, const struct format *f)
{
    strata_error err = { 0 };
    size_t n;
    float *values = awkward(f, &n);
    struct device *device = open_as(class);
    struct run *run = immediate(device);
    struct tensor x = tensor_of(device, values, n), back = tensor_of(device, NULL, n), through = tensor_of(device, NULL, n);
    struct view half = halves_of(device, f, n);
    cr_assert(strata_op_convert(run, &x.view, STORAGE_FLOAT32, &half, &err), "%s", err.message);
    cr_assert(strata_op_convert(run, &half, STORAGE_FLOAT32, &back.view, &err), "%s", err.message);
    cr_assert(strata_op_convert(run, &x.view, f->storage, &through.view, &err), "%s", err.message);
    float *got = read_tensor(device, &back), *rounded = read_tensor(device, &through);
    for (size_t i = 0; i < n; i++) {
        const float wanted = (float)nearest(f, (double)values[i]);
        cr_assert_eq(got[i], wanted, "%s of %a is %a, not %a", strata_storage_name(f->storage), (double)values[i], (double)got[i],
                     (double)wanted);
        cr_assert_eq(rounded[i], wanted, "%a rounded to %s is %a, not %a", (double)values[i], strata_storage_name(f->storage),
                     (double)rounded[i], (double)wanted);
    }
    free(got);
    free(rounded);
    free(values);
    free_tensor(&x);
    free_tensor(&back);
    free_tensor(&through);
    strata_buffer_free(half.buffer);
    strata_run_free(run);
    strata_device_close(device);
}

Test(half, numbers_are_rounded_to_the_nearest_and_ties_to_even)
{
    for (size_t c = 0; c < 2; c++)
        for (int f = 0; f < FORMATS; f++) round_on(device_classes[c], &formats[f]);
}

/* All 65536. A NaN stays one. */
static void keep_all(strata_device_class class, const struct format *f)
{
    enum { ALL = 65536 };
    strata_error err = { 0 };
    struct device *device = open_as(class);
    struct run *run = immediate(device);
    struct view half = halves_of(device, f, ALL), again = halves_of(device, f, ALL);
    struct tensor wide = tensor_of(device, NULL, ALL);
    uint16_t *bits = malloc(ALL * sizeof *bits), *got = malloc(ALL * sizeof *got);
    cr_assert(bits && got);
    for (size_t i = 0; i < ALL; i++) bits[i] = (uint16_t)i;
    cr_assert(strata_buffer_write(device, QUEUE_COMPUTE, half.buffer, 3 * sizeof *bits, ALL * sizeof *bits, bits, &err));
    cr_assert(strata_op_convert(run, &half, STORAGE_FLOAT32, &wide.view, &err), "%s", err.message);
    cr_assert(strata_op_convert(run, &wide.view, STORAGE_FLOAT32, &again, &err), "%s", err.message);
    cr_assert(strata_buffer_read(device, QUEUE_COMPUTE, again.buffer, 3 * sizeof *got, ALL * sizeof *got, got, &err));
    float *floats = read_tensor(device, &wide);
    for (size_t i = 0; i < ALL; i++)
        cr_assert(isnan(floats[i]) ? (got[i] & 0x7fff) > (f->storage == STORAGE_FLOAT16 ? 0x7c00 : 0x7f80)
                                   : got[i] == bits[i] && (double)floats[i] == nearest(f, (double)floats[i]),
                  "%s %zx became %a and then %x", strata_storage_name(f->storage), i, (double)floats[i], got[i]);
    free(floats);
    free(bits);
    free(got);
    free_tensor(&wide);
    strata_buffer_free(half.buffer);
    strata_buffer_free(again.buffer);
    strata_run_free(run);
    strata_device_close(device);
}

Test(half, what_is_kept_as_a_half_comes_back)
{
    for (size_t c = 0; c < 2; c++)
        for (int f = 0; f < FORMATS; f++) keep_all(device_classes[c], &formats[f]);
}

Test(half, sums_of_halves_are_rounded_once)
{
    for (int f = 0; f < FORMATS; f++) {
        strata_error err = { 0 };
        const float a[] = { 1, 1, -1, 3 }, b[] = { 0x1p-9f, 0x1p-20f, 1, 0x1p-7f };
        struct device *device = open_as(STRATA_CPU_CLASS);
        struct run *run = immediate(device);
        struct tensor x = tensor_of(device, a, 4), y = tensor_of(device, b, 4), sum = tensor_of(device, NULL, 4);
        struct view p = halves_of(device, &formats[f], 4), q = halves_of(device, &formats[f], 4);
        cr_assert(strata_op_convert(run, &x.view, STORAGE_FLOAT32, &p, &err) && strata_op_convert(run, &y.view, STORAGE_FLOAT32, &q, &err)
                  && strata_op_add(run, &p, &q, &p, &err) && strata_op_convert(run, &p, STORAGE_FLOAT32, &sum.view, &err));
        float *got = read_tensor(device, &sum);
        for (int i = 0; i < 4; i++)
            cr_assert_eq((double)got[i], nearest(&formats[f], (double)a[i] + (double)b[i]));
        free(got);
        free_tensor(&x);
        free_tensor(&y);
        free_tensor(&sum);
        strata_buffer_free(p.buffer);
        strata_buffer_free(q.buffer);
        strata_run_free(run);
        strata_device_close(device);
    }
}
