#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
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

/* The kernel's advice only. */
static void advise(void *memory, size_t size, bool large)
{
#ifdef MADV_HUGEPAGE
    if (size > 0) (void)madvise(memory, size, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#else
    (void)memory;
    (void)size;
    (void)large;
#endif
}

/* Takes large pages one by one, until one takes so long that the rest is better off with small ones: a virtual machine may have given
 * its free memory back to the host, from which a page of 2 MiB comes in 16 ms instead of 0.1, while small ones are still at hand. */
static void take_large_pages(char *memory, size_t size)
{
    static const double SLOW = 1e-3; /* seconds */
    static atomic_bool slow;
    size_t taken = 0;
    for (; taken < size && !atomic_load(&slow); taken += STRATA_LARGE_PAGE) {
        const double start = strata_clock();
        advise(memory + taken, STRATA_LARGE_PAGE, true);
        *(volatile char *)(memory + taken) = 0;
        if (strata_clock() - start > SLOW) atomic_store(&slow, true);
    }
    advise(memory + taken, size - taken, false);
}

void strata_want_large_pages(void *memory, size_t size)
{
    advise(memory, size / STRATA_LARGE_PAGE * STRATA_LARGE_PAGE, true);
}

void *strata_alloc_pages(size_t size, bool at_hand, strata_error *err)
{
    enum { PAGE = 4 << 10 };
    const size_t page = size >= STRATA_LARGE_PAGE ? STRATA_LARGE_PAGE : PAGE, most = SIZE_MAX - page;
    const size_t whole = size > most ? 0 : size > 0 ? (size + page - 1) / page * page : page;
    void *memory = whole > 0 && strata_fault(FAULT_MALLOC) == FAULT_NONE ? aligned_alloc(page, whole) : NULL;
    if (!memory) strata_fail(err, STRATA_EMEMORY, "out of memory: %zu bytes were asked for", size);
    if (!memory || page != STRATA_LARGE_PAGE) return memory;
    if (at_hand)
        take_large_pages(memory, whole);
    else
        strata_want_large_pages(memory, whole);
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
