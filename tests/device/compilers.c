/* Processes that compile for another, and above all what becomes of those that do not. */
#include "device/compilers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"

enum { IMPATIENT = 1, PATIENT = 30 }; /* seconds */

/* One that has noted some kernels. */
static struct compilers *noted(const struct compilers_config *config, int kernels)
{
    struct compilers *compilers = strata_compilers_create(config);
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
    return compilers;
}

/* Seconds until they are compiled. */
static double wait_for(const char *program, int kernels, double patience)
{
    struct compilers *compilers = noted(&(struct compilers_config){ .program = program, .count = 2, .parts = 1 }, kernels);
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
    cr_assert_null(strata_compilers_create(&(struct compilers_config){ .count = 2, .parts = 1 }));
    cr_assert_null(strata_compilers_create(&(struct compilers_config){ .program = "/bin/false", .parts = 1 }));
    strata_compilers_free(NULL);
}

static bool is_needed(uint64_t build, int kernels)
{
    const struct compilers_config config = { .program = "/bin/false", .count = 1, .build = build, .parts = 1 };
    struct compilers *compilers = noted(&config, kernels);
    const bool needed = strata_compilers_are_needed(compilers);
    strata_compilers_forget(compilers);
    cr_assert_not(strata_compilers_are_needed(compilers));
    strata_compilers_free(compilers);
    return needed;
}

Test(compilers, are_needed_until_a_start_had_the_same_kernels_compiled, .timeout = 120)
{
    const char *path = script("while [ \"$(head -c 2048 | wc -c)\" = 2048 ]; do printf x; done");
    use_fresh_cache();
    cr_assert(is_needed(1, 3));
    struct compilers *compilers = noted(&(struct compilers_config){ .program = "/bin/false", .count = 1, .build = 1, .parts = 1 }, 3);
    strata_compilers_wait(compilers, PATIENT); /* which does nothing */
    strata_compilers_free(compilers);
    cr_assert(is_needed(1, 3));
    compilers = noted(&(struct compilers_config){ .program = path, .count = 1, .build = 1, .parts = 1 }, 3);
    strata_compilers_wait(compilers, PATIENT);
    strata_compilers_free(compilers);
    unlink(path);
    cr_assert_not(is_needed(1, 3));
    cr_assert(is_needed(1, 4));
    cr_assert(is_needed(2, 3));
}

/* The options of the kernels in the order in which one of so many processes has them compiled, as "0 1 2 ". */
static void order_of(int part, int parts, int kernels, char *order, size_t size)
{
    const char *path = script("while head -c 2048 >request && [ \"$(wc -c <request)\" = 2048 ]; do "
                              "tr -dc '=A-Z0-9' <request | sed 's/.*DN=\\([0-9]\\).*/\\1 /' | head -c 2 >>order; printf x; done");
    unlink("order");
    const struct compilers_config config = { .program = path, .count = 1, .build = 1, .part = part, .parts = parts };
    struct compilers *compilers = noted(&config, kernels);
    strata_compilers_wait(compilers, PATIENT);
    strata_compilers_free(compilers);
    unlink(path);
    FILE *file = fopen("order", "r");
    cr_assert_not_null(file);
    order[fread(order, 1, size - 1, file)] = '\0';
    fclose(file);
    unlink("order");
}

Test(compilers, of_two_processes_begin_with_different_kernels, .timeout = 120)
{
    char alone[64], first[64], second[64], expected[64];
    order_of(0, 1, 5, alone, sizeof alone);
    order_of(0, 2, 5, first, sizeof first);
    order_of(1, 2, 5, second, sizeof second);
    cr_assert_eq(strlen(alone), 10, "%s", alone);
    /* the even ones from the front, then the odd ones from the back; and the other way round */
    const char *a = alone;
    snprintf(expected, sizeof expected, "%c %c %c %c %c ", a[0], a[4], a[8], a[6], a[2]);
    cr_assert_str_eq(first, expected);
    snprintf(expected, sizeof expected, "%c %c %c %c %c ", a[2], a[6], a[8], a[4], a[0]);
    cr_assert_str_eq(second, expected);
}
