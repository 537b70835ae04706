/* Choosing implementations by measuring them: nothing is, unless this is called, so that a run repeats bit for bit. */
#ifndef STRATA_TUNE_H
#define STRATA_TUNE_H

#include <strata/job.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum strata_tune_outcome {
    STRATA_TUNE_MEASURED,
    STRATA_TUNE_NOT_MEASURED, /* there was no time left */
    STRATA_TUNE_WRONG,        /* its result is not the default's within rounding, so it cannot be chosen */
    STRATA_TUNE_FAILED        /* the device could not run it */
} strata_tune_outcome;

/* One implementation of one op of one shape, or one set of parameters of a library. */
typedef struct strata_tune_line {
    const char *device;
    const char *step;           /* the first that has it: "conv2d_1 forward" */
    const char *operation;      /* "conv2d input gradient" */
    const char *shape;
    const char *implementation; /* "tiled"; of a library, its parameters */
    strata_tune_outcome outcome;
    double seconds;             /* of one run */
    double of_limit;            /* the share of the device's peak, of calculations or of memory, whichever is nearer */
    bool by_default, chosen;
    double gain;                /* the default's seconds / seconds */
} strata_tune_line;

typedef struct strata_tuning {
    strata_tune_line *lines; /* op by op, the one that serves by default first; costly ops first */
    size_t count;
    size_t ops, unmeasured;  /* ops of one shape each, on all types of device; those for which there was no time */
    const char *path;        /* of rank 0's tuning file */
    void *texts;
} strata_tuning;

/* Measures what can serve each op of the job's model, in training and in inference, with the batches that the job's ranks have, for
 * `seconds` on one rank of each type of device, and keeps what is fastest in tuning.json in the cache folder. From then on every
 * context on such a device uses it. Results are alike on all ranks. Collective. An exact job is STRATA_EVALUE, for exact runs leave
 * choices out. On this process's device parameters that were tried may stay in force. */
STRATA_API STRATA_CHECKED bool strata_job_tune(const strata_job *job, strata_model *model, strata_context *context,
                                               const strata_data *data, const strata_data *validation, double seconds,
                                               strata_tuning *tuning, strata_error *err);
STRATA_API void strata_tuning_release(strata_tuning *tuning); /* what it holds; takes one that is all zero */

#ifdef __cplusplus
}
#endif
#endif
