#include "device/program_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"

/* Opens the device, makes one kernel and returns where its program came from. */
static struct program_counts counts_of_a_start(const char *options)
{
    strata_error err = { 0 };
    cl_kernel kernel = NULL;
    struct device *device = open_any();
    cr_assert(strata_kernel_create(device, "map:add", options, &kernel, &err), "%s", err.message);
    const struct program_counts counts = strata_program_counts(device);
    clReleaseKernel(kernel);
    strata_device_close(device);
    return counts;
}

/* A folder for built kernels, which a driver with files of its own (PoCL) leaves to us. */
static void use_fresh_cache_of_ours(void)
{
    use_fresh_cache();
    setenv("POCL_KERNEL_CACHE", "0", 1);
}

static void expect(struct program_counts counts, size_t built, size_t loaded)
{
    cr_assert_eq(counts.built, built, "%zu were built", counts.built);
    cr_assert_eq(counts.loaded, loaded, "%zu were loaded", counts.loaded);
}

/* The path of the only entry on disk. */
static const char *entry(void)
{
    static char path[8192];
    char folder[4200];
    int entries = 0;
    snprintf(folder, sizeof folder, "%s/kernels", getenv("STRATA_CACHE_DIR"));
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            entries++;
        }
    closedir(dir);
    cr_assert_eq(entries, 1, "%d files in %s", entries, folder);
    return path;
}

Test(programs, are_built_once_and_then_found_on_disk)
{
    use_fresh_cache_of_ours();
    expect(counts_of_a_start(NULL), 1, 0);
    expect(counts_of_a_start(NULL), 0, 1);
    expect(counts_of_a_start("-DOTHER=1"), 1, 0);
}

/* Else each is compiled twice. */
Test(programs, are_left_to_a_driver_that_keeps_them)
{
    char folder[4200];
    use_fresh_cache();
    setenv("POCL_KERNEL_CACHE", "1", 1);
    struct device *device = open_any();
    const bool pocl = strcmp(strata_device_info_of(device)->platform, "Portable Computing Language") == 0;
    strata_device_close(device);
    expect(counts_of_a_start(NULL), 1, 0);
    expect(counts_of_a_start(NULL), pocl, !pocl);
    snprintf(folder, sizeof folder, "%s/kernels", getenv("STRATA_CACHE_DIR"));
    cr_assert_eq(access(folder, F_OK) == 0, !pocl);
}

Test(programs, are_kept_in_memory_for_the_same_file_and_options)
{
    strata_error err = { 0 };
    cl_kernel add = NULL, affine = NULL;
    struct device *device = open_any();
    cr_assert(strata_kernel_create(device, "map:add", NULL, &add, &err), "%s", err.message);
    cr_assert(strata_kernel_create(device, "map:affine", "", &affine, &err), "%s", err.message);
    const struct program_counts counts = strata_program_counts(device);
    cr_assert_eq(counts.built + counts.loaded, 1);
    clReleaseKernel(add);
    clReleaseKernel(affine);
    strata_device_close(device);
}

/* A whole header of functions is what PoCL's compiler spends most of a small program's time on. */
Test(programs, are_built_without_the_header_of_all_functions_where_it_can_be_left_out)
{
    use_fresh_cache();
    strata_error err = { 0 };
    cl_kernel kernel = NULL;
    struct device *device = open_any();
    const bool pocl = strcmp(strata_device_info_of(device)->platform, "Portable Computing Language") == 0;
    const char *const names[] = { "map:add", "noise:apply_noise", "max_pool2d:forward", "gemm_tiled:gemm", "elu:forward" };
    const char *const options[] = { NULL, "-DKIND=2 -DGRADIENT=0 -DAXES=0",
                                    "-DVW=16 -DCHUNKS=1 -DPH=2 -DPW=2 -DSH=2 -DSW=2 -DPT=0 -DPL=0 -DINSIDE=1 -DINDEX=1",
                                    "-DVW=8 -DMR=6 -DBIAS=1 -DACTIVATION=1 -DKC=256 -DTILES=16 -DPANELS=8 -DTRANS_A=0 "
                                    "-DTRANS_B=0 -DACCUMULATE=0 -DFAR=1 -DGRAINS=0", NULL };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert(strata_kernel_create(device, names[i], options[i], &kernel, &err), "%s", err.message);
        clReleaseKernel(kernel);
    }
    const struct program_counts counts = strata_program_counts(device);
    cr_assert_eq(counts.built, sizeof names / sizeof *names);
    cr_assert_eq(counts.shortly, pocl ? counts.built : 0, "%zu of %zu", counts.shortly, counts.built);
    strata_device_close(device);
}

static void damage(off_t at, bool cut)
{
    struct stat before;
    const int file = open(entry(), O_RDWR);
    cr_assert(file >= 0 && fstat(file, &before) == 0);
    const off_t place = at >= 0 ? at : before.st_size + at;
    unsigned char byte = 0;
    if (cut) {
        cr_assert_eq(ftruncate(file, place), 0);
    } else {
        cr_assert_eq(pread(file, &byte, 1, place), 1);
        byte ^= 0x10;
        cr_assert_eq(pwrite(file, &byte, 1, place), 1);
    }
    close(file);
}

Test(programs, that_were_damaged_on_disk_are_built_again_and_replaced)
{
    use_fresh_cache_of_ours();
    expect(counts_of_a_start(NULL), 1, 0);
    const struct {
        off_t at;
        bool cut;
    } damages[] = { { 0, false }, { 12, false }, { 30, false }, { 100, false }, { -1, false },
                    { 0, true },  { 20, true },  { 40, true },  { -1, true } };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        damage(damages[i].at, damages[i].cut);
        expect(counts_of_a_start(NULL), 1, 0);
        expect(counts_of_a_start(NULL), 0, 1);
    }
}

Test(programs, need_no_folder_that_can_be_written)
{
    setenv("STRATA_CACHE_DIR", "/proc/no/such/place", 1);
    expect(counts_of_a_start(NULL), 1, 0);
    expect(counts_of_a_start(NULL), 1, 0);
}

Test(programs, need_no_folder_at_all)
{
    unsetenv("STRATA_CACHE_DIR");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    expect(counts_of_a_start(NULL), 1, 0);
}

static bool start(int number, int count)
{
    (void)count;
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = -1 };
    struct device *device = strata_device_open(&request, &err);
    bool ok = device != NULL;
    for (int i = 0; ok && i < 4; i++) {
        cl_kernel kernel = NULL;
        char options[32];
        snprintf(options, sizeof options, "-DK=%d", (i + number) % 4);
        ok = strata_kernel_create(device, "map:add", options, &kernel, &err);
        if (ok)
            clReleaseKernel(kernel);
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    strata_device_close(device);
    return ok;
}

Test(programs, are_built_by_many_processes_at_once_without_harm, .timeout = 100)
{
    use_fresh_cache_of_ours();
    in_processes(6, start);
    for (int i = 0; i < 4; i++) {
        char options[32];
        snprintf(options, sizeof options, "-DK=%d", i);
        expect(counts_of_a_start(options), 0, 1);
    }
}

static strata_error failure_of(const char *kernel, const char *options)
{
    strata_error err = { 0 };
    cl_kernel object = NULL;
    struct device *device = open_any();
    cr_assert_not(strata_kernel_create(device, kernel, options, &object, &err));
    strata_device_close(device);
    return err;
}

Test(programs, that_do_not_compile_say_which_file_and_why)
{
    const strata_error err = failure_of("map:add", "-Daffine=add");
    cr_assert_eq(err.code, STRATA_EDEVICE);
    cr_assert_eq(err.native, CL_BUILD_PROGRAM_FAILURE);
    cr_assert_not_null(strstr(err.message, "cl/map.cl does not compile with"), "%s", err.message);
    cr_assert_not_null(strstr(err.message, "-Daffine=add"), "%s", err.message);
    cr_assert_not_null(strstr(err.message, "'add'"), "no line of the compiler's log: %s", err.message);
}

Test(programs, say_which_kernel_is_missing)
{
    cr_assert_not_null(strstr(failure_of("nonsense:add", NULL).message, "no kernel file cl/nonsense.cl"));
    cr_assert_not_null(strstr(failure_of("map:nonsense", NULL).message,
                              "cl/map.cl has no kernel nonsense"));
    cr_assert_not_null(strstr(failure_of("map", NULL).message, "\"file:function\""));
}
