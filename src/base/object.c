/* Classes by name, and objects: a class with a config of its own. */
#include "base/fields.h"
#include "base/fields_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Both passes of keras.utils.naming.to_snake_case:
 *   (.)([A-Z][a-z]+) -> \1_\2, then ([a-z])([A-Z]) -> \1_\2, then lower case. */
const char *strata_snake_case(const char *name, char buffer[STRATA_NAME])
{
    char split[STRATA_NAME];
    size_t used = 0, out = 0;
    for (size_t i = 0; name[i] && used + 2 < sizeof split;) {
        split[used++] = name[i++];
        if (!isupper((unsigned char)name[i]) || !islower((unsigned char)name[i + 1])) continue;
        split[used++] = '_';
        for (split[used++] = name[i++]; islower((unsigned char)name[i]) && used + 2 < sizeof split; i++)
            split[used++] = name[i];
    }
    split[used] = '\0';
    for (size_t i = 0; split[i] && out + 2 < STRATA_NAME; i++) {
        if (i > 0 && islower((unsigned char)split[i - 1]) && isupper((unsigned char)split[i]))
            buffer[out++] = '_';
        buffer[out++] = (char)tolower((unsigned char)split[i]);
    }
    buffer[out] = '\0';
    return buffer;
}

static bool is_named(const struct class *class, const char *name)
{
    char snake[STRATA_NAME];
    if (strcmp(class->name, name) == 0 || strcmp(strata_snake_case(class->name, snake), name) == 0)
        return true;
    for (const char *const *alias = class->aliases; alias && *alias; alias++)
        if (strcmp(*alias, name) == 0) return true;
    return false;
}

/* Keras 2 puts "Custom>" before the names of classes that it registered as users' own classes are, its own
 * optimizers among them. */
static const char *without_package(const char *name)
{
    static const char package[] = "Custom>";
    return strncmp(name, package, sizeof package - 1) == 0 ? name + sizeof package - 1 : name;
}

const struct class *strata_class_find(const struct registry *registry, const char *name)
{
    name = without_package(name);
    for (const struct class *const *class = registry->classes; *class; class ++)
        if (is_named(*class, name)) return *class;
    return NULL;
}

/* ---- making --------------------------------------------------------------------------------------------------- */

enum { MAX_NAMES = 512 };

static bool unknown_name(const struct registry *registry, const char *name, strata_error *err)
{
    const char *names[MAX_NAMES] = { NULL };
    size_t classes = 0, count = 0;
    for (; registry->classes[classes] && count < MAX_NAMES; classes++)
        names[count++] = registry->classes[classes]->name;
    for (size_t i = 0; i < classes; i++)
        for (const char *const *alias = registry->classes[i]->aliases; alias && *alias && count < MAX_NAMES;
             alias++)
            names[count++] = *alias;
    const char *nearest = strata_nearest(name, names, count);
    if (nearest)
        return strata_fail(err, STRATA_EVALUE, "unknown name \"%s\"; did you mean \"%s\"?", name, nearest);
    char list[1400] = "";
    for (size_t i = 0, used = 0; i < classes && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    return strata_fail(err, STRATA_EVALUE, "unknown name \"%s\"; known are %s", name, list);
}

/* `config` may be NULL: no arguments given, so that a class with required ones says what is missing. */
static bool make(const struct class *class, const json_t *config, enum flavour flavour, struct object *object,
                 strata_error *err)
{
    json_t *given = config ? json_incref((json_t *)config) : json_object();
    void *parsed = given ? strata_alloc(1, class->config_size, err) : NULL;
    bool ok = given || strata_fail(err, STRATA_EMEMORY, "out of memory");
    ok = ok && parsed
         && (strata_config_parse(class->fields, given, flavour, NULL, parsed, err)
             || strata_fail_in(err, "%s", class->name));
    json_decref(given);
    if (!ok) {
        free(parsed);
        return false;
    }
    *object = (struct object){ .class = class, .config = parsed };
    if (!class->check || class->check(parsed, flavour, err)) return true;
    strata_object_release(object);
    return strata_fail_in(err, "%s", class->name);
}

static bool make_named(const struct registry *registry, const char *name, const json_t *config,
                       enum flavour flavour, struct object *object, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    const struct class *class = strata_class_find(registry, name);
    if (!class) return unknown_name(registry, name, err);
    if (config && !json_is_null(config) && !json_is_object(config))
        return strata_fail(err, STRATA_EVALUE,
                           "%s: %s (%s) was given; an object of its arguments is expected", name,
                           strata_json_brief(config, brief), strata_json_kind(config));
    return make(class, json_is_null(config) ? NULL : config, flavour, object, err);
}

bool strata_object_make(const struct registry *registry, const char *name, struct object *object,
                        strata_error *err)
{
    *object = (struct object){ 0 };
    return make_named(registry, name, NULL, STRATA_KERAS3, object, err);
}

/* Keras's own form. A function of Keras is written as class "function" with its name for a config. */
static bool parse_keras_form(const struct registry *registry, const json_t *json, enum flavour flavour,
                             struct object *object, strata_error *err)
{
    static const char *const known[] = { "class_name",       "config",       "module",
                                         "registered_name",  "build_config", "compile_config",
                                         "shared_object_id", "name",         "inbound_nodes" };
    const size_t count = sizeof known / sizeof *known;
    const json_t *class_name = json_object_get(json, "class_name"), *config = json_object_get(json, "config");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0) i++;
        const char *nearest = i < count ? NULL : strata_nearest(key, known, count);
        if (i == count && key[0] != '#')
            return strata_fail(
                err, STRATA_EVALUE,
                "unknown key \"%s\"%s%s%s beside \"class_name\"; arguments belong in \"config\"", key,
                nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    }
    if (!json_is_string(class_name)) return strata_wrong_type("class_name", class_name, "a string", err);
    if (strcmp(json_string_value(class_name), "function") == 0 && json_is_string(config))
        return make_named(registry, json_string_value(config), NULL, flavour, object, err);
    return make_named(registry, json_string_value(class_name), config, flavour, object, err);
}

/* {"Name": {...}}; comments may stand beside it. */
static bool parse_short_form(const struct registry *registry, const json_t *json, enum flavour flavour,
                             struct object *object, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    const char *key, *name = NULL;
    const json_t *config = NULL;
    json_t *value;
    int names = 0;
    json_object_foreach((json_t *)json, key, value)
    {
        if (key[0] == '#') continue;
        names++;
        name = key;
        config = value;
    }
    if (names == 1) return make_named(registry, name, config, flavour, object, err);
    return strata_fail(err, STRATA_EVALUE,
                       "%s has %d keys; write {\"Name\": {arguments}} or {\"class_name\": \"Name\", "
                       "\"config\": {arguments}}",
                       strata_json_brief(json, brief), names);
}

bool strata_object_parse(const struct registry *registry, const json_t *json, enum flavour flavour,
                         struct object *object, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF], noun[128];
    *object = (struct object){ 0 };
    if (json_is_null(json)) return true;
    if (json_is_string(json))
        return make_named(registry, json_string_value(json), NULL, flavour, object, err);
    if (!json_is_object(json))
        return strata_fail(err, STRATA_EVALUE, "%s (%s) was given; %s is expected",
                           strata_json_brief(json, brief), strata_json_kind(json),
                           strata_with_article(registry->kind, noun, sizeof noun));
    if (json_object_get(json, "class_name")) return parse_keras_form(registry, json, flavour, object, err);
    return parse_short_form(registry, json, flavour, object, err);
}

/* ---- writing and release -------------------------------------------------------------------------------------- */

json_t *strata_object_write(const struct registry *registry, const struct object *object,
                            enum flavour flavour, strata_error *err)
{
    if (!object->class) return json_null();
    if (!strata_class_writable(object->class, flavour, err)) return NULL;
    json_t *config = json_object();
    if (!config || !strata_config_write(object->class->fields, object->config, flavour, config, err)) {
        if (!config) strata_fail(err, STRATA_EMEMORY, "out of memory while a %s was written", registry->kind);
        json_decref(config);
        return NULL;
    }
    json_t *json = json_pack("{s:s, s:s, s:o, s:n}", "module", registry->module, "class_name",
                             object->class->name, "config", config, "registered_name");
    if (!json) strata_fail(err, STRATA_EMEMORY, "out of memory while a %s was written", registry->kind);
    return json;
}

void strata_object_release(struct object *object)
{
    if (object->class) strata_config_release(object->class->fields, object->config);
    free(object->config);
    *object = (struct object){ 0 };
}
