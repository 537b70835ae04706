/* Writes checkpoints while training goes on: a thread with at most one of them in hand. */
#ifndef STRATA_TRAIN_SAVER_H
#define STRATA_TRAIN_SAVER_H

#include "train/run_folder.h"

struct keras_parts;
struct saver;

/* After each file, all but the newest `keep` checkpoints of the folder are deleted. */
struct saver *strata_saver_start(const struct run_folder *folder, size_t keep, strata_error *err);
/* Waits for the file before, and hands over one to be written; the parts stay as they are until strata_saver_wait. */
void strata_saver_post(struct saver *saver, const struct keras_parts *parts);
/* Until nothing is in hand. False, once, with its error, when a file could not be written. */
bool strata_saver_wait(struct saver *saver, strata_error *err);
/* Whether strata_saver_wait would fail now; does not wait. */
bool strata_saver_failed(struct saver *saver);
void strata_saver_stop(struct saver *saver); /* writes what is in hand; takes NULL */

#endif
