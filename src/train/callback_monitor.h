/* Watching one of an epoch's numbers. Source: keras/src/callbacks/monitor_callback.py. */
#ifndef STRATA_TRAIN_CALLBACK_MONITOR_H
#define STRATA_TRAIN_CALLBACK_MONITOR_H

#include "train/callback.h"

enum { MONITOR_AUTO, MONITOR_MIN, MONITOR_MAX };

/* Part of a config. */
struct monitor {
    char *name;
    int mode;
    double min_delta;
};

extern const char *const strata_monitor_modes[];

#define MONITOR_FIELDS(config, member)                                                                               \
    { "monitor", FIELD_STRING, offsetof(struct config, member.name), .text = "val_loss",                            \
      .help = "the name of one of an epoch's numbers" },                                                            \
        { "mode", FIELD_CHOICE, offsetof(struct config, member.mode), .choices = strata_monitor_modes,              \
          .help = "which way is better; auto: as its name says" }
#define MONITOR_DELTA(config, member, value)                                                                         \
    { "min_delta", FIELD_FLOAT, offsetof(struct config, member.min_delta), .otherwise = value,                      \
      .help = "what counts as better must be better by more than this" }

/* The number of this epoch; *there is false in an epoch that has none (without validation). A name that no epoch has
 * is an error. */
bool strata_monitor_value(const struct monitor *monitor, const struct callback_step *step, double *value, bool *there,
                          strata_error *err);
/* *better: whether value is better than reference, which NAN stands for nothing. */
bool strata_monitor_better(const struct monitor *monitor, const struct callback_step *step, double value,
                           double reference, bool *better, strata_error *err);

#endif
