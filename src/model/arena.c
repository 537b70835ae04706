#include "model/arena.h"

#include <stdlib.h>

#include "base/memory.h"

enum { GRAIN = 16 };

static size_t rounded(size_t elements)
{
    return (elements + GRAIN - 1) / GRAIN * GRAIN;
}

static int larger_first(const void *a, const void *b)
{
    const struct lifetime *x = *(struct lifetime *const *)a, *y = *(struct lifetime *const *)b;
    if (x->elements != y->elements)
        return x->elements < y->elements ? 1 : -1;
    return x < y ? -1 : x > y;
}

static bool overlap(const struct lifetime *a, const struct lifetime *b)
{
    return a->birth <= b->death && b->birth <= a->death;
}

/* The end of the first placed item that keeps [offset, offset + elements) from being free; 0 when it is free. */
static size_t blocked_until(struct lifetime *const *placed, size_t count, const struct lifetime *item, size_t offset)
{
    for (size_t i = 0; i < count; i++) {
        const size_t begin = placed[i]->offset, end = begin + rounded(placed[i]->elements);
        if (overlap(placed[i], item) && begin < offset + rounded(item->elements) && offset < end)
            return end;
    }
    return 0;
}

bool strata_arena_place(struct lifetime *items, size_t count, size_t *elements, strata_error *err)
{
    struct lifetime **sorted = strata_alloc(count, sizeof *sorted, err);
    if (!sorted)
        return false;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].elements > 0)
            sorted[used++] = &items[i];
    qsort(sorted, used, sizeof *sorted, larger_first);
    *elements = 0;
    for (size_t i = 0; i < used; i++) {
        size_t offset = 0, next;
        while ((next = blocked_until(sorted, i, sorted[i], offset)) > 0)
            offset = next;
        sorted[i]->offset = offset;
        if (offset + rounded(sorted[i]->elements) > *elements)
            *elements = offset + rounded(sorted[i]->elements);
    }
    free(sorted);
    return true;
}
