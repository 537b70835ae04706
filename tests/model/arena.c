#include "model/arena.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static bool clash(const struct lifetime *a, const struct lifetime *b)
{
    return a->elements && b->elements && a->birth <= b->death && b->birth <= a->death
        && a->offset < b->offset + b->elements && b->offset < a->offset + a->elements;
}

Test(arena, gives_tensors_that_live_together_different_places)
{
    strata_error err = { 0 };
    srand(1);
    for (int round = 0; round < 200; round++) {
        struct lifetime items[40];
        size_t sum = 0, used = 0, live_most = 0;
        for (int i = 0; i < 40; i++) {
            const int birth = rand() % 50;
            items[i] = (struct lifetime){ (size_t)(rand() % 500), birth, birth + rand() % 10, 0 };
            sum += items[i].elements + 15;
        }
        cr_assert(strata_arena_place(items, 40, &used, &err));
        for (int i = 0; i < 40; i++) {
            cr_assert_eq(items[i].offset % 16, 0);
            cr_assert_leq(items[i].offset + items[i].elements, used);
            for (int k = 0; k < i; k++)
                cr_assert_not(clash(&items[i], &items[k]), "round %d: %d and %d overlap", round, i, k);
        }
        for (int step = 0; step < 60; step++) {
            size_t live = 0;
            for (int i = 0; i < 40; i++)
                live += items[i].birth <= step && step <= items[i].death ? items[i].elements : 0;
            live_most = live > live_most ? live : live_most;
        }
        cr_assert(used >= live_most && used <= sum);
    }
}

Test(arena, reuses_the_place_of_what_is_dead)
{
    strata_error err = { 0 };
    struct lifetime items[] = { { 100, 0, 1, 0 }, { 100, 1, 2, 0 }, { 100, 2, 3, 0 }, { 100, 3, 4, 0 } };
    size_t used = 0;
    cr_assert(strata_arena_place(items, 4, &used, &err));
    cr_assert_eq(used, 224, "two places of 112 elements serve a chain");
}
