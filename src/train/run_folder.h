/* The folder in which a run leaves its files: job.json, log.jsonl, history.csv, curves.svg, best.keras, last.keras and
 * checkpoints/step-N.keras. */
#ifndef STRATA_TRAIN_RUN_FOLDER_H
#define STRATA_TRAIN_RUN_FOLDER_H

#include <strata/train.h>

#include "base/json.h"

struct run_folder;

/* writes: this rank writes; the others hold an empty one. Makes the folder and locks it, and removes what a killed run left
 * half written; STRATA_EFILE when it cannot be written, or when another job writes there. */
struct run_folder *strata_run_folder_open(const char *dir, const char *job, bool writes, strata_error *err);
void strata_run_folder_close(struct run_folder *folder); /* takes NULL */

/* "DIR/NAME"; free() it. */
char *strata_run_folder_path(const struct run_folder *folder, const char *name, strata_error *err);

/* Appends an event to log.jsonl; takes the object over. */
bool strata_run_folder_log(struct run_folder *folder, json_t *event, strata_error *err);
/* history.csv and curves.svg; the history's first epoch is number `first`. */
bool strata_run_folder_history(struct run_folder *folder, const strata_history *history, size_t first,
                               strata_error *err);

/* The N of checkpoints/step-N.keras, ascending; *steps is the caller's to free. */
bool strata_run_folder_checkpoints(const struct run_folder *folder, size_t **steps, size_t *count, strata_error *err);
/* Deletes all but the newest `keep` of checkpoints/step-N.keras. */
void strata_run_folder_prune(const struct run_folder *folder, size_t keep);

#endif
