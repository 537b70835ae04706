/* Memory that fails with an error instead of NULL surprises. All of it is released with free(). */
#ifndef STRATA_BASE_MEMORY_H
#define STRATA_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"

/* count * size zeroed bytes (at least one); NULL with STRATA_EMEMORY, also when the product overflows. */
void *strata_alloc(size_t count, size_t size, strata_error *err);

/* So many bytes that begin with a page of memory, not zeroed. From STRATA_LARGE_PAGE bytes on they are on large pages where the system
 * has them: what the system moves in and out of files goes faster, and so does what walks over many rows at a time. at_hand: only while
 * it has them at once. */
enum { STRATA_LARGE_PAGE = 2 << 20 };
void *strata_alloc_pages(size_t size, bool at_hand, strata_error *err);
/* Of such memory, when all of it was written once: where it got small pages, for those were at hand, the system may make them large as
 * time goes by. */
void strata_want_large_pages(void *memory, size_t size);

/* Grows the array *items of *room elements of `size` bytes so that it holds `need`; *items is unchanged on failure. */
bool strata_reserve(void **items, size_t *room, size_t need, size_t size, strata_error *err);

/* A copy of text, or of its first `length` bytes. */
char *strata_copy_text(const char *text, strata_error *err);
char *strata_copy_bytes(const char *text, size_t length, strata_error *err);

#endif
