#ifndef STRATA_TESTS_GOLDEN_RESUME_H
#define STRATA_TESTS_GOLDEN_RESUME_H

#include "golden_file.h"
#include "runner.h"

/* Trains the model in `path` with the next batches that an expected file has (resume_x, resume_y; of 4, in order), and
 * compares the loss of each and the weights after them. name is for messages. */
bool golden_go_on(const struct runner *runner, hid_t file, const char *path, const char *name, char *message,
                  size_t size);

#endif
