/* From JSON to configs. */
#include "base/fields.h"
#include "base/fields_priv.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void *member(const struct field *field, void *config)
{
    return (char *)config + field->offset;
}

static const struct field *end_of(const struct field *fields)
{
    while (fields && fields->type != FIELD_END) fields++;
    return fields;
}

/* ---- defaults and release ------------------------------------------------------------------------------------- */

static void release_member(const struct field *field, void *at)
{
    if (field->release) {
        field->release(at);
    } else if (field->type == FIELD_STRING) {
        free(*(char **)at);
        *(char **)at = NULL;
    } else if (field->type == FIELD_OBJECT) {
        strata_object_release(at);
    }
}

void strata_config_release(const struct field *fields, void *config)
{
    for (const struct field *f = fields; f != end_of(fields); f++) release_member(f, member(f, config));
}

static void empty_member(const struct field *field, void *at)
{
    switch (field->type) {
    case FIELD_INT:
        *(long *)at = field->null_default ? STRATA_NO_INT : (long)field->otherwise;
        break;
    case FIELD_FLOAT:
        *(double *)at = field->null_default ? (double)NAN : field->otherwise;
        break;
    case FIELD_BOOL:
        *(bool *)at = field->otherwise != 0;
        break;
    case FIELD_CHOICE:
        *(int *)at = field->null_default ? -1 : (int)field->otherwise;
        break;
    case FIELD_INTS: {
        struct ints ints = { .count = field->null_default ? 0 : field->count > 0 ? field->count : 1 };
        for (int i = 0; i < ints.count; i++) ints.v[i] = (long)field->otherwise;
        *(struct ints *)at = ints;
        break;
    }
    case FIELD_STRING:
        *(char **)at = NULL;
        break;
    case FIELD_OBJECT:
        *(struct object *)at = (struct object){ 0 };
        break;
    case FIELD_CUSTOM:
    case FIELD_END:
        break;
    }
}

/* Defaults that own memory. */
static bool fill_member(const struct field *field, void *at, strata_error *err)
{
    if (!field->text || field->required || field->null_default) return true;
    if (field->type == FIELD_STRING) return (*(char **)at = strata_copy_text(field->text, err)) != NULL;
    if (field->type == FIELD_OBJECT) return strata_object_make(field->registry, field->text, at, err);
    if (field->type != FIELD_CUSTOM) return true;
    json_t *json = strata_json_parse(field->text, strlen(field->text), field->name, err);
    const bool ok = json && field->parse(field, json, STRATA_KERAS3, at, err);
    json_decref(json);
    return ok;
}

bool strata_config_defaults(const struct field *fields, void *config, strata_error *err)
{
    for (const struct field *f = fields; f != end_of(fields); f++) empty_member(f, member(f, config));
    for (const struct field *f = fields; f != end_of(fields); f++) {
        if (!fill_member(f, member(f, config), err)) {
            strata_config_release(fields, config);
            return false;
        }
    }
    return true;
}

/* ---- one value ------------------------------------------------------------------------------------------------ */

bool strata_wrong_type(const char *key, const json_t *json, const char *expected, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    if (json_is_null(json))
        return strata_fail(err, STRATA_EVALUE, "%s is null; %s is expected", key, expected);
    return strata_fail(err, STRATA_EVALUE, "%s is %s (%s); %s is expected", key,
                       strata_json_brief(json, brief), strata_json_kind(json), expected);
}

static bool out_of_range(const struct field *field, const char *key, const json_t *json, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF], range[STRATA_RANGE_TEXT];
    return strata_fail(err, STRATA_EVALUE, "%s is %s; %s must be %s", key, strata_json_brief(json, brief),
                       json_is_array(json) ? "each" : "it", strata_field_range(field, range));
}

static bool parse_int(const struct field *field, const char *key, const json_t *json, long *at,
                      strata_error *err)
{
    if (!json_is_integer(json)) return strata_wrong_type(key, json, "an integer", err);
    const json_int_t value = json_integer_value(json);
    if (!strata_field_in_range(field, (double)value)) return out_of_range(field, key, json, err);
    if (value <= LONG_MIN || value > LONG_MAX) return strata_wrong_type(key, json, "a smaller integer", err);
    *at = (long)value;
    return true;
}

static bool parse_float(const struct field *field, const char *key, const json_t *json, double *at,
                        strata_error *err)
{
    if (!json_is_number(json)) return strata_wrong_type(key, json, "a number", err);
    *at = json_number_value(json);
    return strata_field_in_range(field, *at) || out_of_range(field, key, json, err);
}

static bool parse_choice(const struct field *field, const char *key, const json_t *json, int *at,
                         strata_error *err)
{
    char choices[1024];
    if (!json_is_string(json)) return strata_wrong_type(key, json, "a string", err);
    for (int i = 0; field->choices[i]; i++) {
        if (strcmp(field->choices[i], json_string_value(json)) == 0) {
            *at = i;
            return true;
        }
    }
    return strata_fail(err, STRATA_EVALUE, "%s is \"%s\"; it must be one of %s", key, json_string_value(json),
                       strata_field_choices(field, choices, sizeof choices));
}

/* "a list of 2 integers, or one integer for all" and the like. */
static const char *ints_expected(const struct field *field, char *buffer, size_t size)
{
    if (field->count > 1)
        snprintf(buffer, size, "a list of %d integers, or one integer for all of them,", field->count);
    else if (field->count == 1)
        snprintf(buffer, size, "an integer");
    else
        snprintf(buffer, size, "a list of 1 to %d integers", STRATA_MAX_INTS);
    return buffer;
}

static bool parse_ints(const struct field *field, const char *key, const json_t *json, struct ints *at,
                       strata_error *err)
{
    char expected[96];
    struct ints ints = { 0 };
    if (json_is_integer(json)) {
        if (!parse_int(field, key, json, &ints.v[0], err)) return false;
        for (ints.count = 1; ints.count < field->count; ints.count++) ints.v[ints.count] = ints.v[0];
        *at = ints;
        return true;
    }
    const size_t size = json_array_size(json),
                 most = field->count > 0 ? (size_t)field->count : STRATA_MAX_INTS;
    if (size == 0 || size > most || (field->count > 0 && size != most))
        return strata_wrong_type(key, json, ints_expected(field, expected, sizeof expected), err);
    for (size_t i = 0; i < size; i++) {
        const json_t *item = json_array_get(json, i);
        if (!json_is_integer(item))
            return strata_wrong_type(key, json, ints_expected(field, expected, sizeof expected), err);
        if (!strata_field_in_range(field, (double)json_integer_value(item)))
            return out_of_range(field, key, json, err);
        ints.v[ints.count++] = (long)json_integer_value(item);
    }
    *at = ints;
    return true;
}

static bool parse_string(const char *key, const json_t *json, char **at, strata_error *err)
{
    if (!json_is_string(json)) return strata_wrong_type(key, json, "a string", err);
    return (*at = strata_copy_text(json_string_value(json), err)) != NULL;
}

static bool parse_bool(const char *key, const json_t *json, bool *at, strata_error *err)
{
    if (!json_is_boolean(json)) return strata_wrong_type(key, json, "true or false", err);
    *at = json_is_true(json);
    return true;
}

static bool parse_object(const struct field *field, const char *key, const json_t *json, enum flavour flavour,
                         struct object *at, strata_error *err)
{
    return strata_object_parse(field->registry, json, flavour, at, err) || strata_fail_in(err, "%s", key);
}

/* Whether null leaves the member empty. An object without a default has null for one. */
static bool takes_null(const struct field *field)
{
    return field->nullable || field->null_default || (field->type == FIELD_OBJECT && !field->text);
}

static void set_null(const struct field *field, void *at)
{
    const struct field null = { .type = field->type, .null_default = true, .otherwise = field->otherwise };
    empty_member(&null, at);
}

/* `key` is the spelling that the JSON uses. */
static bool parse_member(const struct field *field, const char *key, const json_t *json, enum flavour flavour,
                         void *at, strata_error *err)
{
    char expected[128];
    release_member(field, at);
    if (field->parse) return field->parse(field, json, flavour, at, err);
    if (json_is_null(json) && takes_null(field)) {
        set_null(field, at);
        return true;
    }
    switch (field->type) {
    case FIELD_INT:
        return parse_int(field, key, json, at, err);
    case FIELD_FLOAT:
        return parse_float(field, key, json, at, err);
    case FIELD_BOOL:
        return parse_bool(key, json, at, err);
    case FIELD_CHOICE:
        return parse_choice(field, key, json, at, err);
    case FIELD_INTS:
        return parse_ints(field, key, json, at, err);
    case FIELD_STRING:
        return parse_string(key, json, at, err);
    case FIELD_OBJECT:
        if (json_is_null(json))
            return strata_wrong_type(
                key, json, strata_with_article(field->registry->kind, expected, sizeof expected), err);
        return parse_object(field, key, json, flavour, at, err);
    case FIELD_CUSTOM:
    case FIELD_END:
        break;
    }
    assert(!"a custom field has a parse hook");
    return strata_fail(err, STRATA_EBUG, "%s: the field table has no way to read it", key);
}

/* ---- a whole config ------------------------------------------------------------------------------------------- */

static bool is_field(const struct field *fields, const char *key)
{
    for (const struct field *f = fields; f != end_of(fields); f++)
        if (strcmp(f->name, key) == 0 || (f->keras2 && strcmp(f->keras2, key) == 0)) return true;
    return false;
}

static bool is_listed(const char *const *names, const char *key)
{
    for (; names && *names; names++)
        if (strcmp(*names, key) == 0) return true;
    return false;
}

enum { MAX_NAMES = 128 };

static void add_name(const char **names, size_t *count, const char *name)
{
    if (name && *count < MAX_NAMES) names[(*count)++] = name;
}

static bool unknown_key(const struct field *fields, const char *const *also, const char *key,
                        strata_error *err)
{
    const char *names[MAX_NAMES] = { NULL };
    size_t count = 0;
    for (const struct field *f = fields; f != end_of(fields); f++) {
        if (!f->silent) {
            add_name(names, &count, f->name);
            add_name(names, &count, f->keras2);
        }
    }
    for (; also && *also; also++) add_name(names, &count, *also);
    const char *nearest = strata_nearest(key, names, count);
    if (nearest)
        return strata_fail(err, STRATA_EVALUE, "unknown key \"%s\"; did you mean \"%s\"?", key, nearest);
    char list[1024] = "";
    for (size_t i = 0, used = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    return strata_fail(err, STRATA_EVALUE, "unknown key \"%s\"; the keys are %s", key, count ? list : "none");
}

static bool known_keys(const struct field *fields, const json_t *json, const char *const *also,
                       strata_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        if (key[0] != '#' && !is_field(fields, key) && !is_listed(also, key))
            return unknown_key(fields, also, key, err);
    }
    return true;
}

static bool missing(const struct field *field, strata_error *err)
{
    char buffer[128];
    const char *expected = "";
    switch (field->type) {
    case FIELD_INT:
        expected = "an integer";
        break;
    case FIELD_FLOAT:
        expected = "a number";
        break;
    case FIELD_BOOL:
        expected = "true or false";
        break;
    case FIELD_CHOICE:
        expected = "a choice";
        break;
    case FIELD_INTS:
        expected = ints_expected(field, buffer, sizeof buffer);
        break;
    case FIELD_STRING:
        expected = "a string";
        break;
    case FIELD_OBJECT:
        expected = strata_with_article(field->registry->kind, buffer, sizeof buffer);
        break;
    case FIELD_CUSTOM:
    case FIELD_END:
        expected = "a value";
        break;
    }
    return strata_fail(err, STRATA_EVALUE, "%s is missing; %s is required", field->name, expected);
}

/* A key of the flavour at hand comes first where Keras 2 and 3 use one word for two things. */
static bool parse_field(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                        strata_error *err)
{
    const bool older = flavour == STRATA_KERAS2 && field->keras2;
    const char *first = older ? field->keras2 : field->name, *second = older ? field->name : field->keras2;
    const json_t *a = json_object_get(json, first), *b = second ? json_object_get(json, second) : NULL;
    if (a && b)
        return strata_fail(err, STRATA_EVALUE,
                           "\"%s\" and \"%s\" are two names of one setting; leave one out", first, second);
    if (!a && !b) return !field->required || missing(field, err);
    return parse_member(field, a ? first : second, a ? a : b, flavour, at, err);
}

bool strata_config_parse(const struct field *fields, const json_t *json, enum flavour flavour,
                         const char *const *also, void *config, strata_error *err)
{
    if (!json_is_object(json)) return strata_wrong_type("the config", json, "an object", err);
    if (!known_keys(fields, json, also, err) || !strata_config_defaults(fields, config, err)) return false;
    for (const struct field *f = fields; f != end_of(fields); f++) {
        if (!parse_field(f, json, flavour, member(f, config), err)) {
            strata_config_release(fields, config);
            return false;
        }
    }
    return true;
}
