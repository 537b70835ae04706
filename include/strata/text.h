/* Words for messages. */
#ifndef STRATA_TEXT_H
#define STRATA_TEXT_H

#include <stddef.h>
#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The name nearest to `word` by edit distance among `count` names, or NULL when none is near enough to suggest. */
STRATA_API const char *strata_nearest(const char *word, const char *const *names, size_t count);

#ifdef __cplusplus
}
#endif
#endif
