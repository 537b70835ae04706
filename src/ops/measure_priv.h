/* What measuring implementations and measuring parameters share. */
#ifndef STRATA_OPS_MEASURE_PRIV_H
#define STRATA_OPS_MEASURE_PRIV_H

#include "ops/measure.h"

/* How an implementation did for requests of a kind. */
struct past {
    const char *implementation;
    size_t shapes;
    double least; /* times the default's time, of any of them */
};

struct meter {
    struct device *device;
    struct run *run;
    struct buffer *in[2], *bias, *out;
    float *expected, *got; /* owned: a result on the host */
    size_t room;           /* floats of either */
    struct past past[REQUEST_KINDS][STRATA_MOST_IMPLEMENTATIONS];
};

size_t strata_meter_result_size(const struct request *request); /* in floats */

/* Queues it once. */
bool strata_meter_run(struct meter *meter, const struct request *request, const char *implementation, strata_error *err);
/* Seconds of one run, from `repeat` of them in a row. */
bool strata_meter_time(struct meter *meter, const struct request *request, const char *implementation, size_t repeat,
                       double *seconds, strata_error *err);

#endif
