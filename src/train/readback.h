/* Reads losses and predictions of steps back while the device goes on, and adds them to sums some steps later. */
#ifndef STRATA_TRAIN_READBACK_H
#define STRATA_TRAIN_READBACK_H

#include "train/pass.h"

enum { READBACK_DEPTH = 3 }; /* steps on their way */

struct readback;

/* Adds to *sums, which the caller owns. grain: unless it is 0, what each so many samples of a part add is rounded to multiples of
 * 2^-24, of which sums up to 2^29 have no error, so that they do not depend on the order. */
struct readback *strata_readback_create(struct device *device, const struct objective *objective, size_t grain, double *sums,
                                        strata_error *err);
void strata_readback_free(struct readback *readback); /* drops what is on its way; takes NULL */

/* Queues the reads behind the play of the pass. Waits when READBACK_DEPTH steps are on their way. The
 * rank with a global batch's first sample counts its samples and the weights' penalty. */
bool strata_readback_post(struct readback *readback, const struct pass *pass, const struct batch *batch, double scale,
                          strata_error *err);
/* Until all that was posted is added. */
bool strata_readback_drain(struct readback *readback, strata_error *err);

#endif
