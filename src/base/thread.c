#define _GNU_SOURCE /* gettid, sched_getaffinity */
#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int strata_thread_start(pthread_t *thread, void *(*work)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int why = pthread_create(thread, NULL, work, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why;
}

/* A set holds 1024 of them; where there may be more, the kernel refuses. */
int strata_thread_cores(void)
{
    cpu_set_t set;
    const long all = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return all < 1 ? 1 : (int)all;
}

/* Linux takes the number of a thread for that of a process here. */
void strata_thread_give_way(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
}

void strata_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool strata_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const time_t whole = (time_t)seconds;
    until.tv_sec += whole;
    until.tv_nsec += (long)(1e9 * (seconds - (double)whole));
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}
