#include "dist/tree.h"

#include <assert.h>

int strata_tree_merges(size_t begin, size_t leaf)
{
    int merges = 0;
    for (size_t index = leaf; index % 2 == 1 && (index - 1) << merges >= begin; index /= 2) merges++;
    return merges;
}

size_t strata_tree_nodes(size_t begin, size_t end, struct node nodes[STRATA_TREE_PARTS])
{
    size_t count = 0;
    for (size_t leaf = begin; leaf < end; leaf++) {
        const int merges = strata_tree_merges(begin, leaf);
        count -= (size_t)merges;
        assert(count < STRATA_TREE_PARTS);
        nodes[count++] = (struct node){ merges, leaf >> merges };
    }
    return count;
}

/* What is left of the walk. */
struct walk {
    const struct node *next;
    size_t leaves;
    bool *steps;
    size_t count;
};

static void visit(struct walk *w, int level, size_t index)
{
    if (w->next->level == level && w->next->index == index) {
        w->next++;
        w->steps[w->count++] = true;
        return;
    }
    assert(level > 0);
    visit(w, level - 1, 2 * index);
    if ((2 * index + 1) << (level - 1) >= w->leaves) return;
    visit(w, level - 1, 2 * index + 1);
    w->steps[w->count++] = false;
}

size_t strata_tree_program(const struct node *nodes, size_t count, size_t leaves, bool *steps)
{
    struct walk w = { nodes, leaves, steps, 0 };
    int level = 0;
    while ((size_t)1 << level < leaves) level++;
    if (count > 0) visit(&w, level, 0);
    assert(w.next == nodes + count);
    return w.count;
}
