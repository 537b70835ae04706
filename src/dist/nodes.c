#include "dist/nodes.h"

#include <stdlib.h>

#include "base/memory.h"

bool strata_nodes_sort(struct nodes *nodes, const int *lowest, int size, int rank, strata_error *err)
{
    nodes->of = strata_alloc((size_t)size, sizeof *nodes->of, err);
    nodes->begin = nodes->of ? strata_alloc((size_t)size + 1, sizeof *nodes->begin, err) : NULL;
    nodes->ranks = nodes->begin ? strata_alloc((size_t)size, sizeof *nodes->ranks, err) : NULL;
    if (!nodes->ranks) return false;
    int sorted = 0;
    for (int first = 0; first < size; first++) {
        if (lowest[first] != first) continue;
        nodes->begin[nodes->count] = sorted;
        for (int r = first; r < size; r++) {
            if (lowest[r] != first) continue;
            nodes->of[r] = nodes->count;
            nodes->ranks[sorted++] = r;
        }
        nodes->count++;
    }
    nodes->begin[nodes->count] = sorted;
    nodes->own = nodes->of[rank];
    return true;
}

void strata_nodes_free(struct nodes *nodes)
{
    free(nodes->of);
    free(nodes->begin);
    free(nodes->ranks);
    *nodes = (struct nodes){ 0 };
}

int strata_nodes_helper(const struct nodes *nodes, int node, int owner)
{
    const int begin = nodes->begin[node], size = nodes->begin[node + 1] - begin;
    return nodes->ranks[begin + owner % size];
}
