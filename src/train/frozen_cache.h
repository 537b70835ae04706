/* What comes before the first trainable layer gives the same for a sample in every epoch: it is computed once, each rank a share,
 * and all ranks keep all of it, for an epoch's order gives a sample to any of them. */
#ifndef STRATA_TRAIN_FROZEN_CACHE_H
#define STRATA_TRAIN_FROZEN_CACHE_H

#include "train/trainer.h"

struct frozen_cache {
    strata_data data; /* x is the cached outputs; labels and weights are those of the dataset, borrowed */
    size_t bytes;
    bool mapped;      /* in a file that has no name any more */
};

/* Room for the outputs (of `shape` a sample) of all samples: in memory, or in a file in that folder. *err says why there is none. */
bool strata_frozen_cache_open(struct frozen_cache *cache, const strata_data *data, const struct shape *shape,
                              const char *folder, strata_error *err);
void strata_frozen_cache_close(struct frozen_cache *cache); /* takes one that is all zero */

#endif
