/* What the tests of the device room share. */
#ifndef TESTS_DEVICE_SUPPORT_H
#define TESTS_DEVICE_SUPPORT_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device/device.h"
#include "device/launch.h"

/* The only rank of its node, on whatever device there is. */
static inline struct device *open_any(void)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct device *device = strata_device_open(&request, &err);
    cr_assert_not_null(device, "%s", err.message);
    return device;
}

/* A folder of its own for built kernels. */
static inline void use_fresh_cache(void)
{
    char folder[] = "cache-XXXXXX", path[4096];
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_not_null(realpath(folder, path));
    setenv("STRATA_CACHE_DIR", path, 1);
}

/* y = a + b over the first n floats of three buffers. */
static inline bool queue_add(struct run *run, struct buffer *a, struct buffer *b, struct buffer *y, size_t n,
                             strata_error *err)
{
    const struct arg args[] = { arg_place(a, 0), arg_place(b, 0), arg_place(y, 0), arg_ulong(n), { 0 } };
    const struct launch launch = { .kernel = "map:add", .args = args, .dims = 1, .global = { n } };
    return strata_launch(run, &launch, err);
}

static inline struct buffer *buffer_of(struct device *device, const float *values, size_t n)
{
    strata_error err = { 0 };
    struct buffer *buffer = strata_buffer_create(device, n * sizeof *values, &err);
    cr_assert_not_null(buffer, "%s", err.message);
    cr_assert(strata_buffer_write(device, QUEUE_COMPUTE, buffer, 0, n * sizeof *values, values, &err), "%s",
              err.message);
    return buffer;
}

/* Runs `rank` in `count` processes at once and checks that each returns true. */
static inline void in_processes(int count, bool (*rank)(int number, int count))
{
    pid_t children[16];
    for (int i = 0; i < count; i++) {
        children[i] = fork();
        cr_assert(children[i] >= 0);
        if (children[i] == 0)
            _exit(rank(i, count) ? 0 : 1);
    }
    for (int i = 0; i < count; i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d of %d failed", i, count);
    }
}

#endif
