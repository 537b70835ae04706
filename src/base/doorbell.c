#include "base/doorbell.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

struct doorbell {
    atomic_int holders;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool rung;   /* guarded by lock, as is */
    double when; /* the latest time */
};

struct doorbell *strata_doorbell_create(strata_error *err)
{
    struct doorbell *bell = strata_alloc(1, sizeof *bell, err);
    if (!bell) return NULL;
    atomic_init(&bell->holders, 1);
    pthread_mutex_init(&bell->lock, NULL);
    strata_condition_init(&bell->changed);
    return bell;
}

void strata_doorbell_hold(struct doorbell *bell)
{
    atomic_fetch_add(&bell->holders, 1);
}

void strata_doorbell_drop(struct doorbell *bell)
{
    if (!bell || atomic_fetch_sub(&bell->holders, 1) > 1) return;
    pthread_mutex_destroy(&bell->lock);
    pthread_cond_destroy(&bell->changed);
    free(bell);
}

void strata_doorbell_ring(struct doorbell *bell)
{
    pthread_mutex_lock(&bell->lock);
    bell->rung = true;
    bell->when = strata_clock();
    pthread_cond_signal(&bell->changed);
    pthread_mutex_unlock(&bell->lock);
}

void strata_doorbell_wait(struct doorbell *bell, double seconds)
{
    pthread_mutex_lock(&bell->lock);
    if (!bell->rung) (void)strata_condition_wait(&bell->changed, &bell->lock, seconds);
    bell->rung = false;
    pthread_mutex_unlock(&bell->lock);
}

double strata_doorbell_rung(struct doorbell *bell)
{
    pthread_mutex_lock(&bell->lock);
    const double when = bell->when;
    pthread_mutex_unlock(&bell->lock);
    return when;
}
