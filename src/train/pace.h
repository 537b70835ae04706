/* How long this rank computes in a step, and a rank that pretends to be slow (STRATA_SLOW). */
#ifndef STRATA_TRAIN_PACE_H
#define STRATA_TRAIN_PACE_H

#include "base/env.h"
#include "device/buffer.h"

struct pace {
    struct device *device;
    struct slowness slow;
    bool times;         /* somebody wants to know; else steps are not waited for */
    size_t step;        /* steps begun */
    double start;       /* of the step at hand, in seconds; later by what it waited */
    double paused;      /* since when it waits */
    double idle;        /* seconds of all such waits in which the device had nothing to do */
    size_t samples;     /* of the step at hand */
    struct usual {
        size_t samples;
        double seconds;
    } usual[2];         /* the fastest steps of the latest numbers of samples, as of whole batches and the last one */
    double seconds;     /* what the computing of the latest step took; 0: not known */
    struct event *over; /* of what the step has queued */
    struct event *busy;  /* of what was queued before it waits; NULL: nothing is left of that */
    struct doorbell *done; /* owned; rings when that is over */
};

/* STRATA_EUSAGE when STRATA_SLOW makes no sense. */
bool strata_pace_open(struct pace *pace, struct device *device, int rank, strata_error *err);
void strata_pace_close(struct pace *pace); /* takes one that is all zero */

/* The first step of a number of samples is not made slower, for it may build kernels; after it a slow rank takes its factor times the
 * fastest one, so that what others take of the cores does not count.
 * Where the milliseconds of a sample are given, it takes those, however long it computes itself.
 *
 * Around the queueing of a step's forward and backward. A slow rank has waited for them, and longer, when
 * strata_pace_queued returns. */
void strata_pace_begin(struct pace *pace, size_t samples);
bool strata_pace_queued(struct pace *pace, strata_error *err);
/* In between, around a wait for other ranks, which is not computing where nothing is left of what was queued. Where somebody wants to
 * know what a step takes, that is over first. */
bool strata_pace_pause(struct pace *pace, strata_error *err);
bool strata_pace_go_on(struct pace *pace, strata_error *err);
/* Until they are over, where somebody wants to know: then `seconds` is what they took. */
bool strata_pace_end(struct pace *pace, strata_error *err);

#endif
