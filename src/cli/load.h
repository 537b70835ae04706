/* What several verbs open: models, data, the device. */
#ifndef STRATA_CLI_LOAD_H
#define STRATA_CLI_LOAD_H

#include <strata/context.h>
#include <strata/data.h>
#include <strata/job.h>
#include <strata/model.h>

#include "cli/cli.h"

/* Options that the verbs with --data share. */
#define STRATA_DATA_OPTIONS                                                                                  \
    { "--data", 0, "SOURCE",                                                                                 \
      "fashion-mnist:test, idx:IMAGES,LABELS, a .h5, .npz or .csv, a folder of pictures, or a JSON object" }, \
        { "--batch-size", 'b', "N", "samples at a time over all ranks; 128" },                               \
    {                                                                                                        \
        "--limit", 0, "N", "only the first N samples"                                                        \
    }

/* Options of the verbs that keep within a limit of device memory. */
#define STRATA_MEMORY_OPTION                                                                                  \
    { "--max-memory", 0, "SIZE", "of this rank's device, such as 2GiB: what needs more runs in parts" }
/* Sets the limit of --max-memory, else `otherwise` bytes, 0: none. Not collective. */
bool strata_command_limit(const struct command *command, strata_context *context, size_t otherwise, strata_error *err);

/* A model, its data and this rank's device. Starts as { 0 }; released by strata_session_close. */
struct session {
    strata_context *context;
    strata_model *model;
    strata_data *data;
    size_t batch_size;
};

/* Opens the model named by the verb's first word and the data of --data on this rank, and its device. Collective: when one rank
 * fails, all do. */
bool strata_session_open(const struct command *command, struct session *session, strata_error *err);
/* The output shape of a layer of the model, or of the model with layer NULL, for samples of the data. */
bool strata_session_shape(const struct session *session, const strata_layer *layer, strata_shape *shape, strata_error *err);
/* Every rank's `ok`, or the error of the first rank that failed, on every rank. */
bool strata_session_agree(const struct session *session, bool ok, strata_error *err);
void strata_session_close(struct session *session);

/* Fits the data to the model's input where it can be fitted, and warns of what is amiss with it. data may be NULL. */
void strata_command_suit(strata_data *data, const strata_model *model);

/* A job, with --set and --seed applied. */
strata_job *strata_command_job(const struct command *command, const char *path, strata_error *err);

/* A model from a file of Keras, a run folder, or a job. */
strata_model *strata_command_model(const struct command *command, const char *path, strata_error *err);

/* This rank's device; `ok` false (with *err filled): what went wrong before fails all ranks. NULL on failure. */
strata_context *strata_open_context(const char *devices, bool ok, strata_error *err);
/* The same of a device that keeps time where the command wants a profile. */
strata_context *strata_open_timed_context(const struct command *command, const char *devices, bool ok, strata_error *err);

/* "(None, 28, 28, 1)", also with None for extents that are open; "?" when not known. */
enum { STRATA_SHAPE_WORDS = 160 };
const char *strata_shape_words(const strata_shape *shape, bool batch, char buffer[STRATA_SHAPE_WORDS]);

#endif
