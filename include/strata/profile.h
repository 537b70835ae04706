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

/* Multiplications and additions a second in products of float matrices of `size` rows and columns, by what serves where nothing was
 * tuned: A B, A B^T, A^T B and A^T B^T; *peak is that of registers, measured by turns with them, the best of twelve turns each. On the
 * devices of all ranks at the same time; the sum over the ranks. Collective. */
STRATA_API STRATA_CHECKED bool strata_context_products(strata_context *context, size_t size, double flops[4], double *peak,
                                                       strata_error *err);

/* What one operation of a step took, over all times that it ran. */
typedef struct strata_profile_line {
    char *step;            /* "conv2d_1 forward"; "" outside of any layer */
    char *operation;       /* "conv2d input gradient", or a kernel: "normalize:moments" */
    char *implementation;  /* "tiled"; "" where there is one way to do it */
    bool tuned;            /* it was chosen by measuring (strata/tune.h) */
    size_t times;
    double seconds;
    double flops, bytes;   /* at least needed, over all times; 0: not known */
} strata_profile_line;

typedef struct strata_profile {
    strata_profile_line *lines; /* in order of appearance */
    size_t count;
} strata_profile;

/* What this rank's device did since its context was made, or since the reset, waiting for what is queued. The context was
 * made with `profile` set, or there is nothing. Lives until the next of these calls. */
STRATA_API STRATA_CHECKED const strata_profile *strata_context_profile(strata_context *context, strata_error *err);
STRATA_API STRATA_CHECKED bool strata_context_profile_reset(strata_context *context, strata_error *err);

/* Writes what all ranks did on one time line, since their contexts were made or since the reset, as JSON of Chrome's trace event
 * format, for Perfetto or chrome://tracing. A rank is a process; its threads are computing, copies, communication, data and
 * saving. Clocks are aligned to rank 0's. Of each rank the first 65536 commands of the device, and of the rest, are kept.
 * Rank 0 writes the file. Collective. */
STRATA_API STRATA_CHECKED bool strata_context_trace(strata_context *context, const char *path, strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
