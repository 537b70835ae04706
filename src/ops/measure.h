/* How long implementations of an op take on a device, and whether they agree. */
#ifndef STRATA_OPS_MEASURE_H
#define STRATA_OPS_MEASURE_H

#include "ops/request.h"

/* Inputs and outputs for the largest of the requests, and numbers in them. */
struct meter;
struct meter *strata_meter_create(struct device *device, const struct request *requests, size_t count, strata_error *err);
void strata_meter_free(struct meter *meter); /* takes NULL */

enum { STRATA_MOST_IMPLEMENTATIONS = 8 };

/* What became of one implementation. */
enum measured_as { MEASURED, MEASURED_NOT, MEASURED_WRONG, MEASURED_FAILED };
struct measurement {
    const char *implementation;
    enum measured_as as; /* wrong: its result is not the default's within rounding; not: there was no time for it */
    double seconds;      /* of one run: the median of several; MEASURED */
};

/* All implementations that can serve the request, the default first, until a time by strata_clock; count: of the list, which holds
 * at least the default. One that was many times slower for this meter's requests of the kind before is left out where it would take much
 * of the time. An error is one of the default itself. */
bool strata_meter_compare(struct meter *meter, const struct request *request, double until,
                          struct measurement list[STRATA_MOST_IMPLEMENTATIONS], size_t *count, strata_error *err);

/* Of what serves the request where nothing was measured, in a block of about 40 ms; the first is compiled within it. Of several the least
 * counts, as of those of strata_peak_meter_flops the most does. */
bool strata_meter_default(struct meter *meter, const struct request *request, double *seconds, strata_error *err);

/* Whether two results of a request are the same within rounding; `count` of their elements, at the same places. */
bool strata_meter_agree(const struct request *request, const float *expected, const float *got, size_t count);

/* The least gain for which something else than the default is chosen, as a share of its time: less may be noise. */
extern const double strata_least_gain;
/* The fastest that is worth it, by index; 0: the default stays. */
size_t strata_meter_best(const struct measurement *list, size_t count);

#endif
