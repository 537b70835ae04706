#include "dist/tuning.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/choices.h"
#include "files/tuning.h"

bool strata_types_find(struct comm *comm, const struct device *device, struct types *types, strata_error *err)
{
    const int ranks = strata_comm_size(comm);
    const uint64_t mine = strata_tuning_type(device);
    uint64_t *all = strata_alloc((size_t)ranks, sizeof *all, err);
    *types = (struct types){ .leader = all ? strata_alloc((size_t)ranks, sizeof *types->leader, err) : NULL, .ranks = ranks };
    const bool ok = strata_comm_agree(comm, types->leader != NULL, err)
                    && strata_comm_gather(comm, &mine, sizeof mine, all, err);
    for (int r = 0; ok && r < ranks; r++)
        while (all[types->leader[r]] != all[r]) types->leader[r]++;
    free(all);
    if (!ok) strata_types_free(types);
    return ok;
}

void strata_types_free(struct types *types)
{
    free(types->leader);
    *types = (struct types){ 0 };
}

bool strata_comm_broadcast_json(struct comm *comm, const json_t *value, int root, json_t **copy, strata_error *err)
{
    const bool own = strata_comm_rank(comm) == root;
    char *text = own && value ? strata_json_text(value, false, err) : NULL;
    uint64_t size = text ? strlen(text) + 1 : 0;
    *copy = NULL;
    bool ok = strata_comm_agree(comm, !own || !value || text, err) && strata_comm_broadcast(comm, &size, sizeof size, root, err);
    if (ok && size > 0) {
        if (!own) text = strata_alloc((size_t)size, 1, err);
        ok = strata_comm_agree(comm, text != NULL, err) && strata_comm_broadcast(comm, text, (size_t)size, root, err)
             && strata_comm_agree(comm, (*copy = strata_json_parse(text, (size_t)size - 1, "choices of a rank", err)) != NULL, err);
    }
    free(text);
    return ok;
}

bool strata_tuning_load(struct comm *comm, struct device *device, char **warning, strata_error *err)
{
    struct types types;
    const int rank = strata_comm_rank(comm);
    *warning = NULL;
    if (strata_comm_size(comm) == 1) {
        strata_device_adopt_choices(device, strata_tuning_read(device, warning));
        return true;
    }
    if (!strata_types_find(comm, device, &types, err)) return false;
    json_t *own = types.leader[rank] == rank ? strata_tuning_read(device, warning) : NULL;
    bool ok = true;
    for (int r = 0; ok && r < types.ranks; r++) {
        json_t *copy = NULL;
        if (types.leader[r] != r) continue;
        ok = strata_comm_broadcast_json(comm, own, r, &copy, err);
        if (ok && types.leader[rank] == r)
            strata_device_adopt_choices(device, copy);
        else
            json_decref(copy);
    }
    json_decref(own);
    strata_types_free(&types);
    return ok;
}
