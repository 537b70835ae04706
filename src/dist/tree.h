/* One binary tree over the grains of a global batch, in which sums are added whoever has which grains: node (level, index)
 * is the sum of leaves index 2^level to (index + 1) 2^level, left half plus right half; halves beyond the last leaf are left
 * out. So the bits of the whole do not depend on how the leaves are dealt. */
#ifndef STRATA_DIST_TREE_H
#define STRATA_DIST_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum { STRATA_TREE_LEVELS = 11, STRATA_TREE_PARTS = 2 * STRATA_TREE_LEVELS }; /* up to 1024 leaves */

struct node {
    int level;
    size_t index;
};

/* How often, after leaf `leaf` of a run of leaves that begins at `begin` was put on a stack, its top two are added to one. */
int strata_tree_merges(size_t begin, size_t leaf);

/* The nodes that then make up leaves [begin, end), in order; at most STRATA_TREE_PARTS. Returns how many. */
size_t strata_tree_nodes(size_t begin, size_t end, struct node nodes[STRATA_TREE_PARTS]);

/* How the nodes of all runs, in order, become the sum of all `leaves`: true: push the next node; false: add the top two.
 * `steps` has room for 2 * count - 1. Returns how many there are. */
size_t strata_tree_program(const struct node *nodes, size_t count, size_t leaves, bool *steps);

#endif
