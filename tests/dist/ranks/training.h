/* Steps of SGD with momentum through a reducer, on numbers so small and round that every sum is exact, beside the same
 * steps on the host. */
#ifndef TESTS_DIST_RANKS_TRAINING_H
#define TESTS_DIST_RANKS_TRAINING_H

#include "device/device.h"
#include "dist/comm.h"
#include "dist/reducer.h"

/* How a training goes. */
struct plan {
    const char *name;
    size_t count;
    const size_t *borders; /* ends of the buckets but the last, which ends at count */
    size_t border_count;
    bool whole;            /* every tensor (19 floats) has one owner */
    double clip;           /* limit of the global norm; 0: none */
    int idle;              /* this rank has no samples and sends zeros; -1: none */
};

/* Trains 6 steps and fails unless weights and slots are those of the host, bit for bit, and alike on all ranks. */
bool train_like_host(struct comm *comm, struct device *device, const struct plan *plan, enum strata_wire wire,
                     strata_error *err);

/* A step in which the update or measure of `rank` fails must fail on all ranks, with that rank's name. */
bool failure_is_shared(struct comm *comm, struct device *device, int rank, bool in_measure, strata_error *err);

/* A gradient of `rank` that is not finite is seen, and said to be that rank's; -1: one whose sum over the ranks is too large. Several ranks. */
bool odd_gradient_is_named(struct comm *comm, struct device *device, int rank, strata_error *err);

/* Steps without end, with a line on stdout once they go. */
bool train_for_ever(struct comm *comm, struct device *device, strata_error *err);

/* Milliseconds of a step that only exchanges `count` floats in `buckets` equal buckets: the median of 9. */
bool time_steps(struct comm *comm, struct device *device, size_t count, size_t buckets, double *milliseconds,
                strata_error *err);

#endif
