#include "dist/context.h"

#include <criterion/criterion.h>
#include <string.h>

Test(context, one_rank_has_a_device)
{
    strata_error err = { 0 };
    strata_context *context = strata_context_create(&(strata_context_config){ .devices = "auto" }, &err);
    cr_assert_not_null(context, "%s", err.message);
    cr_assert(strata_context_rank(context) == 0 && strata_context_size(context) == 1);
    cr_assert_gt(strlen(strata_context_device(context)), 0);
    cr_assert_str_eq(strata_device_text(strata_context_device_of(context)), strata_context_device(context));
    cr_assert(strata_context_agree(context, true, &err));
    strata_context_free(context);
    strata_context_free(NULL);
}

Test(context, a_device_that_is_not_there_is_an_error)
{
    strata_error err = { 0 };
    cr_assert_null(strata_context_create(&(strata_context_config){ .devices = "abacus" }, &err));
    cr_assert_eq(err.code, STRATA_EDEVICE);
    cr_assert_not_null(strstr(err.message, "abacus"), "%s", err.message);
}

Test(context, what_failed_before_is_what_fails)
{
    const strata_error failed = { STRATA_EJOB, 0, "fashion.json: unknown key" };
    strata_error err = { 0 };
    cr_assert_null(strata_context_create(&(strata_context_config){ .failed = &failed }, &err));
    cr_assert_eq(err.code, STRATA_EJOB);
    cr_assert_str_eq(err.message, "fashion.json: unknown key");
}
