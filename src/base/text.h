/* Text that grows. A failed growth is remembered and reported once, by strata_text_take. */
#ifndef STRATA_BASE_TEXT_H
#define STRATA_BASE_TEXT_H

#include <stddef.h>

#include <strata/text.h>

#include "base/error.h"

/* Starts as { 0 }. data is NUL-terminated once something was added, else NULL. */
struct text {
    char *data;
    size_t length, room;
    bool failed;
};

void strata_text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strata_text_add_bytes(struct text *text, const char *bytes, size_t length);

/* Hands the text over (release with free) and empties it; "" if nothing was added; NULL if memory ran out. */
char *strata_text_take(struct text *text, strata_error *err);

void strata_text_free(struct text *text);

/* Whether `text` matches a shell glob of *, ? and [..]; `*` also matches '/'. */
bool strata_glob(const char *pattern, const char *text);

#endif
