/* What the library's threads have in common. */
#ifndef STRATA_BASE_THREAD_H
#define STRATA_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* pthread_create, and its code, for a thread that takes no signals: they go to the threads of the caller, which knows what to do with
 * them. */
int strata_thread_start(pthread_t *thread, void *(*work)(void *context), void *context);

/* On how many cores the calling thread may run, as the process was bound; at least 1. */
int strata_thread_cores(void);

/* The calling thread lets those that compute go first from now on: it takes the gaps that they leave, and a hundredth of a core where they
 * leave none. Where the system refuses it goes on as it was. */
void strata_thread_give_way(void);

/* A condition that is waited for by the clock of strata_clock. */
void strata_condition_init(pthread_cond_t *condition);
/* At most so many seconds, with the lock held; false when they are over. As with pthread_cond_wait, waking says nothing else. */
bool strata_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double seconds);

#endif
