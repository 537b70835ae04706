#include "base/fault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

Test(fault, does_nothing_unless_it_is_asked_for)
{
    unsetenv("STRATA_FAULT");
    for (int i = 0; i < 100; i++) cr_assert_eq(strata_fault(FAULT_FILE), FAULT_NONE);
}

Test(fault, makes_the_kth_call_fail_and_no_other)
{
    strata_error err = { 0 };
    setenv("STRATA_FAULT", "malloc:3:fail,file:2:full", 1);
    for (int call = 1; call <= 5; call++) {
        void *memory = strata_alloc(1, 1, &err);
        cr_assert_eq(memory == NULL, call == 3, "call %d", call);
        free(memory);
    }
    cr_assert_eq(err.code, STRATA_EMEMORY);
    cr_assert_not(strata_file_fault());
    cr_assert(strata_file_fault());
    cr_assert_eq(errno, ENOSPC);
    cr_assert_not(strata_file_fault());
}

Test(fault, is_for_one_rank_where_it_says_so)
{
    setenv("STRATA_FAULT", "file:1:denied@1,opencl:1:fail@0", 1);
    setenv("PMI_RANK", "1", 1);
    unsetenv("OMPI_COMM_WORLD_RANK");
    cr_assert_eq(strata_fault(FAULT_FILE), FAULT_DENIED);
    cr_assert_eq(strata_fault(FAULT_OPENCL), FAULT_NONE);
}

Test(fault, kills_the_process, .signal = SIGKILL)
{
    setenv("STRATA_FAULT", "mpi:2:kill", 1);
    cr_assert_eq(strata_fault(FAULT_MPI), FAULT_NONE);
    (void)strata_fault(FAULT_MPI);
}

Test(fault, says_what_it_cannot_read)
{
    static const char *const wrong[] = { "file", "file:1", "file:0:fail", "file:3:count", "disk:1:fail", "opencl:1:full", "mpi:1:nan", "grad:1:fail",
                                         "file:1:fail@", "file:x:fail", "file:1:fail;", "file:1:" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        strata_error err = { 0 };
        setenv("STRATA_FAULT", wrong[i], 1);
        cr_assert_not(strata_fault_check(&err), "%s", wrong[i]);
        cr_assert_eq(err.code, STRATA_EUSAGE);
        cr_assert(strstr(err.message, wrong[i]), "%s", err.message);
    }
}
