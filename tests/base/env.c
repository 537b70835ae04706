#include "base/env.h"

#include <criterion/criterion.h>
#include <stdlib.h>

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
