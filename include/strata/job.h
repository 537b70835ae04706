/* Jobs: a JSON file that says what to train on what, under the argument names of Keras's own methods.
 *
 * Keys that begin with '#' are comments. An unknown key is an error that names the nearest known one. Errors begin with
 * the file's name and the place in it: `fashion.json: compile.optimizer: unknown name "Adm"; did you mean "Adam"?` */
#ifndef STRATA_JOB_H
#define STRATA_JOB_H

#include <strata/files.h>
#include <strata/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strata_job strata_job;

/* Reads a job and changes it by `sets`, "fit.epochs=5" each: the value is JSON, else a string; in lists the key is an index,
 * "model.0.Input.shape=[28, 28, 1]". Checks the keys and values of all sections but those of the model, its compile
 * and its data, which are checked as these are made. */
STRATA_API STRATA_CHECKED strata_job *strata_job_load(const char *path, const char *const *sets, size_t set_count,
                                                      strata_error *err);
STRATA_API void strata_job_free(strata_job *job); /* takes NULL */

STRATA_API const char *strata_job_path(const strata_job *job);
STRATA_API const char *strata_job_text(const strata_job *job);    /* the job as changed, with its comments */
STRATA_API const char *strata_job_devices(const strata_job *job); /* run.devices; "auto" when not given */
STRATA_API const char *strata_job_dir(const strata_job *job); /* run.dir: runs/NAME of NAME.json when not given; NULL: none */
STRATA_API bool strata_job_saves(const strata_job *job); /* whether its run writes checkpoints */

STRATA_API size_t strata_job_max_memory(const strata_job *job); /* run.max_memory in bytes; 0: no limit */

/* The file under the job's key `weights`; NULL: none. */
STRATA_API const char *strata_job_weights(const strata_job *job);

/* Makes the job's model: its weights loaded, frozen as the rules say, compiled. `data` gives the input shape of a model that
 * does not state one itself; NULL: then it is an error. *report (may be NULL) says what became of the weights that the key
 * `weights` names; all of it is NULL where the job has no such key. */
STRATA_API STRATA_CHECKED strata_model *strata_job_model(const strata_job *job, const strata_data *data,
                                                         strata_load_report *report, strata_error *err);

/* Opens data.train and data.validation; *validation is NULL where the job has none. Both are the caller's to free. A file that is compressed
 * whole is unpacked meanwhile: its x has no values to be borrowed, and strata_data_read or fit says that it is damaged. */
STRATA_API STRATA_CHECKED bool strata_job_data(const strata_job *job, strata_data **train, strata_data **validation,
                                               strata_error *err);

/* The arguments of fit, with everything that the job says. Borrows from the job; validation_data, progress and resume
 * are the caller's to set. */
STRATA_API strata_fit_config strata_job_fit_config(const strata_job *job);

/* strata_model_fit, or, where the job has phases, one after the other, each with its rules, its compile and its arguments of fit on
 * top of `config`, as one run: epochs, history, run folder and checkpoints go on. */
STRATA_API STRATA_CHECKED bool strata_job_fit(const strata_job *job, strata_model *model, strata_context *context,
                                              const strata_data *data, const strata_fit_config *config,
                                              strata_history **history, strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
