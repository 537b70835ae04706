/* TerminateOnNaN. Source: keras/src/callbacks/terminate_on_nan.py. A loss that is not finite stays so in the epoch's
 * mean, so that it is enough to look now and then. */
#include <math.h>

#include "train/callback_list.h"

static bool look(const void *config, void *state, struct callback_step *step, strata_error *err)
{
    double loss;
    (void)config;
    (void)state;
    (void)err;
    if (!strata_callback_log(step->progress, "loss", &loss) || isfinite(loss)) return true;
    step->stop = true;
    step->stop_reason = "the loss is not finite";
    return true;
}

const struct callback_class strata_callback_terminate_on_nan = {
    .class = { .name = "TerminateOnNaN", .config_size = 1, .help = "ends training when the loss is not finite" },
    .step_end = look, .epoch_end = look,
};
