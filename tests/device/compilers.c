/* Processes that compile for another, and above all what becomes of those that do not. */
#include "device/compilers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { IMPATIENT = 1, PATIENT = 30 }; /* seconds */

/* Asks for some kernels and waits; seconds. */
static double wait_for(const char *program, int kernels, double patience)
{
    struct compilers *compilers = strata_compilers_create(program, 2, 0);
    const struct arg args[] = { arg_uint(1), { 0 } };
    const size_t one[3] = { 1, 1, 1 };
    cr_assert_not_null(compilers);
    for (int i = 0; i < kernels; i++) {
        char options[16];
        snprintf(options, sizeof options, "-DN=%d", i);
        const struct launch launch = { .kernel = "map:add", .options = options, .args = args, .dims = 1 };
        strata_compilers_ask(compilers, &launch, one, one);
        strata_compilers_ask(compilers, &launch, one, one); /* is the same */
    }
    const double begin = strata_clock();
    strata_compilers_wait(compilers, patience);
    const double seconds = strata_clock() - begin;
    cr_assert(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "one of them is left");
    strata_compilers_free(compilers);
    return seconds;
}

/* A program of the shell, in the test's folder. */
static const char *script(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "./compiler-%d.sh", (int)getpid());
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    fclose(file);
    cr_assert_eq(chmod(path, 0755), 0);
    return path;
}

Test(compilers, that_do_what_they_are_asked_for_are_waited_for, .timeout = 120)
{
    const char *path = script("while [ \"$(head -c 2048 | wc -c)\" = 2048 ]; do sleep 0.2; echo >>done.txt; printf x; done");
    unlink("done.txt");
    cr_assert_lt(wait_for(path, 5, PATIENT), PATIENT);
    FILE *done = fopen("done.txt", "r");
    int lines = 0;
    cr_assert_not_null(done);
    for (int c; (c = fgetc(done)) != EOF;) lines += c == '\n';
    fclose(done);
    unlink("done.txt");
    unlink(path);
    cr_assert_eq(lines, 5, "%d kernels were compiled", lines);
}

Test(compilers, that_cannot_be_started_or_die_are_not_waited_for, .timeout = 120)
{
    cr_assert_lt(wait_for("/no/such/program", 5, PATIENT), PATIENT);
    cr_assert_lt(wait_for("/bin/false", 5, PATIENT), PATIENT);
    const char *path = script("head -c 2048 >/dev/null; printf x; head -c 2048 >/dev/null; kill -9 $$");
    cr_assert_lt(wait_for(path, 5, PATIENT), PATIENT);
    unlink(path);
}

Test(compilers, that_hang_are_ended, .timeout = 120)
{
    const char *path = script("exec sleep 1000");
    const double seconds = wait_for(path, 3, IMPATIENT);
    unlink(path);
    cr_assert(seconds >= IMPATIENT && seconds < PATIENT, "%g s", seconds);
}

Test(compilers, are_not_started_unless_a_kernel_is_asked_for)
{
    cr_assert_lt(wait_for("/bin/false", 0, PATIENT), PATIENT);
    cr_assert_null(strata_compilers_create(NULL, 2, 0));
    cr_assert_null(strata_compilers_create("/bin/false", 0, 0));
    strata_compilers_free(NULL);
}
