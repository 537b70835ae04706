#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"

void *strata_alloc(size_t count, size_t size, strata_error *err)
{
    void *memory = NULL;
    if ((size == 0 || count <= SIZE_MAX / size) && strata_fault(FAULT_MALLOC) == FAULT_NONE)
        memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (!memory)
        strata_fail(err, STRATA_EMEMORY, "out of memory: %zu x %zu bytes were asked for", count, size);
    return memory;
}

void *strata_alloc_pages(size_t size, strata_error *err)
{
    enum { PAGE = 4 << 10 };
    const size_t page = size >= STRATA_LARGE_PAGE ? STRATA_LARGE_PAGE : PAGE, most = SIZE_MAX - page;
    const size_t whole = size > most ? 0 : size > 0 ? (size + page - 1) / page * page : page;
    void *memory = whole > 0 && strata_fault(FAULT_MALLOC) == FAULT_NONE ? aligned_alloc(page, whole) : NULL;
    if (!memory) strata_fail(err, STRATA_EMEMORY, "out of memory: %zu bytes were asked for", size);
#ifdef MADV_HUGEPAGE
    if (memory && page == STRATA_LARGE_PAGE) madvise(memory, whole, MADV_HUGEPAGE); /* a wish */
#endif
    return memory;
}

bool strata_reserve(void **items, size_t *room, size_t need, size_t size, strata_error *err)
{
    if (need <= *room)
        return true;
    size_t grown = *room < 8 ? 8 : *room + *room / 2;
    if (grown < need)
        grown = need;
    const bool room_left = grown <= SIZE_MAX / size && strata_fault(FAULT_MALLOC) == FAULT_NONE;
    void *moved = room_left ? realloc(*items, grown * size) : NULL;
    if (!moved)
        return strata_fail(err, STRATA_EMEMORY, "out of memory: %zu x %zu bytes were asked for", grown, size);
    memset((char *)moved + *room * size, 0, (grown - *room) * size);
    *items = moved;
    *room = grown;
    return true;
}

char *strata_copy_bytes(const char *text, size_t length, strata_error *err)
{
    char *copy = strata_alloc(length + 1, 1, err);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

char *strata_copy_text(const char *text, strata_error *err)
{
    return strata_copy_bytes(text, strlen(text), err);
}
