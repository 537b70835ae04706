#include "base/env.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <strata/context.h>

Test(env, an_empty_variable_counts_as_unset)
{
    setenv("STRATA_FAULT", "", 1);
    cr_assert_null(strata_env("STRATA_FAULT"));
    setenv("STRATA_FAULT", "x", 1);
    cr_assert_str_eq(strata_env("STRATA_FAULT"), "x");
    unsetenv("STRATA_FAULT");
    cr_assert_null(strata_env("STRATA_FAULT"));
}

Test(env, the_cache_folder_has_three_places_in_order)
{
    char folder[64], small[4];
    setenv("HOME", "/home/me", 1);
    setenv("XDG_CACHE_HOME", "/x", 1);
    setenv("STRATA_CACHE_DIR", "/own", 1);
    cr_assert(strata_env_cache_dir(folder, sizeof folder));
    cr_assert_str_eq(folder, "/own");
    unsetenv("STRATA_CACHE_DIR");
    cr_assert(strata_env_cache_dir(folder, sizeof folder));
    cr_assert_str_eq(folder, "/x/strata");
    unsetenv("XDG_CACHE_HOME");
    cr_assert(strata_env_cache_dir(folder, sizeof folder));
    cr_assert_str_eq(folder, "/home/me/.cache/strata");
    cr_assert_not(strata_env_cache_dir(small, sizeof small));
    unsetenv("HOME");
    cr_assert_not(strata_env_cache_dir(folder, sizeof folder));
}

Test(env, an_implementation_is_forced_by_the_name_of_its_op)
{
    char name[32];
    setenv("STRATA_IMPL", "gemm=tiled,conv2d=im2col", 1);
    cr_assert(strata_env_impl("gemm", name, sizeof name));
    cr_assert_str_eq(name, "tiled");
    cr_assert(strata_env_impl("conv2d", name, sizeof name));
    cr_assert_str_eq(name, "im2col");
    cr_assert_not(strata_env_impl("gem", name, sizeof name));
    cr_assert_not(strata_env_impl("pool2d", name, sizeof name));
    unsetenv("STRATA_IMPL");
    cr_assert_not(strata_env_impl("gemm", name, sizeof name));
}

Test(env, a_link_has_megabytes_a_second)
{
    static const char *const bad[] = { "fast", "0", "-3", "10MB", " " };
    strata_error err = { 0 };
    double link = 0;
    unsetenv("STRATA_LINK");
    cr_assert(strata_env_link(&link, &err));
    cr_assert_eq(link, INFINITY);
    setenv("STRATA_LINK", "12.5", 1);
    cr_assert(strata_env_link(&link, &err), "%s", err.message);
    cr_assert_eq(link, 12.5e6);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("STRATA_LINK", bad[i], 1);
        cr_assert_not(strata_env_link(&link, &err), "%s", bad[i]);
        cr_assert_eq(err.code, STRATA_EUSAGE);
    }
    unsetenv("STRATA_LINK");
}

Test(env, compilers_are_as_many_as_a_number_says)
{
    static const char *const bad[] = { "two", "-1", "1001", "2 ", " ", "1.5", "99999999999999999999" };
    strata_error err = { 0 };
    int count = 0;
    unsetenv("STRATA_COMPILERS");
    cr_assert(strata_env_compilers(3, &count, &err));
    cr_assert_eq(count, 3);
    setenv("STRATA_COMPILERS", "0", 1);
    cr_assert(strata_env_compilers(3, &count, &err), "%s", err.message);
    cr_assert_eq(count, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("STRATA_COMPILERS", bad[i], 1);
        cr_assert_not(strata_env_compilers(3, &count, &err), "%s", bad[i]);
        cr_assert_eq(err.code, STRATA_EUSAGE);
    }
    unsetenv("STRATA_COMPILERS");
}

static struct slowness slowness_of(const char *text, int rank)
{
    strata_error err = { 0 };
    struct slowness slow;
    setenv("STRATA_SLOW", text, 1);
    cr_assert(strata_env_slow(rank, &slow, &err), "%s", err.message);
    return slow;
}

Test(env, a_rank_is_slow_in_the_steps_that_are_named)
{
    cr_assert_eq(slowness_of("0:4,2:1.5", 0).factor, 4);
    cr_assert_eq(slowness_of("0:4,2:1.5", 1).factor, 1);
    const struct slowness always = slowness_of("0:4,2:1.5", 2), some = slowness_of("1:2@20-60", 1);
    cr_assert(always.factor == 1.5 && always.first == 0 && always.last == SIZE_MAX);
    cr_assert(some.factor == 2 && some.first == 19 && some.last == 60);
    const struct slowness each = slowness_of("1:2.5ms@3,0:4", 1);
    cr_assert(each.factor == 1 && each.each == 2.5e-3 && each.first == 2 && each.last == SIZE_MAX);
    unsetenv("STRATA_SLOW");
}

Test(env, a_slowness_that_makes_no_sense_is_refused)
{
    static const char *const bad[] = { "4", "0:", "0:0.5", "0:nan", "-1:2", "0:2@0", "0:2@9-3", "0:2;1:3", "0:0ms", "0:2m", "0:-1ms" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        strata_error err = { 0 };
        struct slowness slow;
        setenv("STRATA_SLOW", bad[i], 1);
        cr_assert_not(strata_env_slow(0, &slow, &err), "%s", bad[i]);
        cr_assert_eq(err.code, STRATA_EUSAGE);
    }
    unsetenv("STRATA_SLOW");
}

/* What is prepared for so many ranks in all and on this host, where this variable, if any, is set already. */
static void prepare(const char *ranks, const char *here, const char *chosen)
{
    setenv("OMPI_COMM_WORLD_SIZE", ranks, 1);
    setenv("OMPI_COMM_WORLD_LOCAL_SIZE", here, 1);
    unsetenv("OMPI_MCA_pml");
    unsetenv("OMPI_MCA_btl");
    unsetenv("OMPI_MCA_mtl");
    if (chosen) setenv(chosen, "own", 1);
    strata_launch_prepare();
}

Test(env, ranks_of_one_host_are_to_use_its_memory)
{
    prepare("2", "2", NULL);
    cr_assert_str_eq(strata_env("OMPI_MCA_pml"), "ob1");
    cr_assert_str_eq(strata_env("OMPI_MCA_btl"), "self,vader");
}

Test(env, ranks_of_several_hosts_and_chosen_transports_are_left_alone)
{
    prepare("4", "2", NULL);
    cr_assert_null(strata_env("OMPI_MCA_pml"));
    cr_assert_null(strata_env("OMPI_MCA_btl"));
    prepare("2", "2", "OMPI_MCA_mtl");
    cr_assert_null(strata_env("OMPI_MCA_pml"));
    prepare("2", "2", "OMPI_MCA_pml");
    cr_assert_str_eq(strata_env("OMPI_MCA_pml"), "own");
    cr_assert_null(strata_env("OMPI_MCA_btl"));
    prepare("2", "2", "OMPI_MCA_btl");
    cr_assert_str_eq(strata_env("OMPI_MCA_btl"), "own");
    unsetenv("OMPI_COMM_WORLD_SIZE");
    unsetenv("OMPI_MCA_btl");
    strata_launch_prepare();
    cr_assert_null(strata_env("OMPI_MCA_pml"));
}
