/* A list of texts that owns them. */
#ifndef STRATA_FILES_NAMES_H
#define STRATA_FILES_NAMES_H

#include <stddef.h>

#include "base/error.h"

/* Starts as { 0 }. */
struct names {
    char **list;
    size_t count, room;
};

bool strata_names_add(struct names *names, const char *name, strata_error *err);
bool strata_names_adopt(struct names *names, char *name,
                        strata_error *err); /* frees it on failure; NULL fails */
bool strata_names_have(const struct names *names, const char *name);
void strata_names_release(struct names *names);

/* Hands the list over as a NULL-terminated array and empties it. */
char **strata_names_take(struct names *names, strata_error *err);

#endif
