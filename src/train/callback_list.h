/* The callbacks there are; callbacks.c lists them. */
#ifndef STRATA_TRAIN_CALLBACK_LIST_H
#define STRATA_TRAIN_CALLBACK_LIST_H

#include "train/callback.h"

extern const struct callback_class strata_callback_early_stopping, strata_callback_model_checkpoint,
    strata_callback_reduce_rate, strata_callback_rate_scheduler, strata_callback_csv_logger,
    strata_callback_terminate_on_nan, strata_callback_tensorboard;

#endif
