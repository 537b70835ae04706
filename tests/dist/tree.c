#include "dist/tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* What `leaves` numbers come to when runs end at the given borders. */
static float sum(const float *leaf, size_t leaves, const size_t *borders, size_t runs)
{
    struct node nodes[256];
    float parts[256], stack[64];
    bool steps[512];
    size_t count = 0, begin = 0;
    for (size_t r = 0; r < runs; begin = borders[r++]) {
        size_t top = count;
        for (size_t i = begin; i < borders[r]; i++) {
            parts[top++] = leaf[i];
            for (int m = strata_tree_merges(begin, i); m > 0; m--, top--) parts[top - 2] = parts[top - 2] + parts[top - 1];
        }
        count += strata_tree_nodes(begin, borders[r], nodes + count);
        cr_assert_eq(top, count);
    }
    const size_t length = strata_tree_program(nodes, count, leaves, steps);
    size_t top = 0, next = 0;
    for (size_t i = 0; i < length; i++) {
        if (steps[i]) {
            stack[top++] = parts[next++];
        } else {
            top--;
            stack[top - 1] += stack[top];
        }
    }
    cr_assert(top == 1 && next == count);
    return stack[0];
}

Test(tree, no_way_of_dealing_leaves_changes_a_bit)
{
    float leaf[40];
    srand(1);
    for (int i = 0; i < 40; i++) leaf[i] = ((float)rand() / (float)RAND_MAX - 0.5f) * (i % 3 ? 1.0f : 1000.0f);
    for (size_t leaves = 1; leaves <= 40; leaves++) {
        const size_t all[] = { leaves };
        const float one = sum(leaf, leaves, all, 1);
        for (int i = 0; i < 50; i++) {
            size_t borders[5];
            for (int r = 0; r < 4; r++) borders[r] = (size_t)rand() % (leaves + 1);
            borders[4] = leaves;
            for (int a = 0; a < 4; a++)
                for (int b = a + 1; b < 4; b++)
                    if (borders[b] < borders[a]) {
                        const size_t t = borders[a];
                        borders[a] = borders[b];
                        borders[b] = t;
                    }
            const float many = sum(leaf, leaves, borders, 5);
            cr_assert_arr_eq(&one, &many, sizeof one);
        }
    }
}

Test(tree, equal_powers_of_two_are_one_node_each)
{
    struct node nodes[STRATA_TREE_PARTS];
    for (size_t r = 0; r < 4; r++) {
        cr_assert_eq(strata_tree_nodes(4 * r, 4 * r + 4, nodes), 1);
        cr_assert(nodes[0].level == 2 && nodes[0].index == r);
    }
    cr_assert_eq(strata_tree_nodes(1, 7, nodes), 4);
}
