#include "device/launch.h"
#include "device/peak.h"
#include "base/clock.h"
#include "device/profile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

enum { N = 1000 };

static struct device *device;
static strata_error err;
static float ramp[N], ones[N], out[N];
static struct buffer *a, *b, *y;

static void set_up(void)
{
    device = open_any();
    for (int i = 0; i < N; i++) {
        ramp[i] = (float)i;
        ones[i] = 1;
    }
    a = buffer_of(device, ramp, N);
    b = buffer_of(device, ones, N);
    y = buffer_of(device, out, N);
}

static void tear_down(void)
{
    strata_buffer_free(a);
    strata_buffer_free(b);
    strata_buffer_free(y);
    strata_device_close(device);
}

TestSuite(launches, .init = set_up, .fini = tear_down);

#define ok(call) cr_assert(call, "%s", err.message)

static void expect_ramp(const struct buffer *buffer, float factor, float offset)
{
    ok(strata_buffer_read(device, QUEUE_COMPUTE, buffer, 0, sizeof out, out, &err));
    for (int i = 0; i < N; i++)
        cr_assert_eq(out[i], factor * (float)i + offset, "element %d is %g", i, (double)out[i]);
}

static bool queue_scale(struct run *run, struct buffer *x, size_t x0, struct buffer *to, float factor, size_t n)
{
    const struct arg args[] = { arg_place(x, x0), arg_place(to, 0), arg_float(factor), arg_float(0), arg_ulong(n), { 0 } };
    const struct launch launch = { .kernel = "map:affine", .args = args, .dims = 1, .global = { n } };
    return strata_launch(run, &launch, &err);
}

Test(launches, of_an_immediate_run_happen_at_once)
{
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    cr_assert_eq(strata_run_device(run), device);
    ok(queue_add(run, a, b, y, N, &err));
    ok(queue_scale(run, y, 0, y, 3, N));
    expect_ramp(y, 3, 3);
    ok(queue_scale(run, a, 0, y, 2, N)); /* the same kernel object with other arguments */
    expect_ramp(y, 2, 0);
    strata_run_free(run);
}

Test(launches, take_the_offset_of_a_place_in_elements)
{
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    ok(queue_scale(run, a, 100, y, 1, N - 100));
    ok(strata_buffer_read(device, QUEUE_COMPUTE, y, 0, sizeof out, out, &err));
    cr_assert_eq(out[0], 100);
    cr_assert_eq(out[N - 101], N - 1);
    cr_assert_eq(out[N - 100], 0, "beyond the range nothing is written");
    strata_run_free(run);
}

Test(launches, of_a_recording_happen_each_time_it_is_played)
{
    struct run *run = strata_run_record(device, 0, &err);
    ok(queue_add(run, y, b, y, N, &err));
    ok(queue_add(run, y, b, y, N, &err));
    expect_ramp(y, 0, 0);
    for (int i = 0; i < 5; i++) ok(strata_run_play(run, &err));
    expect_ramp(y, 0, 10);
    strata_run_free(run);
}

Test(launches, copies_and_fills_keep_their_order_in_a_recording)
{
    struct run *run = strata_run_record(device, 0, &err);
    ok(strata_run_copy(run, a, 0, y, 0, N * sizeof(float), &err));
    ok(queue_add(run, y, b, y, N, &err));
    ok(strata_run_zero(run, y, 0, 10 * sizeof(float), &err));
    ok(strata_run_play(run, &err));
    ok(strata_buffer_read(device, QUEUE_COMPUTE, y, 0, sizeof out, out, &err));
    cr_assert_eq(out[9], 0);
    cr_assert_eq(out[10], 11);
    strata_run_free(run);
}

Test(launches, measure_scratch_memory_and_do_nothing_else)
{
    struct buffer *scratch = NULL;
    struct run *run = strata_run_measure(device, &err);
    ok(strata_run_scratch(run, 1000, &scratch, &err));
    cr_assert_not_null(scratch);
    ok(queue_add(run, a, b, scratch, N, &err));
    ok(queue_add(run, a, b, y, N, &err));
    ok(strata_run_zero(run, scratch, 0, 1000, &err));
    ok(strata_run_scratch(run, 40, &scratch, &err));
    cr_assert_eq(strata_run_scratch_bytes(run), 1000);
    strata_run_free(run);
    expect_ramp(y, 0, 0);
}

Test(launches, find_their_scratch_memory_in_a_recording)
{
    struct buffer *scratch = NULL;
    struct run *run = strata_run_record(device, N * sizeof(float), &err);
    strata_run_label(run, "sum forward");
    ok(strata_run_scratch(run, N * sizeof(float), &scratch, &err));
    ok(queue_add(run, a, b, scratch, N, &err));
    ok(queue_add(run, scratch, b, y, N, &err));
    cr_assert_not(strata_run_scratch(run, N * sizeof(float) + 1, &scratch, &err));
    cr_assert_eq(err.code, STRATA_EBUG);
    cr_assert_not_null(strstr(err.message, "sum forward: asks for 4001 bytes"), "%s", err.message);
    ok(strata_run_play(run, &err));
    expect_ramp(y, 1, 2);
    strata_run_free(run);
}

Test(launches, that_make_something_once_do_it_again_when_it_may_have_changed)
{
    struct buffer *kept = NULL;
    uint64_t version = 0;
    struct run *run = strata_run_record(device, 0, &err);
    strata_run_watch(run, &version);
    cr_assert(strata_run_keeps(run));
    ok(strata_run_keep(run, N * sizeof(float), &kept, &err));
    strata_run_once(run, true);
    ok(queue_add(run, a, b, kept, N, &err));
    strata_run_once(run, false);
    ok(queue_add(run, y, kept, y, N, &err));
    cr_assert_eq(strata_run_kept_bytes(run), sizeof out);

    ok(strata_run_play(run, &err));
    expect_ramp(y, 1, 1);
    ok(strata_buffer_zero(device, QUEUE_COMPUTE, b, 0, sizeof out, &err));
    ok(strata_run_play(run, &err));
    expect_ramp(y, 2, 2);
    version++;
    ok(strata_run_play(run, &err));
    expect_ramp(y, 3, 2);
    strata_run_free(run);
}

Test(launches, measure_the_memory_that_is_kept)
{
    struct buffer *kept = NULL;
    struct run *run = strata_run_measure(device, &err);
    ok(strata_run_keep(run, 1000, &kept, &err));
    ok(strata_run_keep(run, 24, &kept, &err));
    ok(queue_add(run, a, b, kept, N, &err));
    cr_assert_eq(strata_run_kept_bytes(run), 1024);
    strata_run_free(run);
    run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    cr_assert_not(strata_run_keeps(run));
    strata_run_free(run);
}

Test(launches, have_scratch_memory_that_grows_in_an_immediate_run)
{
    struct buffer *scratch = NULL;
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    for (size_t bytes = 0; bytes < 1000000; bytes = 4 * bytes + 4000) {
        ok(strata_run_scratch(run, bytes, &scratch, &err));
        cr_assert_not_null(scratch);
        cr_assert_geq(strata_buffer_size(scratch), bytes);
        ok(queue_add(run, a, b, scratch, N, &err));
        ok(queue_add(run, scratch, b, y, N, &err));
    }
    strata_run_free(run);
    expect_ramp(y, 1, 2);
}

Test(launches, before_a_mark_are_done_when_its_event_is)
{
    int first = -1, second = -1;
    bool done = false;
    struct event *event = NULL;
    struct run *run = strata_run_record(device, 0, &err);
    ok(queue_add(run, y, b, y, N, &err));
    ok(strata_run_mark(run, &first, &err));
    ok(queue_add(run, y, b, y, N, &err));
    ok(strata_run_mark(run, &second, &err));
    cr_assert_eq(first, 0);
    cr_assert_eq(second, 1);
    cr_assert_not(strata_run_mark_event(run, first, &event, &err), "an event before the first play");
    for (int i = 1; i <= 3; i++) {
        ok(strata_run_play(run, &err));
        ok(strata_run_mark_event(run, second, &event, &err));
        ok(strata_event_wait(event, &err));
        strata_event_free(event);
        ok(strata_run_mark_event(run, first, &event, &err));
        ok(strata_event_done(event, &done, &err));
        cr_assert(done);
        strata_event_free(event);
        ok(strata_buffer_read(device, QUEUE_COPY, y, 0, sizeof out, out, &err));
        cr_assert_eq(out[0], 2 * i);
    }
    strata_run_free(run);
}

struct addition {
    struct device *device;
    struct buffer *from, *to;
    size_t bytes;
    bool fail;
};

static bool copy_by_hand(const void *context, void *queue, strata_error *error)
{
    const struct addition *c = context;
    if (c->fail || !queue)
        return strata_fail(error, STRATA_EBUG, "the call was told to fail");
    return strata_buffer_copy(c->device, QUEUE_COMPUTE, c->from, 0, c->to, 0, c->bytes, error);
}

Test(launches, may_be_calls_of_other_libraries)
{
    struct addition context = { device, a, y, N * sizeof(float), false };
    struct run *run = strata_run_record(device, 0, &err);
    ok(strata_run_call(run, copy_by_hand, &context, sizeof context, &err));
    context.fail = true; /* the recording has a copy */
    ok(queue_add(run, y, b, y, N, &err));
    ok(strata_run_play(run, &err));
    expect_ramp(y, 1, 1);
    strata_run_label(run, "gemm");
    ok(strata_run_call(run, copy_by_hand, &context, sizeof context, &err));
    cr_assert_not(strata_run_play(run, &err));
    cr_assert_str_eq(err.message, "gemm: the call was told to fail");
    strata_run_free(run);
}

Test(launches, in_two_dimensions_cover_the_whole_range)
{
    const struct arg args[] = { arg_place(a, 0), arg_place(y, 0), arg_float(2), arg_float(0), arg_ulong(N), { 0 } };
    struct launch launch = { .kernel = "map:affine", .args = args, .dims = 2, .global = { N, 3 } };
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    ok(strata_launch(run, &launch, &err));
    expect_ramp(y, 2, 0);
    launch.local[0] = 8;
    launch.local[1] = 2;
    ok(strata_launch(run, &launch, &err));
    expect_ramp(y, 2, 0);
    strata_run_free(run);
}

Test(launches, of_no_items_do_nothing)
{
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    ok(queue_add(run, a, b, y, 0, &err));
    expect_ramp(y, 0, 0);
    strata_run_free(run);
}

Test(launches, take_a_null_pointer_for_a_buffer)
{
    const struct arg args[] = { arg_place(NULL, 0), arg_place(y, 0), arg_float(2), arg_float(0), arg_ulong(0), { 0 } };
    const struct launch launch = { .kernel = "map:affine", .args = args, .dims = 1, .global = { 1 } };
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    ok(strata_launch(run, &launch, &err));
    ok(strata_device_finish(device, &err));
    strata_run_free(run);
}

Test(launches, with_the_wrong_arguments_say_which_kernel_of_what)
{
    const struct arg few[] = { arg_place(a, 0), { 0 } };
    const struct arg odd[] = { arg_float(1), arg_place(y, 0), arg_float(2), arg_float(0), arg_ulong(0), { 0 } };
    struct launch launch = { .kernel = "map:affine", .args = few, .dims = 1, .global = { 8 } };
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    strata_run_label(run, "dense_1 forward");
    cr_assert_not(strata_launch(run, &launch, &err));
    cr_assert_str_eq(err.message, "dense_1 forward: map:affine takes 7 arguments and was given 2");
    launch.args = odd;
    cr_assert_not(strata_launch(run, &launch, &err));
    cr_assert_not_null(strstr(err.message, "dense_1 forward: map:affine: argument 0: "), "%s", err.message);
    strata_run_free(run);
}

Test(launches, in_groups_that_are_too_large_say_so)
{
    const struct arg args[] = { arg_place(a, 0), arg_place(y, 0), arg_float(2), arg_float(0), arg_ulong(N), { 0 } };
    const struct launch launch = { .kernel = "map:affine", .args = args, .dims = 1, .global = { N },
                                   .local = { 1 << 20 } };
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    cr_assert_not(strata_launch(run, &launch, &err));
    cr_assert_not_null(strstr(err.message, "in groups of 1048576 items"), "%s", err.message);
    strata_run_free(run);
}

/* A device that keeps time; its commands come back by purpose, in their order. */
Test(launches, of_a_recording_are_timed_one_by_one)
{
    const struct device_request request = { .devices = "0", .local_size = 1, .class = -1, .profile = true };
    struct device *timed = strata_device_open(&request, &err);
    cr_assert_not_null(timed, "%s", err.message);
    struct buffer *from = buffer_of(timed, ones, N), *to = buffer_of(timed, ones, N);
    struct run *run = strata_run_record(timed, 0, &err);
    int mark = 0;
    strata_run_label(run, "first");
    strata_run_work(run, (struct work){ .operation = "sum", .implementation = "of two", .flops = 100, .bytes = 12 });
    ok(queue_add(run, from, from, to, N, &err));
    ok(queue_add(run, from, from, to, N, &err));
    strata_run_work(run, (struct work){ 0 });
    strata_run_label(run, "second");
    ok(strata_run_copy(run, from, 0, to, 0, 4, &err));
    ok(strata_run_mark(run, &mark, &err));
    ok(strata_run_zero(run, to, 0, 4, &err));
    ok(strata_profile_reset(strata_device_profile(timed), &err));
    const double began = strata_clock();
    for (int i = 0; i < 3; i++) ok(strata_run_play(run, &err));
    const strata_profile *told = strata_profile_read(strata_device_profile(timed), &err);
    cr_assert_not_null(told, "%s", err.message);
    static const char *const wanted[3][3] = { { "first", "sum", "of two" }, { "second", "copy", "" },
                                              { "second", "zero", "" } };
    cr_assert_eq(told->count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_str_eq(told->lines[i].step, wanted[i][0]);
        cr_assert_str_eq(told->lines[i].operation, wanted[i][1]);
        cr_assert_str_eq(told->lines[i].implementation, wanted[i][2]);
        cr_assert_eq(told->lines[i].times, 3);
        cr_assert(told->lines[i].seconds > 0 && told->lines[i].seconds < 10);
    }
    cr_assert_eq(told->lines[0].flops, 300);
    cr_assert_eq(told->lines[0].bytes, 36);
    const double before = strata_clock();
    struct profile_spans spans;
    ok(strata_profile_spans(strata_device_profile(timed), timed, &spans, &err));
    cr_assert_eq(spans.count[0], 12);
    for (size_t i = 1; i < 12; i++)
        cr_assert_geq(spans.list[0][i].start, spans.list[0][i - 1].start, "one queue does one after the other");
    cr_assert_geq(spans.list[0][0].start, began - 0.01, "on the host's clock, which is known to some microseconds");
    cr_assert_leq(spans.list[0][11].start, before + 0.01);
    strata_run_free(run);
    strata_buffer_free(from);
    strata_buffer_free(to);
    strata_device_close(timed);
}

/* What the peak is nobody knows, but no machine of today is this slow or fast. */
Test(launches, measure_the_peak_of_the_device)
{
    strata_peak peak = { 0 };
    ok(strata_device_peak(device, &peak, &err));
    cr_assert(peak.flops > 1e8 && peak.flops < 1e15, "%g", peak.flops);
    cr_assert(peak.bytes > 1e7 && peak.bytes < 1e14, "%g", peak.bytes);
}

/* What the communication thread does: its own immediate run on the other queue. */
static void *add_many(void *context)
{
    strata_error error = { 0 };
    const enum queue_index queue = *(const enum queue_index *)context;
    struct buffer *sum = buffer_of(device, (float[N]){ 0 }, N);
    struct run *run = strata_run_immediate(device, queue, &error);
    static float results[2][N];
    bool good = run != NULL;
    for (int i = 0; good && i < 2000; i++) {
        const struct arg args[] = { arg_place(queue == QUEUE_COPY ? b : a, 0), arg_place(sum, 0), arg_place(sum, 0),
                                    arg_ulong(N), { 0 } };
        const struct launch launch = { .kernel = "map:add", .args = args, .dims = 1, .global = { N },
                                       .options = i % 2 ? "-DODD" : NULL };
        good = strata_launch(run, &launch, &error);
    }
    good = good && strata_buffer_read(device, queue, sum, 0, sizeof results[0], results[queue], &error);
    for (int i = 0; good && i < N; i++)
        good = results[queue][i] == 2000.0f * (queue == QUEUE_COPY ? 1.0f : (float)i);
    strata_run_free(run);
    strata_buffer_free(sum);
    return good ? context : NULL;
}

Test(launches, of_two_threads_on_two_queues_do_not_mix)
{
    pthread_t threads[2];
    enum queue_index queues[2] = { QUEUE_COMPUTE, QUEUE_COPY };
    for (int i = 0; i < 2; i++) cr_assert_eq(pthread_create(&threads[i], NULL, add_many, &queues[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *good = NULL;
        pthread_join(threads[i], &good);
        cr_assert_not_null(good, "thread %d computed something else", i);
    }
}

Test(launches, treat_subnormal_numbers_as_zero_on_a_cpu)
{
    if (!strata_device_info_of(device)->is_cpu)
        cr_skip_test("a GPU may keep them, which costs it nothing");
    for (int i = 0; i < N; i++) ones[i] = 1e-39f;
    struct buffer *tiny = buffer_of(device, ones, N);
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    ok(queue_scale(run, tiny, 0, y, 1, N));
    expect_ramp(y, 0, 0);
    strata_run_free(run);
    strata_buffer_free(tiny);
}
