#include "ops/gemm.h"

#include <float.h>
#include <string.h>

#include "support.h"

struct shapes {
    size_t m, n, k;
};

/* Single elements, less than a tile, tiles with corners, several blocks of k, the products of an MLP's last layer, more
 * rows, panels and blocks than a work-item of any implementation takes at a time, and k so long that it is cut into parts. */
static const struct shapes all_shapes[] = {
    { 1, 1, 1 }, { 1, 5, 3 }, { 7, 1, 9 }, { 5, 3, 1 }, { 6, 16, 8 }, { 8, 32, 16 }, { 13, 31, 17 }, { 37, 19, 301 },
    { 100, 33, 40 }, { 128, 10, 512 }, { 33, 300, 65 }, { 200, 47, 257 }, { 66, 260, 1160 }, { 20, 33, 1537 },
    { 9, 250, 6301 },
};

struct product {
    struct gemm gemm;
    float *a, *b, *c, *bias;
    struct tensor ta, tb, tc, tbias;
};

static struct product make(struct device *device, struct shapes s, bool transpose_a, bool transpose_b)
{
    struct product p = { .gemm = { .m = s.m, .n = s.n, .k = s.k, .transpose_a = transpose_a, .transpose_b = transpose_b } };
    p.a = numbers(s.m * s.k, 1);
    p.b = numbers(s.k * s.n, 2);
    p.c = numbers(s.m * s.n, 3);
    p.bias = numbers(2 * s.n, 4);
    p.ta = tensor_of(device, p.a, s.m * s.k);
    p.tb = tensor_of(device, p.b, s.k * s.n);
    p.tc = tensor_of(device, NULL, s.m * s.n);
    p.tbias = tensor_of(device, p.bias, 2 * s.n);
    p.gemm.a = p.ta.view;
    p.gemm.b = p.tb.view;
    p.gemm.c = p.tc.view;
    return p;
}

static void drop(struct product *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->bias);
    free_tensor(&p->ta);
    free_tensor(&p->tb);
    free_tensor(&p->tc);
    free_tensor(&p->tbias);
}

/* op(A) op(B) in double; free() it. */
static double *reference(const struct product *p)
{
    const struct gemm *g = &p->gemm;
    double *c = calloc(g->m * g->n, sizeof *c);
    cr_assert_not_null(c);
    for (size_t i = 0; i < g->m; i++)
        for (size_t l = 0; l < g->k; l++)
            for (size_t j = 0; j < g->n; j++)
                c[i * g->n + j] += (double)p->a[g->transpose_a ? l * g->m + i : i * g->k + l]
                                   * (double)p->b[g->transpose_b ? j * g->k + l : l * g->n + j];
    return c;
}

/* Terms are below 1/4, so k of them in any order round by less than k * k / 4 epsilons, and in practice by fewer
 * than k. */
static double tolerance(const struct gemm *g)
{
    return FLT_EPSILON * (double)(g->k + 4);
}

static void run_product(struct run *run, const struct gemm *gemm)
{
    strata_error err = { 0 };
    cr_assert(strata_op_gemm(run, gemm, &err), "%s", err.message);
}

static void check_plain(struct device *device, struct run *run, struct product *p, const char *what)
{
    double *wanted = reference(p);
    run_product(run, &p->gemm);
    float *found = read_tensor(device, &p->tc);
    expect_near(found, wanted, p->tc.count, tolerance(&p->gemm), what);
    free(found);
    free(wanted);
}

static void check_tail_and_relu(struct device *device, struct run *run, struct product *p, size_t factor, const char *what)
{
    double *wanted = reference(p);
    for (size_t i = 0; i < p->tc.count; i++) {
        wanted[i] *= factor ? (double)p->bias[factor + i % p->gemm.n] : 1;
        wanted[i] += (double)p->bias[i % p->gemm.n];
        wanted[i] = wanted[i] < 0 ? 0 : wanted[i];
    }
    struct gemm gemm = p->gemm;
    gemm.tail = (struct tail){ .bias = p->tbias.view, .factor = factor, .activation = ACTIVATION_RELU };
    run_product(run, &gemm);
    float *found = read_tensor(device, &p->tc);
    expect_near(found, wanted, p->tc.count, tolerance(&gemm), what);
    free(found);
    free(wanted);
}

static void check_accumulating(struct device *device, struct run *run, struct product *p, const char *what)
{
    double *wanted = reference(p);
    for (size_t i = 0; i < p->tc.count; i++) wanted[i] += (double)p->c[i];
    struct tensor sum = tensor_of(device, p->c, p->tc.count);
    struct gemm gemm = p->gemm;
    gemm.c = sum.view;
    gemm.accumulate = true;
    run_product(run, &gemm);
    float *found = read_tensor(device, &sum);
    expect_near(found, wanted, sum.count, tolerance(&gemm), what);
    free(found);
    free(wanted);
    free_tensor(&sum);
}

static void check_shape(struct device *device, struct run *run, const char *name, struct shapes s)
{
    for (int transposed = 0; transposed < 4; transposed++) {
        char what[120];
        snprintf(what, sizeof what, "%s (%zu, %zu, %zu)%s%s", name, s.m, s.n, s.k, transposed & 1 ? " A^T" : "",
                 transposed & 2 ? " B^T" : "");
        struct product p = make(device, s, transposed & 1, transposed & 2);
        check_plain(device, run, &p, what);
        check_tail_and_relu(device, run, &p, 0, what);
        check_tail_and_relu(device, run, &p, s.n, what);
        check_accumulating(device, run, &p, what);
        drop(&p);
    }
}

static void check_class(strata_device_class class)
{
    struct device *device = open_as(class);
    struct run *run = immediate(device);
    for (int i = 0; strata_gemm_implementations[i]; i++) {
        force("gemm", strata_gemm_implementations[i]->name);
        for (size_t s = 0; s < sizeof all_shapes / sizeof *all_shapes; s++)
            check_shape(device, run, strata_gemm_implementations[i]->name, all_shapes[s]);
    }
    strata_run_free(run);
    strata_device_close(device);
}

Test(gemm, every_implementation_agrees_with_the_definition_on_the_cpu_class)
{
    check_class(STRATA_CPU_CLASS);
}

Test(gemm, every_implementation_agrees_with_the_definition_on_the_gpu_class)
{
    check_class(STRATA_GPU_CLASS);
}

/* With the tail of a layer; the second play reads the panels that the first one made. */
static void check_constant(struct device *device, struct shapes s)
{
    strata_error err = { 0 };
    struct product p = make(device, s, false, false);
    struct run *run = strata_run_record(device, 0, &err);
    double *wanted = reference(&p);
    for (size_t i = 0; i < p.tc.count; i++) wanted[i] += (double)p.bias[i % s.n];
    p.gemm.b.constant = true;
    p.gemm.tail.bias = p.tbias.view;
    run_product(run, &p.gemm);
    for (int play = 0; play < 2; play++) cr_assert(strata_run_play(run, &err), "%s", err.message);
    float *found = read_tensor(device, &p.tc);
    expect_near(found, wanted, p.tc.count, tolerance(&p.gemm), "packed once");
    free(found);
    free(wanted);
    strata_run_free(run);
    drop(&p);
}

Test(gemm, packs_a_constant_right_side_once)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    const struct gemm constant = { .m = 3, .n = 3, .k = 3, .b.constant = true };
    cr_assert_str_eq(strata_gemm_default(device, &constant)->name, "constant");
    for (size_t s = 0; s < sizeof all_shapes / sizeof *all_shapes; s++) check_constant(device, all_shapes[s]);
    strata_device_close(device);
}

/* A vector of the math library and the same function of single floats may differ by a few units in the last place. */
static void check_activation(struct device *device, struct run *run, enum activation_kind kind, const char *what)
{
    strata_error err = { 0 };
    struct product p = make(device, (struct shapes){ 9, 39, 20 }, false, false);
    run_product(run, &p.gemm);
    cr_assert(strata_op_activation(run, kind, &p.tc.view, &p.tc.view, &err), "%s", err.message);
    float *apart = read_tensor(device, &p.tc);

    p.gemm.tail.activation = kind;
    run_product(run, &p.gemm);
    float *fused = read_tensor(device, &p.tc);
    for (size_t i = 0; i < p.tc.count; i++)
        cr_assert_float_eq(fused[i], apart[i], 1e-6f * (1 + fabsf(apart[i])), "%s %s: element %zu is %g, not %g", what,
                           strata_activation(kind)->name, i, (double)fused[i], (double)apart[i]);
    free(fused);
    free(apart);
    drop(&p);
}

Test(gemm, every_implementation_applies_every_fusable_activation)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    for (int i = 0; strata_gemm_implementations[i]; i++) {
        force("gemm", strata_gemm_implementations[i]->name);
        for (int kind = 0; kind < ACTIVATION_KINDS; kind++)
            if (strata_activation((enum activation_kind)kind)->fusable)
                check_activation(device, run, (enum activation_kind)kind, strata_gemm_implementations[i]->name);
    }
    strata_run_free(run);
    strata_device_close(device);
}

/* So a batch gives the same bits in one piece and in slices. */
Test(gemm, tiled_gives_a_row_the_same_bits_whatever_the_number_of_rows)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    force("gemm", "tiled");
    struct product p = make(device, (struct shapes){ 131, 70, 333 }, false, false);
    run_product(run, &p.gemm);
    float *whole = read_tensor(device, &p.tc);
    for (size_t rows = 1; rows < 131; rows += 43) {
        struct tensor part = tensor_of(device, NULL, rows * p.gemm.n);
        struct gemm gemm = p.gemm;
        gemm.m = rows;
        gemm.c = part.view;
        run_product(run, &gemm);
        float *some = read_tensor(device, &part);
        cr_assert(memcmp(some, whole, rows * p.gemm.n * sizeof *some) == 0, "%zu rows differ from all rows", rows);
        free(some);
        free_tensor(&part);
    }
    free(whole);
    drop(&p);
    strata_run_free(run);
    strata_device_close(device);
}

static float *bits_by(struct device *device, struct run *run, const char *name, const struct product *p)
{
    struct gemm gemm = p->gemm;
    gemm.tail = (struct tail){ .bias = p->tbias.view, .factor = gemm.n, .activation = ACTIVATION_RELU };
    force("gemm", name);
    run_product(run, &gemm);
    return read_tensor(device, &p->tc);
}

/* So those of an exact run do not depend on which one suits the rows that a rank has. */
Test(gemm, packed_gives_the_bits_of_tiled)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    static const struct shapes shapes[] = { { 9, 40, 20 }, { 131, 70, 333 }, { 66, 260, 1160 } };
    for (int i = 0; i < 12; i++) {
        struct product p = make(device, shapes[i / 4], i & 1, i & 2);
        float *tiled = bits_by(device, run, "tiled", &p), *packed = bits_by(device, run, "packed", &p);
        cr_assert(memcmp(tiled, packed, p.tc.count * sizeof *tiled) == 0, "(%zu, %zu, %zu)%s%s", p.gemm.m, p.gemm.n, p.gemm.k,
                  i & 1 ? " A^T" : "", i & 2 ? " B^T" : "");
        free(tiled);
        free(packed);
        drop(&p);
    }
    strata_run_free(run);
    strata_device_close(device);
}

/* Whatever serves: few columns and a long k are what is cut into parts, with any number of rows. */
Test(gemm, a_row_of_a_long_sum_has_the_same_bits_whatever_the_number_of_rows)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    for (int b = 0; b < 2; b++)
        for (size_t n = 128; n <= 256; n += 128) {
            struct product p = make(device, (struct shapes){ 800, n, 1600 }, false, b);
            run_product(run, &p.gemm);
            float *whole = read_tensor(device, &p.tc);
            p.gemm.m = 100;
            run_product(run, &p.gemm);
            float *some = read_tensor(device, &p.tc);
            cr_assert(memcmp(some, whole, p.gemm.m * n * sizeof *some) == 0, "%zu columns%s", n, b ? " B^T" : "");
            free(whole);
            free(some);
            drop(&p);
        }
    strata_run_free(run);
    strata_device_close(device);
}

Test(gemm, packed_serves_large_products_on_the_cpu_class)
{
    struct device *cpu = open_as(STRATA_CPU_CLASS), *gpu = open_as(STRATA_GPU_CLASS);
    const struct gemm large = { .m = 1024, .n = 1024, .k = 1024 };
    const struct gemm few_rows = { .m = 128, .n = 1024, .k = 1024 }, few_columns = { .m = 1024, .n = 10, .k = 1024 };
    const struct gemm huge = { .m = 1024, .n = 10000, .k = 10000 };
    const struct gemm grains = { .m = 1024, .n = 1024, .k = 1024, .transpose_a = true, .grain = 64 };
    cr_assert_str_eq(strata_gemm_default(cpu, &large)->name, "packed");
    cr_assert_str_eq(strata_gemm_default(cpu, &few_rows)->name, "tiled");
    cr_assert_str_eq(strata_gemm_default(cpu, &few_columns)->name, "tiled");
    cr_assert_str_eq(strata_gemm_default(cpu, &huge)->name, "tiled");
    cr_assert_str_eq(strata_gemm_default(cpu, &grains)->name, "tiled");
    cr_assert_str_eq(strata_gemm_default(gpu, &large)->name, "clblast");
    strata_device_close(cpu);
    strata_device_close(gpu);
}

Test(gemm, refuses_a_forced_implementation_that_is_not_there)
{
    strata_error err = { 0 };
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct run *run = immediate(device);
    force("gemm", "magic");
    struct product p = make(device, (struct shapes){ 1, 1, 1 }, false, false);
    cr_assert_not(strata_op_gemm(run, &p.gemm, &err));
    cr_assert_not_null(strstr(err.message, "gemm has no implementation \"magic\""), "%s", err.message);
    drop(&p);
    strata_run_free(run);
    strata_device_close(device);
}
