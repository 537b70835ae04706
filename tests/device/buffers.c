#include "device/buffer.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/doorbell.h"
#include "support.h"

static struct device *device;
static strata_error err;

static void open_device(void)
{
    device = open_any();
}

static void close_device(void)
{
    strata_device_close(device);
}

TestSuite(buffers, .init = open_device, .fini = close_device);

#define ok(call) cr_assert(call, "%s", err.message)

static void expect_bytes(const struct buffer *buffer, size_t offset, size_t bytes, int value)
{
    unsigned char *host = malloc(bytes);
    ok(strata_buffer_read(device, QUEUE_COPY, buffer, offset, bytes, host, &err));
    for (size_t i = 0; i < bytes; i++) cr_assert_eq(host[i], value, "byte %zu is %d", offset + i, host[i]);
    free(host);
}

Test(buffers, are_zero_at_first)
{
    const size_t sizes[] = { 1, 3, 4, 100, 4096, 1000003 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer *buffer = strata_buffer_create(device, sizes[i], &err);
        cr_assert_not_null(buffer, "%s", err.message);
        cr_assert_eq(strata_buffer_size(buffer), sizes[i]);
        expect_bytes(buffer, 0, sizes[i], 0);
        strata_buffer_free(buffer);
    }
}

Test(buffers, hold_what_was_written_at_any_byte)
{
    unsigned char sevens[50];
    memset(sevens, 7, sizeof sevens);
    struct buffer *a = strata_buffer_create(device, 200, &err), *b = strata_buffer_create(device, 200, &err);
    ok(strata_buffer_write(device, QUEUE_COMPUTE, a, 33, sizeof sevens, sevens, &err));
    ok(strata_buffer_copy(device, QUEUE_COMPUTE, a, 33, b, 101, sizeof sevens, &err));
    ok(strata_buffer_zero(device, QUEUE_COMPUTE, b, 111, 13, &err));
    ok(strata_device_finish(device, &err));
    expect_bytes(a, 0, 33, 0);
    expect_bytes(a, 33, 50, 7);
    expect_bytes(a, 83, 117, 0);
    expect_bytes(b, 0, 101, 0);
    expect_bytes(b, 101, 10, 7);
    expect_bytes(b, 111, 13, 0);
    expect_bytes(b, 124, 27, 7);
    strata_buffer_free(a);
    strata_buffer_free(b);
}

Test(buffers, move_without_waiting_and_signal_events)
{
    enum { N = 100000 };
    static float from[N], to[N];
    struct event *written = NULL, *read = NULL, *all = NULL;
    for (int i = 0; i < N; i++) from[i] = (float)i;
    struct buffer *buffer = strata_buffer_create(device, sizeof from, &err);
    ok(strata_buffer_write_async(device, QUEUE_COPY, buffer, 0, sizeof from, from, &written, &err));
    ok(strata_buffer_read_async(device, QUEUE_COPY, buffer, 0, sizeof to, to, &read, &err));
    ok(strata_event_mark(device, QUEUE_COPY, &all, &err));
    ok(strata_queue_flush(device, QUEUE_COPY, &err));
    ok(strata_event_wait(all, &err));
    bool done = false;
    ok(strata_event_done(read, &done, &err));
    cr_assert(done);
    ok(strata_event_done(written, &done, &err));
    cr_assert(done);
    cr_assert_arr_eq(from, to, sizeof from);
    strata_event_free(written);
    strata_event_free(read);
    strata_event_free(all);
    strata_event_free(NULL);
    strata_buffer_free(buffer);
}

Test(buffers, of_no_bytes_move_as_well)
{
    struct event *event = NULL;
    struct buffer *buffer = strata_buffer_create(device, 4, &err);
    ok(strata_buffer_write(device, QUEUE_COMPUTE, buffer, 4, 0, NULL, &err));
    ok(strata_buffer_read_async(device, QUEUE_COMPUTE, buffer, 0, 0, NULL, &event, &err));
    ok(strata_event_wait(event, &err));
    ok(strata_buffer_zero(device, QUEUE_COMPUTE, buffer, 0, 0, &err));
    strata_event_free(event);
    strata_buffer_free(buffer);
    strata_buffer_free(NULL);
}

Test(buffers, that_are_too_large_say_how_much_was_asked_for_and_of_whom)
{
    cr_assert_null(strata_buffer_create(device, (size_t)1 << 50, &err));
    cr_assert_eq(err.code, STRATA_EMEMORY);
    cr_assert_neq(err.native, 0);
    cr_assert_not_null(strstr(err.message, "1125899906842624 bytes (1073741824.0 MiB)"), "%s", err.message);
    cr_assert_not_null(strstr(err.message, strata_device_text(device)), "%s", err.message);
}

Test(buffers, do_not_reach_beyond_their_end)
{
    float value = 0;
    struct buffer *buffer = strata_buffer_create(device, 4, &err);
    cr_assert_not(strata_buffer_read(device, QUEUE_COMPUTE, buffer, 4, 4, &value, &err));
    cr_assert_not_null(strstr(err.message, "reading of 4 bytes at byte 4 of a buffer of 4"), "%s", err.message);
    strata_buffer_free(buffer);
}

Test(buffers, ring_when_an_event_is_over_or_was_before)
{
    enum { N = 100000 };
    static float from[N];
    struct event *written = NULL;
    struct doorbell *bell = strata_doorbell_create(&err);
    struct buffer *buffer = strata_buffer_create(device, sizeof from, &err);
    for (int turn = 0; turn < 2; turn++) {
        ok(strata_buffer_write_async(device, QUEUE_COPY, buffer, 0, sizeof from, from, &written, &err));
        if (turn == 1) ok(strata_event_wait(written, &err));
        ok(strata_event_ring(written, bell, &err));
        ok(strata_queue_flush(device, QUEUE_COPY, &err));
        const double begun = strata_clock();
        strata_doorbell_wait(bell, 20);
        cr_assert_lt(strata_clock() - begun, 10);
        bool done = false;
        ok(strata_event_done(written, &done, &err));
        cr_assert(done);
        strata_event_free(written);
    }
    strata_buffer_free(buffer);
    strata_doorbell_drop(bell);
}

/* What the device writes, the host finds in its own memory, and the other way round. */
Test(buffers, can_have_their_contents_in_memory_of_the_host)
{
    enum { N = 3 * 4096 };
    char *room = malloc(N + 4096), *host = room + (4096 - (uintptr_t)room % 4096) % 4096;
    struct event *mapped = NULL;
    bool lent = false;
    struct buffer *buffer = strata_buffer_create(device, N, &err), *other = strata_buffer_create(device, N, &err);
    memset(room, 5, N + 4096);
    ok(strata_buffer_lend(buffer, host, &lent, &err));
    cr_assert_eq(lent, strata_device_info_of(device)->unified);
    expect_bytes(buffer, 0, N, 0);
    if (lent) {
        memset(host + N - 4096, 9, 4096);
        ok(strata_buffer_write(device, QUEUE_COPY, other, 0, N, host, &err));
        ok(strata_buffer_copy(device, QUEUE_COPY, other, N - 4096, buffer, 100, 4096, &err));
        ok(strata_buffer_map_async(device, QUEUE_COPY, buffer, 100, 4096, &mapped, &err));
        ok(strata_queue_flush(device, QUEUE_COPY, &err));
        ok(strata_event_wait(mapped, &err));
        for (int i = 0; i < 4096; i++) cr_assert_eq(host[100 + i], 9, "byte %d is %d", i, host[100 + i]);
        memset(host + 200, 3, 50);
        ok(strata_buffer_unmap(device, QUEUE_COPY, buffer, 100, &err));
        expect_bytes(buffer, 100, 100, 9);
        expect_bytes(buffer, 200, 50, 3);
        expect_bytes(buffer, 250, 3946, 9);
        strata_event_free(mapped);
    }
    strata_buffer_take_back(buffer);
    strata_buffer_free(buffer);
    strata_buffer_free(other);
    free(room);
}

Test(buffers, keep_their_own_memory_where_the_host_has_no_page_for_them)
{
    static char room[8192];
    bool lent = true;
    struct buffer *buffer = strata_buffer_create(device, 4000, &err);
    ok(strata_buffer_lend(buffer, room + 4096 - (uintptr_t)room % 4096 + 4, &lent, &err));
    cr_assert_not(lent);
    expect_bytes(buffer, 0, 4000, 0);
    strata_buffer_free(buffer);
}
