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
    long batch_size, accumulate, epochs, initial_epoch, seed;
    long validation_batch_size, validation_freq, validation_steps, steps_per_epoch; /* STRATA_NO_INT: not given */
    bool shuffle, batch_per_rank;
    long rate_scaling; /* a strata_rate_scaling */
    double warmup_epochs;
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
    long compression; /* a strata_compression */
    bool exact;
    bool cache_frozen;
    size_t max_memory; /* bytes; 0: no limit */
    long cache_budget; /* MiB */
    json_t *checkpoint; /* owned; NULL: none */
    struct job_watchdog {
        double report, stop; /* seconds; INFINITY: never */
    } watchdog;
};

struct strata_job {
    char *path;
    json_t *json; /* as changed, without comments */
    char *text;   /* as changed, with them */
    struct job_fit fit;
    struct job_run run;
    struct job_fit *phases; /* the arguments of fit of each; owned */
    size_t phase_count;
    char *dir;        /* where the run folder is; NULL: none */
    char *callbacks;  /* JSON text, or NULL */
    char *checkpoint; /* JSON text, or NULL */
};

extern const struct field strata_job_base_fields[], strata_job_fit_fields[], strata_job_run_fields[];

/* The list phases: read with the job; its rules and compiles tried on the model. */
bool strata_job_read_phases(strata_job *job, strata_error *err);
void strata_job_free_phases(strata_job *job);
bool strata_job_check_phases(const strata_job *job, strata_model *model, strata_error *err);

/* Gives the model a phase's trainable weights and compile. */
bool strata_job_enter_phase(const strata_job *job, size_t index, strata_model *model, strata_error *err);

/* Sets the flags that a list of rules says, or only looks whether each names a layer. rules NULL: none. `place` names the list. */
bool strata_job_freeze(const strata_job *job, strata_model *model, const json_t *rules, const char *place, bool apply,
                       strata_error *err);

/* Puts a job's or a phase's arguments of fit into the config. */
void strata_job_apply_fit(const struct job_fit *fit, strata_fit_config *config);

/* Applies "a.b=value" to a job; the message begins with the --set that is wrong. */
bool strata_job_set(json_t *json, const char *set, strata_error *err);

/* Puts "fashion.json: fit" before a message: joined by a dot where the message goes on with a key of the section
 * ("batch_size is 0; ..."), else by a colon. section "": the job itself. Returns false. */
bool strata_job_fail_in(const strata_job *job, const char *section, strata_error *err);

#endif
