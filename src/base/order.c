#include "base/order.h"

#include <stdlib.h>

int strata_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double strata_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, strata_ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
