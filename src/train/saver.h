/* Writes checkpoints while training goes on: a thread with at most one of them in hand. */
#ifndef STRATA_TRAIN_SAVER_H
#define STRATA_TRAIN_SAVER_H

#include "files/archive.h"
#include "train/run_folder.h"

struct event;
struct saver;

/* After each file, all but the newest `keep` checkpoints of the folder are deleted. */
struct saver *strata_saver_start(const struct run_folder *folder, size_t keep, strata_error *err);
/* Waits for the file before, and hands over one to be written once its numbers are there, which is when the event, which is adopted, is
 * over; the parts are the saver's until strata_saver_wait. best: also adopted; where the model is written before, for the checkpoint
 * tells of it; NULL: nowhere. */
void strata_saver_post(struct saver *saver, struct keras_parts *parts, char *best, struct event *there);
/* Until nothing is in hand. False, once, with its error, when a file could not be written. `odd`: where numbers of the last one are not
 * finite, so that it was not written, the name of what holds them, else "". */
bool strata_saver_wait(struct saver *saver, char odd[STRATA_ODD_NAME], strata_error *err);
/* Whether strata_saver_wait would fail now; does not wait. */
bool strata_saver_failed(struct saver *saver);
void strata_saver_stop(struct saver *saver); /* writes what is in hand; takes NULL */

#endif
