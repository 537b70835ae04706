/* The lock of a run folder: taken once, and never held by the dead. */
#include "files/lock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(content, file) >= 0 && fclose(file) == 0);
}

static void expect_free(const char *path)
{
    strata_error err = { 0 };
    struct lock *lock = strata_lock_take(path, &err);
    cr_assert_not_null(lock, "%s", err.message);
    strata_lock_release(lock);
    cr_assert_neq(access(path, F_OK), 0, "the lock is left behind");
}

Test(lock, is_held_by_one_at_a_time_and_names_the_holder)
{
    strata_error err = { 0 };
    char mine[64], host[256] = "";
    struct lock *lock = strata_lock_take("held.lock", &err);
    cr_assert_not_null(lock, "%s", err.message);
    cr_assert_null(strata_lock_take("held.lock", &err));
    cr_assert_eq(err.code, STRATA_EFILE);
    gethostname(host, sizeof host - 1);
    snprintf(mine, sizeof mine, "process %ld on ", (long)getpid());
    cr_assert(strstr(err.message, mine) && strstr(err.message, host) && strstr(err.message, "since 2"), "%s", err.message);
    strata_lock_release(lock);
    expect_free("held.lock");
}

Test(lock, of_a_killed_process_is_not_in_the_way)
{
    int ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        strata_error err = { 0 };
        const bool ok = strata_lock_take("killed.lock", &err) != NULL;
        if (write(ready[1], ok ? "y" : "n", 1) == 1) pause();
        _exit(1);
    }
    cr_assert(read(ready[0], &byte, 1) == 1 && byte == 'y');
    strata_error err = { 0 };
    cr_assert_null(strata_lock_take("killed.lock", &err));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_assert_eq(access("killed.lock", F_OK), 0);
    expect_free("killed.lock");
}

Test(lock, of_another_host_is_taken_over_once_nobody_touches_it)
{
    leave("gone.lock", "{\"host\": \"no-such-host\", \"pid\": 1, \"since\": \"2020-01-01 00:00:00\", \"start\": 1}");
    expect_free("gone.lock");
}

Test(lock, of_another_host_that_is_touched_is_respected)
{
    leave("other.lock", "{\"host\": \"no-such-host\", \"pid\": 77, \"since\": \"2020-01-01 00:00:00\", \"start\": 1}");
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 20; i++) {
            sleep(1);
            leave("other.lock", "{\"host\": \"no-such-host\", \"pid\": 77, \"since\": \"2020-01-01 00:00:00\", \"start\": 1}");
        }
        _exit(0);
    }
    strata_error err = { 0 };
    cr_assert_null(strata_lock_take("other.lock", &err));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_assert(strstr(err.message, "process 77 on no-such-host, since 2020-01-01"), "%s", err.message);
}

Test(lock, with_content_that_makes_no_sense_is_free)
{
    const char *const contents[] = { "", "x", "{}", "[1]", "{\"host\": 3}", "{\"host\": \"" };
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        leave("odd.lock", contents[i]);
        expect_free("odd.lock");
    }
}

Test(lock, needs_a_folder_that_can_be_written)
{
    strata_error err = { 0 };
    cr_assert_null(strata_lock_take("no/such/folder.lock", &err));
    cr_assert_eq(err.code, STRATA_EFILE);
}
