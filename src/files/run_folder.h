/* The models of a run folder. */
#ifndef STRATA_FILES_RUN_FOLDER_H
#define STRATA_FILES_RUN_FOLDER_H

#include "files/archive.h"

/* best.keras, else last.keras, else the newest checkpoints/step-N.keras that `load` takes; damaged ones are passed over.
 * STRATA_EFILE when there is none, with the newest one's error. */
strata_model *strata_run_folder_load(const char *folder,
                                     strata_model *(*load)(const char *path, struct saved_training *training,
                                                           strata_error *err),
                                     struct saved_training *training, strata_error *err);

#endif
