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

/* "512MiB", "1.5GiB", "2GB", "65536": a number of bytes, of at least 1; false when it is none. */
STRATA_API STRATA_CHECKED bool strata_parse_bytes(const char *text, size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
