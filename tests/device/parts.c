#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "support.h"

enum { MOST = 16 };

/* What the rank processes of a test found, in memory that they share. */
struct found {
    cpu_set_t cores[MOST];
    int units[MOST];
    int whole[MOST]; /* units of the device of which that is a part, if it is PoCL's; else 0 */
    int cpu; /* the number of the first CPU device, or -1 */
};

static struct found *found;
static const char *devices;
static bool bound_apart;

static void share_found(void)
{
    found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(found, MAP_FAILED);
}

static int cores_here(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    return CPU_COUNT(&set);
}

static bool find_cpu(int rank, int ranks)
{
    strata_error err = { 0 };
    strata_device_info *all = NULL;
    size_t count = 0;
    const bool ok = strata_devices(&all, &count, &err);
    found->cpu = -1;
    for (size_t i = count; i-- > 0;)
        if (all[i].is_cpu)
            found->cpu = (int)i;
    free(all);
    return ok && rank < ranks;
}

/* Names the CPU device once a rank: "1,1,1". Asked in another process, as OpenCL does not survive a fork. */
static void ask_for_the_cpu(int ranks)
{
    static char list[8 * MOST];
    in_processes(1, find_cpu);
    cr_assert_geq(found->cpu, 0, "the tests need a CPU device");
    list[0] = '\0';
    for (int i = 0; i < ranks; i++) sprintf(list + strlen(list), "%s%d", i ? "," : "", found->cpu);
    devices = list;
}

/* Whether every thread of the process keeps to the cores of the first. */
static bool all_threads_alike(void)
{
    cpu_set_t ours, theirs;
    sched_getaffinity(0, sizeof ours, &ours);
    for (int thread = getpid(); thread < getpid() + 64; thread++)
        if (sched_getaffinity(thread, sizeof theirs, &theirs) == 0 && !CPU_EQUAL(&ours, &theirs)) {
            char path[64];
            snprintf(path, sizeof path, "/proc/self/task/%d", thread);
            if (access(path, F_OK) == 0)
                return false;
        }
    return true;
}

static bool computes(struct device *device)
{
    enum { N = 1000 };
    float a[N], y[N] = { 0 };
    for (int i = 0; i < N; i++) a[i] = (float)i;
    strata_error err = { 0 };
    struct buffer *x = buffer_of(device, a, N), *sum = buffer_of(device, y, N);
    struct run *run = strata_run_immediate(device, QUEUE_COMPUTE, &err);
    bool ok = run && queue_add(run, x, x, sum, N, &err)
           && strata_buffer_read(device, QUEUE_COMPUTE, sum, 0, sizeof y, y, &err);
    for (int i = 0; i < N; i++) ok = ok && y[i] == 2.0f * (float)i;
    strata_run_free(run);
    strata_buffer_free(x);
    strata_buffer_free(sum);
    return ok;
}

static bool rank_on_a_part(int rank, int ranks)
{
    strata_error err = { 0 };
    uint64_t bindings[MOST] = { 0 };
    struct device_request request = { .devices = devices, .local_rank = rank, .local_size = ranks, .class = -1 };
    if (bound_apart) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(rank, &set);
        sched_setaffinity(0, sizeof set, &set);
        for (int i = 0; i < ranks; i++) bindings[i] = (uint64_t)i;
        bindings[rank] = strata_process_binding();
        request.bindings = bindings;
    }
    struct device *device = strata_device_open(&request, &err);
    if (!device) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    CPU_ZERO(&found->cores[rank]);
    sched_getaffinity(0, sizeof found->cores[rank], &found->cores[rank]);
    found->units[rank] = strata_device_compute_units(device);
    const strata_device_info *info = strata_device_info_of(device);
    found->whole[rank] = strcmp(info->platform, "Portable Computing Language") == 0 ? info->compute_units : 0;
    const bool ok = computes(device) && all_threads_alike();
    strata_device_close(device);
    return ok;
}

Test(parts, of_a_cpu_device_are_cores_of_their_own)
{
    const int cores = cores_here();
    if (cores < 2)
        cr_skip_test("one core cannot be split");
    share_found();
    in_processes(1, rank_on_a_part); /* so that the kernel is built once */
    ask_for_the_cpu(2);
    in_processes(2, rank_on_a_part);
    cpu_set_t both;
    CPU_AND(&both, &found->cores[0], &found->cores[1]);
    cr_assert_eq(CPU_COUNT(&both), 0, "two ranks have a core in common");
    CPU_OR(&both, &found->cores[0], &found->cores[1]);
    cr_assert_eq(CPU_COUNT(&both), cores, "a core has no rank");
    cr_assert_eq(found->units[0] + found->units[1], cores);
}

Test(parts, are_single_cores_when_there_are_more_ranks_than_cores)
{
    const int ranks = cores_here() + 1;
    if (ranks > MOST)
        cr_skip_test("too many cores for a test");
    share_found();
    ask_for_the_cpu(ranks);
    in_processes(ranks, rank_on_a_part);
    for (int i = 0; i < ranks; i++) {
        cr_assert_eq(found->units[i], 1);
        cr_assert_eq(CPU_COUNT(&found->cores[i]), 1);
        cr_assert_leq(found->whole[i], 1, "the runtime has threads for cores that the rank does not have");
    }
}

Test(parts, keep_to_the_cores_that_a_launcher_bound_them_to)
{
    if (cores_here() < 2)
        cr_skip_test("one core cannot be split");
    share_found();
    ask_for_the_cpu(2);
    bound_apart = true;
    in_processes(2, rank_on_a_part);
    for (int i = 0; i < 2; i++) {
        cr_assert(CPU_ISSET(i, &found->cores[i]));
        cr_assert_eq(CPU_COUNT(&found->cores[i]), 1);
        cr_assert_eq(found->units[i], 1);
        cr_assert_leq(found->whole[i], 1, "the runtime has threads for cores that the rank does not have");
    }
}

Test(parts, are_named_in_the_text_for_people)
{
    if (cores_here() < 2)
        cr_skip_test("one core cannot be split");
    strata_error err = { 0 };
    share_found();
    ask_for_the_cpu(2);
    const struct device_request request = { .devices = devices, .local_rank = 1, .local_size = 2, .class = -1 };
    struct device *device = strata_device_open(&request, &err);
    cr_assert_not_null(device, "%s", err.message);
    cr_assert_not_null(strstr(strata_device_text(device), " of "), "%s", strata_device_text(device));
    cr_assert_not_null(strstr(strata_device_text(device), " units)"), "%s", strata_device_text(device));
    strata_device_close(device);
}

Test(parts, are_the_same_when_a_device_is_opened_again)
{
    strata_error err = { 0 };
    share_found();
    ask_for_the_cpu(2);
    int units[2] = { 0 };
    for (int i = 0; i < 2; i++) {
        const struct device_request request = { .devices = devices, .local_rank = 1, .local_size = 2, .class = -1 };
        struct device *device = strata_device_open(&request, &err);
        cr_assert_not_null(device, "%s", err.message);
        units[i] = strata_device_compute_units(device);
        strata_device_close(device);
    }
    cr_assert_eq(units[0], units[1]);
}

Test(device, has_the_class_that_was_asked_for)
{
    strata_error err = { 0 };
    struct device_request request = { .local_size = 1, .class = -1 };
    setenv("STRATA_DEVICE_CLASS", "gpu", 1);
    struct device *device = strata_device_open(&request, &err);
    cr_assert_eq(strata_device_class_of(device), STRATA_GPU_CLASS);
    strata_device_close(device);
    request.class = STRATA_CPU_CLASS;
    device = strata_device_open(&request, &err);
    cr_assert_eq(strata_device_class_of(device), STRATA_CPU_CLASS);
    strata_device_close(device);
    request.class = -1;
    setenv("STRATA_DEVICE_CLASS", "fpga", 1);
    cr_assert_null(strata_device_open(&request, &err));
    cr_assert_not_null(strstr(err.message, "STRATA_DEVICE_CLASS is \"fpga\""), "%s", err.message);
}

Test(device, that_does_not_exist_is_an_error_of_its_own_kind)
{
    strata_error err = { 0 };
    const struct device_request request = { .devices = "no such thing", .local_size = 1, .class = -1 };
    cr_assert_null(strata_device_open(&request, &err));
    cr_assert_eq(err.code, STRATA_EDEVICE);
    cr_assert_not_null(strstr(err.message, "no device is called \"no such thing\"; there "), "%s", err.message);
}
