/* Which ranks share memory. */
#ifndef STRATA_DIST_NODES_H
#define STRATA_DIST_NODES_H

#include "base/error.h"

/* Nodes in the order of their lowest ranks. Starts as { 0 }. */
struct nodes {
    int count;
    int own;    /* the node of this rank */
    int *of;    /* owned: the node of each rank */
    int *begin; /* owned: where the ranks of a node begin in `ranks`; one more at the end */
    int *ranks; /* owned: node by node, ascending */
};

/* lowest: for each of `size` ranks the lowest rank of its node. */
bool strata_nodes_sort(struct nodes *nodes, const int *lowest, int size, int rank, strata_error *err);
void strata_nodes_free(struct nodes *nodes);

/* The rank of a node that deals with `owner`, which is on another: each has its turn. */
int strata_nodes_helper(const struct nodes *nodes, int node, int owner);

#endif
