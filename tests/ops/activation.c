/* An activation's gradient that is summed in the same pass: dx by its definition, its sums over rows by double sums, and grains to the
 * bits of each alone. */
#include "ops/activation.h"

#include "ops/map.h"
#include "support.h"

struct matrix {
    size_t rows, columns, each; /* each: a grain; 0: all are one */
};

/* Sums of one stage and of two, with and without whole vectors, a last slice and a last grain of fewer rows. */
static const struct matrix matrices[] = { { 7, 3, 0 },    { 32, 16, 0 },  { 301, 5, 0 },  { 9001, 64, 0 }, { 70, 384, 0 },
                                          { 40, 32, 10 }, { 301, 8, 70 }, { 500, 24, 200 } };

/* tanh: dx = dy (1 - y^2). */
static void expect_definition(const struct matrix *m, const float *y, const float *dy, const float *dx, const float *sums)
{
    double *wanted = calloc(m->rows * m->columns, sizeof *wanted), *totals = calloc(m->columns, sizeof *totals);
    for (size_t i = 0; i < m->rows * m->columns; i++) {
        wanted[i] = dy[i] * (1 - (double)y[i] * y[i]);
        totals[i % m->columns] += wanted[i];
    }
    expect_near(dx, wanted, m->rows * m->columns, 1e-6, "dx");
    expect_near(sums, totals, m->columns, 1e-6 * (double)m->rows, "sums"); /* rows times a float's rounding of up to 0.5 */
    free(wanted);
    free(totals);
}

static void compute(struct run *run, const struct matrix *m, const struct tensor *y, const struct tensor *dy, size_t first, size_t rows,
                    const struct view *dx, const struct view *sums)
{
    strata_error err = { 0 };
    struct view value = y->view, d = dy->view, to = *dx;
    value.offset += first * m->columns;
    d.offset += first * m->columns;
    to.offset += first * m->columns;
    value.shape = d.shape = to.shape = (struct shape){ 2, { rows, m->columns } };
    cr_assert(strata_op_activation_gradient_sums(run, ACTIVATION_TANH, &value, &d, &to, m->each, sums, &err), "%s", err.message);
}

/* Two grains, one after the other: with all others left out the tree's left half. */
static void expect_bits_of_grains(struct device *device, struct run *run, const struct matrix *m, const struct tensor *y,
                                  const struct tensor *dy, const struct view *dx)
{
    struct tensor both = tensor_of(device, NULL, m->columns), one[2];
    strata_error err = { 0 };
    compute(run, m, y, dy, 0, 2 * m->each, dx, &both.view);
    for (size_t g = 0; g < 2; g++) {
        one[g] = tensor_of(device, NULL, m->columns);
        compute(run, m, y, dy, g * m->each, m->each, dx, &one[g].view);
    }
    cr_assert(strata_op_add(run, &one[0].view, &one[1].view, &one[0].view, &err), "%s", err.message);
    float *found = read_tensor(device, &both), *wanted = read_tensor(device, &one[0]);
    cr_assert_arr_eq(found, wanted, m->columns * sizeof *found);
    free(found);
    free(wanted);
    free_tensor(&both);
    for (int g = 0; g < 2; g++) free_tensor(&one[g]);
}

static void check(struct device *device, struct run *run, const struct matrix *m, bool in_place)
{
    const size_t count = m->rows * m->columns;
    float *y = numbers(count, 1), *dy = numbers(count, 2);
    struct tensor ty = tensor_of(device, y, count), tdy = tensor_of(device, dy, count), tdx = tensor_of(device, NULL, count),
                  sums = tensor_of(device, NULL, m->columns);
    if (m->each) expect_bits_of_grains(device, run, m, &ty, &tdy, &tdx.view);
    compute(run, m, &ty, &tdy, 0, m->rows, in_place ? &tdy.view : &tdx.view, &sums.view);
    float *dx = read_tensor(device, in_place ? &tdy : &tdx), *totals = read_tensor(device, &sums);
    expect_definition(m, y, dy, dx, totals);
    struct tensor *all[] = { &ty, &tdy, &tdx, &sums };
    for (int i = 0; i < 4; i++) free_tensor(all[i]);
    free(y);
    free(dy);
    free(dx);
    free(totals);
}

static void check_class(strata_device_class class)
{
    struct device *device = open_as(class);
    struct run *run = immediate(device);
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) check(device, run, &matrices[i], i % 2 == 1);
    strata_run_free(run);
    strata_device_close(device);
}

Test(activation, sums_its_gradient_over_rows_on_cpus) { check_class(STRATA_CPU_CLASS); }

Test(activation, sums_its_gradient_over_rows_on_gpus) { check_class(STRATA_GPU_CLASS); }
