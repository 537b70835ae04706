#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static const struct {
    int number;
    const char *name;
} noted[] = { { SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGUSR1, "SIGUSR1" },
              { SIGUSR2, "SIGUSR2" } };

enum { COUNT = sizeof noted / sizeof *noted };

/* A handler has no other way to tell. */
static volatile sig_atomic_t first;
static struct timespec came;

static bool is_repeated(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - came.tv_sec) + 1e-9 * (double)(now.tv_nsec - came.tv_nsec) < 0.5;
}

static void note(int number)
{
    const int kept = errno;
    if (first == 0) {
        clock_gettime(CLOCK_MONOTONIC, &came);
        first = number;
    } else if (!is_repeated()) {
        signal(number, SIG_DFL);
        raise(number); /* delivered as this handler returns */
    }
    errno = kept;
}

void strata_signals_note(void)
{
    struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT; i++) sigaddset(&action.sa_mask, noted[i].number);
    for (size_t i = 0; i < COUNT; i++) sigaction(noted[i].number, &action, NULL);
}

bool strata_signals_came(void *unused)
{
    (void)unused;
    return first != 0;
}

const char *strata_signals_name(void)
{
    for (size_t i = 0; i < COUNT; i++)
        if (noted[i].number == first) return noted[i].name;
    return NULL;
}
