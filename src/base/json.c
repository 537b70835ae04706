#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"

static json_t *report(const json_error_t *bad, const char *what, strata_error *err)
{
    strata_fail(err, STRATA_EFILE, "%s: not JSON: line %d, column %d: %s", what, bad->line, bad->column, bad->text);
    return NULL;
}

json_t *strata_json_parse(const char *text, size_t length, const char *what, strata_error *err)
{
    json_error_t bad;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &bad);
    return json ? json : report(&bad, what, err);
}

json_t *strata_json_read(const char *path, strata_error *err)
{
    json_error_t bad;
    FILE *file = strata_file_fault() ? NULL : fopen(path, "rb");
    if (!file) {
        strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &bad);
    fclose(file);
    return json ? json : report(&bad, path, err);
}

char *strata_json_text(const json_t *json, bool pretty, strata_error *err)
{
    const size_t layout = pretty ? JSON_INDENT(2) : 0;
    char *text = json_dumps(json, layout | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    if (!text)
        strata_fail(err, STRATA_EMEMORY, "out of memory while JSON was written");
    return text;
}

const char *strata_json_kind(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a truth value";
    case JSON_NULL: break;
    }
    return "null";
}

const char *strata_json_brief(const json_t *json, char buffer[STRATA_JSON_BRIEF])
{
    char *text = json_dumps(json, JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    const bool cut = text && strlen(text) >= STRATA_JSON_BRIEF;
    snprintf(buffer, STRATA_JSON_BRIEF, "%.*s%s", cut ? STRATA_JSON_BRIEF - 4 : STRATA_JSON_BRIEF, text ? text : "?",
             cut ? "..." : "");
    free(text);
    return buffer;
}
