/* What a device does, command by command, and what it could do at most. */
#ifndef STRATA_PROFILE_H
#define STRATA_PROFILE_H

#include <stddef.h>
#include <strata/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rates that nothing exceeds: multiplications and additions of floats in registers, and bytes read and written by a copy
 * that no cache holds. */
typedef struct strata_peak {
    double flops, bytes; /* a second */
} strata_peak;

/* Measures the devices of all ranks at the same time, for about half a second; the sum over the ranks. Collective. */
STRATA_API STRATA_CHECKED bool strata_context_peak(strata_context *context, strata_peak *peak, strata_error *err);

/* What one operation of a step took, over all times that it ran. */
typedef struct strata_profile_line {
    char *step;            /* "conv2d_1 forward"; "" outside of any layer */
    char *operation;       /* "conv2d input gradient", or a kernel: "normalize:moments" */
    char *implementation;  /* "tiled"; "" where there is one way to do it */
    size_t times;
    double seconds;
    double flops, bytes;   /* at least needed, over all times; 0: not known */
} strata_profile_line;

/* One command on the device's clock. */
typedef struct strata_profile_span {
    size_t line;
    int queue;             /* 0: computing, 1: copies and updates of the communication */
    double start, seconds; /* since the first command */
} strata_profile_span;

typedef struct strata_profile {
    strata_profile_line *lines; /* in order of appearance */
    size_t count;
    strata_profile_span *spans; /* of the first commands, at most STRATA_PROFILE_SPANS */
    size_t span_count;
} strata_profile;
enum { STRATA_PROFILE_SPANS = 1 << 16 };

/* What this rank's device did since its context was made, or since the reset, waiting for what is queued. The context was
 * made with `profile` set, or there is nothing. Lives until the next of these calls. */
STRATA_API STRATA_CHECKED const strata_profile *strata_context_profile(strata_context *context, strata_error *err);
STRATA_API STRATA_CHECKED bool strata_context_profile_reset(strata_context *context, strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
