#ifndef STRATA_BASE_CLOCK_H
#define STRATA_BASE_CLOCK_H

/* Seconds of a clock that only goes forward; where it began has no meaning. */
double strata_clock(void);

#endif
