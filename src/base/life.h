/* Whether this process does anything. What hangs does nothing, however long what works may take. */
#ifndef STRATA_BASE_LIFE_H
#define STRATA_BASE_LIFE_H

#include <stdbool.h>

/* Starts as { 0 }. */
struct life {
    double looked, computed; /* seconds: of the clock, and of computing, when it was looked last */
};

/* Whether the process computed since the last look, or a thread of it but the caller wants to now, or waits for a disk. */
bool strata_is_alive(struct life *life);

#endif
