/* What the parts of the field tables share. */
#ifndef STRATA_BASE_FIELDS_PRIV_H
#define STRATA_BASE_FIELDS_PRIV_H

#include "base/fields.h"

/* The range of a field in words, such as "at least 1" or "from 0 to 1"; "" where any number will do. */
enum { STRATA_RANGE_TEXT = 96 };
const char *strata_field_range(const struct field *field, char buffer[STRATA_RANGE_TEXT]);
bool strata_field_in_range(const struct field *field, double value);

/* The choices of a field, quoted: "\"valid\", \"same\"". */
const char *strata_field_choices(const struct field *field, char *buffer, size_t size);

/* Fails with `key is "2" (a string); an integer is expected`. */
bool strata_wrong_type(const char *key, const json_t *json, const char *expected, strata_error *err);

/* "an integer", "an initializer": with the article that English wants. */
const char *strata_with_article(const char *noun, char *buffer, size_t size);

#endif
