/* What a job is inside. */
#ifndef STRATA_TRAIN_JOB_PRIV_H
#define STRATA_TRAIN_JOB_PRIV_H

#include <strata/job.h>

#include "base/fields.h"

/* fit.class_weight, by class index. */
struct class_weights {
    double *values; /* owned */
    size_t count;
};

struct job_fit {
    long batch_size, epochs, initial_epoch, seed;
    long validation_batch_size, validation_freq, validation_steps, steps_per_epoch; /* STRATA_NO_INT: not given */
    bool shuffle;
    double validation_split;
    struct class_weights class_weight;
};

/* run.balance */
struct job_balance {
    strata_balance kind;
    double *shares; /* owned; by rank */
    size_t count;
};

struct job_run {
    char *dir, *devices;
    struct job_balance balance;
    bool exact;
    bool cache_frozen;
    long cache_budget; /* MiB */
    json_t *checkpoint; /* owned; NULL: none */
};

struct strata_job {
    char *path;
    json_t *json; /* as changed, without comments */
    char *text;   /* as changed, with them */
    struct job_fit fit;
    struct job_run run;
    char *dir;        /* where the run folder is; NULL: none */
    char *callbacks;  /* JSON text, or NULL */
    char *checkpoint; /* JSON text, or NULL */
};

extern const struct field strata_job_base_fields[], strata_job_fit_fields[], strata_job_run_fields[];

/* Applies "a.b=value" to a job; the message begins with the --set that is wrong. */
bool strata_job_set(json_t *json, const char *set, strata_error *err);

/* Puts "fashion.json: fit" before a message: joined by a dot where the message goes on with a key of the section
 * ("batch_size is 0; ..."), else by a colon. section "": the job itself. Returns false. */
bool strata_job_fail_in(const strata_job *job, const char *section, strata_error *err);

#endif
