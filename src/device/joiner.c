#include "device/joiner.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"

struct joiner {
    cl_command_queue queue;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool called, stop;
};

/* Whoever waits for a command hears of its failure. */
static void *join(void *context)
{
    struct joiner *j = context;
    pthread_mutex_lock(&j->lock);
    while (j->called || !j->stop) {
        if (!j->called) {
            pthread_cond_wait(&j->changed, &j->lock);
            continue;
        }
        j->called = false;
        pthread_mutex_unlock(&j->lock);
        (void)clFinish(j->queue);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct joiner *strata_joiner_start(cl_command_queue queue, strata_error *err)
{
    struct joiner *j = strata_alloc(1, sizeof *j, err);
    if (!j)
        return NULL;
    j->queue = queue;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->changed, NULL);
    const int why = strata_thread_start(&j->thread, join, j);
    if (why == 0)
        return j;
    strata_fail_native(err, STRATA_EMEMORY, why, "a thread for the device cannot start: %s", strerror(why));
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->changed);
    free(j);
    return NULL;
}

void strata_joiner_call(struct joiner *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->called = true;
    pthread_cond_signal(&j->changed);
    pthread_mutex_unlock(&j->lock);
}

void strata_joiner_end(struct joiner *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->stop = true;
    pthread_cond_signal(&j->changed);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->changed);
    free(j);
}
