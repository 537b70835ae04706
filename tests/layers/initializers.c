/* Initializers: bounds, moments and structure that Keras's documentation promises. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layers/initializer.h"
#include "layers/layer.h"

static float *draw(const char *json_text, const struct shape *shape, uint32_t stream)
{
    strata_error err = { 0 };
    struct object object = { 0 };
    const struct random_key key = { .seed = 12, .purpose = RANDOM_WEIGHTS, .stream = stream };
    json_t *json = strata_json_parse(json_text, strlen(json_text), "initializer", &err);
    float *values = calloc(strata_shape_count(shape), sizeof *values);
    cr_assert(json && strata_object_parse(&strata_initializers, json, STRATA_KERAS3, &object, &err)
                  && strata_initialize(&object, shape, &key, values, &err),
              "%s", err.message);
    strata_object_release(&object);
    json_decref(json);
    return values;
}

/* Mean 0, the given variance (five standard errors), and nothing beyond `bound`. */
static void expect(const char *json_text, const struct shape *shape, double variance, double bound)
{
    const size_t count = strata_shape_count(shape);
    float *values = draw(json_text, shape, 1);
    double sum = 0, squares = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += (double)values[i] * values[i];
        largest = fmax(largest, fabs((double)values[i]));
    }
    const double n = (double)count;
    cr_expect(fabs(sum / n) < 5 * sqrt(variance / n), "%s: mean %g", json_text, sum / n);
    cr_expect(fabs(squares / n - variance) < 5 * variance * sqrt(2 / n), "%s: variance %g, not %g", json_text,
              squares / n, variance);
    cr_expect(largest <= bound, "%s: %g lies beyond %g", json_text, largest, bound);
    free(values);
}

/* A convolution kernel: fan in 3 * 3 * 64, fan out 3 * 3 * 128. The variance of a normal cut at two deviations is 0.7737 of the
 * uncut one's, which the scaling makes up for; its bound is 2 / 0.8796 deviations. */
Test(initializers, scale_their_variance_by_the_fans)
{
    const struct shape kernel = { 4, { 3, 3, 64, 128 } };
    const double in = 576, out = 1152, avg = 864, cut = 2 / 0.87962566;
    expect("\"glorot_uniform\"", &kernel, 1 / avg, sqrt(3 / avg));
    expect("\"GlorotNormal\"", &kernel, 1 / avg, cut * sqrt(1 / avg));
    expect("\"he_uniform\"", &kernel, 2 / in, sqrt(6 / in));
    expect("\"he_normal\"", &kernel, 2 / in, cut * sqrt(2 / in));
    expect("\"lecun_uniform\"", &kernel, 1 / in, sqrt(3 / in));
    expect("\"lecun_normal\"", &kernel, 1 / in, cut * sqrt(1 / in));
    expect("{\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 3.0, \"mode\": \"fan_out\", "
           "\"distribution\": "
           "\"untruncated_normal\"}}",
           &kernel, 3 / out, 10);
}

Test(initializers, draw_from_the_distributions_of_their_names)
{
    const struct shape table = { 2, { 300, 200 } };
    expect("\"uniform\"", &table, 0.01 / 12, 0.05);
    expect("\"normal\"", &table, 0.05 * 0.05, 1);
    expect("{\"TruncatedNormal\": {\"stddev\": 1}}", &table, 0.7737413, 2);
}

Test(initializers, of_constants_are_constant)
{
    const struct shape shape = { 2, { 2, 3 } };
    float *zeros = draw("\"zeros\"", &shape, 1), *ones = draw("\"ones\"", &shape, 1);
    float *constant = draw("{\"Constant\": {\"value\": 0.5}}", &shape, 1),
          *identity = draw("{\"Identity\": {\"gain\": 2}}", &shape, 1);
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(zeros[i], 0);
        cr_expect_eq(ones[i], 1);
        cr_expect_eq(constant[i], 0.5f);
        cr_expect_eq(identity[i], i == 0 || i == 4 ? 2 : 0);
    }
    free(zeros);
    free(ones);
    free(constant);
    free(identity);
}

static void expect_orthonormal(size_t rows, size_t columns)
{
    const struct shape shape = { 2, { rows, columns } };
    float *q = draw("\"orthogonal\"", &shape, 3);
    const size_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t k = 0; k < length; k++)
                dot += rows < columns ? (double)q[i * columns + k] * q[j * columns + k]
                                      : (double)q[k * columns + i] * q[k * columns + j];
            cr_expect(fabs(dot - (i == j)) < 1e-6, "%zu x %zu: %zu and %zu have product %g", rows, columns, i,
                      j, dot);
        }
    }
    free(q);
}

Test(initializers, orthogonal_makes_orthonormal_rows_or_columns)
{
    expect_orthonormal(17, 5);
    expect_orthonormal(5, 17);
    expect_orthonormal(6, 6);
}

Test(initializers, with_a_seed_of_their_own_draw_the_same_anywhere)
{
    const struct shape shape = { 1, { 50 } };
    float *a = draw("{\"GlorotUniform\": {\"seed\": 4}}", &shape, 1),
          *b = draw("{\"GlorotUniform\": {\"seed\": 4}}", &shape, 2);
    float *c = draw("\"glorot_uniform\"", &shape, 1), *d = draw("\"glorot_uniform\"", &shape, 2);
    cr_expect_arr_eq(a, b, 50 * sizeof *a);
    cr_expect_neq(memcmp(c, d, 50 * sizeof *c), 0, "two tensors draw the same");
    free(a);
    free(b);
    free(c);
    free(d);
}
