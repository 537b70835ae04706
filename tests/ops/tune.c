/* What was measured serves; what measures finds the same results in every implementation. */
#include <strata/profile.h>
#include <string.h>

#include "base/clock.h"
#include "device/choices.h"
#include "device/native.h"
#include "device/profile.h"
#include "ops/clblast.h"
#include "ops/measure.h"
#include "support.h"

static struct device *open_timed(strata_device_class class)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = (int)class, .profile = true };
    struct device *device = strata_device_open(&request, &err);
    cr_assert_not_null(device, "%s", err.message);
    return device;
}

static json_t *choices(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json);
    return json;
}

/* How a product of so many rows, 7 columns and 5 terms was done: "tiled", "clblast, tuned". */
static const char *served_by(struct device *device, size_t rows)
{
    static char text[80];
    strata_error err = { 0 };
    struct run *run = immediate(device);
    float *values = numbers(rows * 7 + 5 * 7, 1);
    struct tensor a = tensor_of(device, values, rows * 5), b = tensor_of(device, values, 35), c = tensor_of(device, NULL, rows * 7);
    const struct gemm gemm = { .m = rows, .n = 7, .k = 5, .a = a.view, .b = b.view, .c = c.view };
    cr_assert(strata_profile_reset(strata_device_profile(device), &err), "%s", err.message);
    cr_assert(strata_op_gemm(run, &gemm, &err), "%s", err.message);
    cr_assert(strata_device_finish(device, &err), "%s", err.message);
    const strata_profile *profile = strata_profile_read(strata_device_profile(device), &err);
    cr_assert_not_null(profile, "%s", err.message);
    for (size_t i = 0; i < profile->count; i++)
        if (strcmp(profile->lines[i].operation, "gemm") == 0)
            snprintf(text, sizeof text, "%s%s", profile->lines[i].implementation, profile->lines[i].tuned ? ", tuned" : "");
    free(values);
    free_tensor(&a);
    free_tensor(&b);
    free_tensor(&c);
    strata_run_free(run);
    return text;
}

Test(choices, serve_their_shape_and_no_other)
{
    struct device *device = open_timed(STRATA_CPU_CLASS);
    cr_assert_str_eq(served_by(device, 9), "tiled");
    strata_device_adopt_choices(device, choices("{\"ops\": {\"gemm 9x7x5\": \"clblast\"}}"));
    cr_assert_str_eq(served_by(device, 9), "clblast, tuned");
    cr_assert_str_eq(served_by(device, 8), "tiled");
    strata_device_use_choices(device, false);
    cr_assert_str_eq(served_by(device, 9), "tiled", "a run that leaves choices out uses one");
    strata_device_use_choices(device, true);
    force("gemm", "tiled");
    cr_assert_str_eq(served_by(device, 9), "tiled", "what is forced comes first");
    strata_device_close(device);
}

Test(choices, that_cannot_serve_are_passed_by)
{
    struct device *device = open_timed(STRATA_GPU_CLASS);
    strata_device_adopt_choices(device, choices("{\"ops\": {\"gemm 9x7x5\": \"tiled\", \"gemm 8x7x5\": \"gone\", \"gemm 7x7x5\": 3}}"));
    for (size_t rows = 7; rows < 10; rows++) cr_assert_str_eq(served_by(device, rows), "clblast");
    strata_device_close(device);
}

/* ---- measuring ---------------------------------------------------------------------------------------------------------- */

static const struct conv2d plain = { .n = 3, .height = 11, .width = 9, .channels = 16, .out_height = 11, .out_width = 9,
                                     .filters = 16, .kernel_height = 3, .kernel_width = 3, .stride_h = 1, .stride_w = 1,
                                     .dilation_h = 1, .dilation_w = 1, .pad_top = 1, .pad_left = 1, .groups = 1 };
static const struct conv2d deep = { .n = 2, .height = 8, .width = 8, .channels = 6, .out_height = 4, .out_width = 4, .filters = 6,
                                    .kernel_height = 3, .kernel_width = 3, .stride_h = 2, .stride_w = 2, .dilation_h = 1,
                                    .dilation_w = 1, .groups = 6 };

static size_t measure(struct device *device, const struct request *request, double until, struct measurement *list)
{
    strata_error err = { 0 };
    size_t count = 0;
    struct meter *meter = strata_meter_create(device, request, 1, &err);
    cr_assert_not_null(meter, "%s", err.message);
    cr_assert(strata_meter_compare(meter, request, until, list, &count, &err), "%s", err.message);
    strata_meter_free(meter);
    return count;
}

static void expect_all(struct device *device, const struct request *request, const char *const *names)
{
    struct measurement list[STRATA_MOST_IMPLEMENTATIONS];
    const size_t count = measure(device, request, strata_clock() + 300, list);
    for (size_t i = 0; i < count; i++) {
        cr_assert(names[i] && strcmp(list[i].implementation, names[i]) == 0, "%s: %s", strata_request_operation(request),
                  list[i].implementation);
        cr_assert_eq(list[i].as, MEASURED, "%s by %s is %d", strata_request_operation(request), names[i], (int)list[i].as);
        cr_assert_gt(list[i].seconds, 0);
    }
    cr_assert_null(names[count], "%s is not measured", names[count]);
}

Test(meter, measures_what_can_serve_and_all_of_it_agrees)
{
    static const char *const of_cpu[] = { "winograd", "tiled", "im2col", NULL };
    static const char *const of_strict[] = { "tiled", "im2col", NULL };
    static const char *const of_depth[] = { "depthwise", "tiled", "im2col", NULL }, *const of_gpu[] = { "depthwise", "im2col", NULL };
    static const char *const products[] = { "tiled", "packed", "clblast", NULL };
    struct device *cpu = open_as(STRATA_CPU_CLASS), *gpu = open_as(STRATA_GPU_CLASS);
    struct conv2d wide = plain;
    wide.height = wide.width = wide.out_height = wide.out_width = 24;
    for (int kind = REQUEST_CONV2D; kind <= REQUEST_CONV2D_KERNEL_GRADIENT; kind++)
        expect_all(cpu, &(struct request){ .kind = (enum request_kind)kind, .conv = wide }, of_cpu);
    expect_all(cpu, &(struct request){ .kind = REQUEST_CONV2D, .conv = wide, .strict = true }, of_strict);
    expect_all(cpu, &(struct request){ .kind = REQUEST_CONV2D_KERNEL_GRADIENT, .conv = deep }, of_depth);
    expect_all(gpu, &(struct request){ .kind = REQUEST_CONV2D_INPUT_GRADIENT, .conv = deep }, of_gpu);
    expect_all(cpu, &(struct request){ .gemm = { .m = 13, .n = 31, .k = 170, .transpose_a = true } }, products);
    expect_all(cpu, &(struct request){ .gemm = { .m = 13, .n = 31, .k = 170, .transpose_b = true, .accumulate = true } }, products);
    strata_device_close(cpu);
    strata_device_close(gpu);
}

Test(meter, measures_nothing_when_its_time_is_over)
{
    struct measurement list[STRATA_MOST_IMPLEMENTATIONS];
    struct device *device = open_as(STRATA_CPU_CLASS);
    const size_t count = measure(device, &(struct request){ .kind = REQUEST_CONV2D, .conv = plain }, strata_clock(), list);
    cr_assert_eq(count, 3);
    for (size_t i = 0; i < count; i++) cr_assert_eq(list[i].as, MEASURED_NOT);
    cr_assert_eq(strata_meter_best(list, count), 0);
    strata_device_close(device);
}

/* im2col, with CLBlast's products for GPUs, takes a hundred times as long on the CPU class: the third shape's time is not spent on it where
 * there is little, but is where there is much. */
Test(meter, leaves_out_what_was_hopeless_before)
{
    struct measurement list[STRATA_MOST_IMPLEMENTATIONS];
    struct device *device = open_as(STRATA_CPU_CLASS);
    struct request request = { .kind = REQUEST_CONV2D, .conv = plain };
    strata_error err = { 0 };
    size_t count = 0;
    request.conv.n = 32;
    request.conv.channels = request.conv.filters = 64;
    struct meter *meter = strata_meter_create(device, &request, 1, &err);
    cr_assert_not_null(meter, "%s", err.message);
    for (int shape = 0; shape < 4; shape++) {
        const double time = shape == 2 ? 1 : 300;
        request.conv.n = 32 - (size_t)shape;
        cr_assert(strata_meter_compare(meter, &request, strata_clock() + time, list, &count, &err), "%s", err.message);
        cr_assert(count == 3 && strcmp(list[2].implementation, "im2col") == 0);
        cr_assert_eq(list[0].as, MEASURED);
        cr_assert_eq(list[2].as, shape == 2 ? MEASURED_NOT : MEASURED, "shape %d", shape);
    }
    strata_meter_free(meter);
    strata_device_close(device);
}

Test(meter, chooses_the_fastest_that_agrees_and_is_worth_it)
{
    struct measurement list[] = { { "a", MEASURED, 1 }, { "b", MEASURED_WRONG, 0.1 }, { "c", MEASURED, 0.98 },
                                  { "d", MEASURED, 0.7 }, { "e", MEASURED, 0.6 },     { "f", MEASURED_FAILED, 0 } };
    cr_assert_eq(strata_meter_best(list, 6), 4);
    cr_assert_eq(strata_meter_best(list, 3), 0);
}

/* Sums of 300 products in two orders differ by rounding; a term that is missing is more than that. */
Test(meter, tells_rounding_from_another_result)
{
    enum { TERMS = 300, SUMS = 50 };
    const struct request request = { .gemm = { .m = SUMS, .n = 1, .k = TERMS } };
    float up[SUMS], down[SUMS], other[SUMS];
    float *a = numbers(SUMS * TERMS, 1), *b = numbers(TERMS, 2);
    for (int i = 0; i < SUMS; i++) {
        up[i] = down[i] = 0;
        for (int k = 0; k < TERMS; k++) up[i] += 4 * a[i * TERMS + k] * b[k];
        for (int k = TERMS - 1; k >= 0; k--) down[i] += 4 * a[i * TERMS + k] * b[k];
        other[i] = down[i];
    }
    cr_assert(strata_meter_agree(&request, up, down, SUMS));
    other[SUMS - 1] -= 4 * a[SUMS * TERMS - 1] * b[TERMS - 1];
    cr_assert_not(strata_meter_agree(&request, up, other, SUMS), "a term is missing");
    other[SUMS - 1] = NAN;
    cr_assert_not(strata_meter_agree(&request, up, other, SUMS), "NaN");
    free(a);
    free(b);
}

/* ---- parameters of CLBlast ------------------------------------------------------------------------------------------------- */

Test(clblast, has_sets_for_a_device_of_opencls_least_size)
{
    struct device *device = open_as(STRATA_GPU_CLASS);
    size_t legal = 0;
    for (size_t i = 0; i < strata_clblast_sets; i++) legal += strata_clblast_legal(device, i);
    cr_assert_eq(legal, strata_clblast_sets, "all sets keep CLBlast's constraints");
    cr_assert_not(strata_clblast_legal(device, strata_clblast_sets));
    strata_device_close(device);
}

/* Under parameters that were chosen, a product in CLBlast's indirect way is the same within rounding as without. */
Test(clblast, takes_parameters_that_were_chosen)
{
    static const char set[] =
        "{\"clblast\": {\"Xgemm\": {\"GEMMK\": 0, \"KREG\": 1, \"KWG\": 32, \"KWI\": 2, \"MDIMA\": 8, \"MDIMC\": 8, \"MWG\": 32,"
        "\"NDIMB\": 8, \"NDIMC\": 8, \"NWG\": 32, \"SA\": 1, \"SB\": 1, \"STRM\": 0, \"STRN\": 0, \"VWM\": 2, \"VWN\": 2},"
        "\"GemmRoutine\": {\"XGEMM_MIN_INDIRECT_SIZE\": 1}}}";
    enum { M = 45, N = 70, K = 33 };
    strata_error err = { 0 };
    struct device *device = open_as(STRATA_GPU_CLASS);
    struct run *run = immediate(device);
    float *a = numbers(M * K, 1), *b = numbers(K * N, 2);
    struct tensor ta = tensor_of(device, a, M * K), tb = tensor_of(device, b, K * N), tc = tensor_of(device, NULL, M * N);
    const struct gemm gemm = { .m = M, .n = N, .k = K, .a = ta.view, .b = tb.view, .c = tc.view };
    static double wanted[M * N];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < K; k++) wanted[i * N + j] += (double)a[i * K + k] * (double)b[k * N + j];
    strata_device_adopt_choices(device, choices(set));
    cr_assert(strata_op_gemm(run, &gemm, &err), "%s", err.message);
    float *found = read_tensor(device, &tc);
    expect_near(found, wanted, M * N, 1.2e-7 * K, "tuned");
    cr_assert_null(strata_device_parameters_due(device), "it was not told");

    strata_device_adopt_choices(device, choices("{\"clblast\": {\"Xgemm\": {\"MWG\": 32}}}"));
    cr_assert_not(strata_op_gemm(run, &gemm, &err), "CLBlast wants all parameters");
    cr_assert(strstr(err.message, "Xgemm") && strstr(err.message, "tuning.json"), "%s", err.message);
    free(found);
    free(a);
    free(b);
    free_tensor(&ta);
    free_tensor(&tb);
    free_tensor(&tc);
    strata_run_free(run);
    strata_device_close(device);
}

/* It would hold the context until the process ends. */
Test(clblast, keeps_nothing_of_a_device_that_is_closed)
{
    cl_uint holders = 0;
    struct device *device = open_timed(STRATA_GPU_CLASS);
    cr_assert_str_eq(served_by(device, 9), "clblast");
    cl_context context = strata_device_context(device);
    cr_assert_eq(clRetainContext(context), CL_SUCCESS);
    strata_device_close(device);
    /* a driver's own threads may be a little late */
    for (const double end = strata_clock() + 10; holders != 1 && strata_clock() < end;)
        cr_assert_eq(clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof holders, &holders, NULL), CL_SUCCESS);
    cr_assert_eq(holders, 1, "%u hold the context", holders);
    clReleaseContext(context);
}
