/* A thread sleeps until another one rings, or until some time is over. Shared: whoever may still ring holds a reference. */
#ifndef STRATA_BASE_DOORBELL_H
#define STRATA_BASE_DOORBELL_H

#include "base/error.h"

struct doorbell;

/* Held once; NULL with STRATA_EMEMORY. */
struct doorbell *strata_doorbell_create(strata_error *err);
void strata_doorbell_hold(struct doorbell *bell);
void strata_doorbell_drop(struct doorbell *bell); /* takes NULL; the last one frees it */

void strata_doorbell_ring(struct doorbell *bell);
/* Returns at once when it was rung since the last wait. One thread waits. */
void strata_doorbell_wait(struct doorbell *bell, double seconds);
double strata_doorbell_rung(struct doorbell *bell); /* when it was last, by strata_clock; 0: never */

#endif
