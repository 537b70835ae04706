/* JSON by Jansson, with errors that say where. Real numbers are written with 15 significant digits. */
#ifndef STRATA_BASE_JSON_H
#define STRATA_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* `what` names the text in messages (a file, "model_config of m.h5"). Duplicate keys are errors. */
json_t *strata_json_parse(const char *text, size_t length, const char *what, strata_error *err);
json_t *strata_json_read(const char *path, strata_error *err);

/* One line with ", " and ": " between, as Python writes it; release with free. Indented with `pretty`. */
char *strata_json_text(const json_t *json, bool pretty, strata_error *err);

/* "a string", "a number", "an object", ...: for messages. */
const char *strata_json_kind(const json_t *json);

/* A short text of the value for messages, such as `{"a": 1}` cut after some 60 characters. */
enum { STRATA_JSON_BRIEF = 72 };
const char *strata_json_brief(const json_t *json, char buffer[STRATA_JSON_BRIEF]);

#endif
