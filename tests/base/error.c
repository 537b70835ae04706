#include "base/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error, failing_returns_false_and_keeps_code_and_native)
{
    strata_error err = { 0 };
    cr_assert_not(strata_fail_native(&err, STRATA_EDEVICE, -5, "%s %d", "device", 3));
    cr_assert_eq(err.code, STRATA_EDEVICE);
    cr_assert_eq(err.native, -5);
    cr_assert_str_eq(err.message, "device 3");
    cr_assert_not(strata_fail(&err, STRATA_EFILE, "gone"));
    cr_assert_eq(err.native, 0);
}

Test(error, places_are_put_in_front)
{
    strata_error err = { 0 };
    strata_fail(&err, STRATA_EVALUE, "units is -2");
    cr_assert_not(strata_fail_in(&err, "layer %d", 3));
    strata_fail_in(&err, "job.json");
    cr_assert_str_eq(err.message, "job.json: layer 3: units is -2");
    cr_assert_eq(err.code, STRATA_EVALUE);
}

Test(error, messages_too_long_are_cut)
{
    strata_error err = { 0 };
    char longer[3 * sizeof err.message];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    strata_fail(&err, STRATA_EVALUE, "%s", longer);
    cr_assert_eq(strlen(err.message), sizeof err.message - 1);
    for (int i = 0; i < 3; i++) strata_fail_in(&err, "%s", longer);
    cr_assert_lt(strlen(err.message), sizeof err.message);
}

Test(error, every_code_has_its_exit_code)
{
    cr_assert_eq(strata_exit_code(STRATA_OK), 0);
    cr_assert_eq(strata_exit_code(STRATA_EUSAGE), 64);
    cr_assert_eq(strata_exit_code(STRATA_EFILE), 65);
    cr_assert_eq(strata_exit_code(STRATA_EDEVICE), 69);
    cr_assert_eq(strata_exit_code(STRATA_EMEMORY), 71);
    cr_assert_eq(strata_exit_code(STRATA_ESTOPPED), 75);
    cr_assert_eq(strata_exit_code(STRATA_EPEER), 76);
    cr_assert_eq(strata_exit_code(STRATA_EDISAGREE), 77);
    cr_assert_eq(strata_exit_code(STRATA_EVALUE), 78);
    cr_assert_eq(strata_exit_code((strata_code)1000), 70);
}
