/* What was measured on devices, alike on all ranks whose devices are of one type. */
#ifndef STRATA_DIST_TUNING_H
#define STRATA_DIST_TUNING_H

#include "base/json.h"
#include "dist/comm.h"

/* The lowest rank of each type of device, which measures and reads for all of that type. Collective. */
struct types {
    int *leader; /* owned; by rank: who that is for it */
    int ranks;
};
bool strata_types_find(struct comm *comm, const struct device *device, struct types *types, strata_error *err);
void strata_types_free(struct types *types);

/* Each leader reads the tuning file, and the devices of its ranks adopt what it says. *warning (free) is what the leader has to say of
 * its file, else NULL. Collective. */
bool strata_tuning_load(struct comm *comm, struct device *device, char **warning, strata_error *err);

/* A JSON value of rank `root` on every rank; NULL where it has none. The value is the caller's. Collective. */
bool strata_comm_broadcast_json(struct comm *comm, const json_t *value, int root, json_t **copy, strata_error *err);

#endif
