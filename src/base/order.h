/* Numbers by size. */
#ifndef STRATA_BASE_ORDER_H
#define STRATA_BASE_ORDER_H

#include <stddef.h>

int strata_ascending(const void *a, const void *b); /* two doubles, for qsort */

/* Of count > 0 numbers, which it sorts; the mean of the middle two where they are even. */
double strata_median(double *values, size_t count);

#endif
