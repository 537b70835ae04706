#include "dist/nodes.h"

#include <criterion/criterion.h>

Test(nodes, are_sorted_by_their_lowest_ranks)
{
    const int lowest[] = { 0, 1, 0, 3, 1, 0 }; /* ranks 0 2 5, 1 4, 3 */
    const int ranks[] = { 0, 2, 5, 1, 4, 3 }, begin[] = { 0, 3, 5, 6 }, of[] = { 0, 1, 0, 2, 1, 0 };
    struct nodes nodes = { 0 };
    strata_error err = { 0 };
    cr_assert(strata_nodes_sort(&nodes, lowest, 6, 4, &err));
    cr_assert(nodes.count == 3 && nodes.own == 1);
    cr_assert_arr_eq(nodes.ranks, ranks, sizeof ranks);
    cr_assert_arr_eq(nodes.begin, begin, sizeof begin);
    cr_assert_arr_eq(nodes.of, of, sizeof of);
    strata_nodes_free(&nodes);
}

/* So that no rank of a node does the work of all. */
Test(nodes, deal_with_owners_by_turns)
{
    const int lowest[] = { 0, 0, 0, 3, 3 };
    struct nodes nodes = { 0 };
    strata_error err = { 0 };
    cr_assert(strata_nodes_sort(&nodes, lowest, 5, 0, &err));
    for (int owner = 0; owner < 5; owner++) {
        cr_assert_eq(strata_nodes_helper(&nodes, 0, owner), owner % 3);
        cr_assert_eq(strata_nodes_helper(&nodes, 1, owner), 3 + owner % 2);
    }
    strata_nodes_free(&nodes);
}
