/* Tables that describe configs: from them come parsing, ranges, defaults, writing back and the manual.
 *
 * A class (a layer, an optimizer, a loss, ...) is a constant table that begins with a struct class. Its config is a
 * plain struct; a field table says which key of the JSON goes to which member. A registry lists the classes of one
 * kind. An object is a class with a config of its own. */
#ifndef STRATA_BASE_FIELDS_H
#define STRATA_BASE_FIELDS_H

#include <limits.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

/* Which of Keras's formats a config is read from or written to. */
enum flavour { STRATA_KERAS3, STRATA_KERAS2 };

enum field_type {
    FIELD_END,    /* ends a table */
    FIELD_INT,    /* long */
    FIELD_FLOAT,  /* double, so that what is read is what is written */
    FIELD_BOOL,   /* bool */
    FIELD_CHOICE, /* int: index into choices */
    FIELD_INTS,   /* struct ints: a list of `count` integers, or one integer that stands for all */
    FIELD_STRING, /* char *, owned */
    FIELD_OBJECT, /* struct object, of `registry` */
    FIELD_CUSTOM, /* whatever the hooks make of it; such a config starts zeroed */
};

enum { STRATA_MAX_INTS = 8 };
struct ints {
    int count;
    long v[STRATA_MAX_INTS];
};

#define STRATA_NO_INT LONG_MIN /* what null leaves in a nullable FIELD_INT; a nullable FIELD_FLOAT holds NAN */

struct registry;

struct field {
    const char *name; /* the key, as Keras 3 spells it */
    enum field_type type;
    size_t offset;
    const char *keras2;              /* the key in Keras 2, where it has another name */
    double otherwise;                /* default of numbers, bools, choices, ints (each of them) */
    const char *text;                /* default of strings, objects (a class name) and customs (JSON); NULL: null */
    double min, max;                 /* inclusive; both 0: any */
    bool above_min;                  /* min itself is refused too */
    bool required;                   /* no default */
    bool nullable;                   /* null is a value of its own (default null for ints: .null_default) */
    bool null_default;               /* the default is null */
    int count;                       /* FIELD_INTS: how many; 0: one to STRATA_MAX_INTS */
    const char *const *choices;      /* FIELD_CHOICE: NULL-terminated */
    const struct registry *registry; /* FIELD_OBJECT */
    bool only_keras2, only_keras3;   /* written in that flavour only; read from both. Where `writable` does not say, a bool of
                                        Keras 3 that is not its default cannot be written for Keras 2 */
    bool silent;                     /* read from files but never written and not in the manual */
    bool (*parse)(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err);
    bool (*writable)(const struct field *field, const void *at, enum flavour flavour, strata_error *err); /* NULL: always */
    json_t *(*write)(const struct field *field, const void *at, enum flavour flavour); /* NULL: out of memory */
    void (*release)(void *at);
    const char *help; /* one line for the manual */
};

struct class {
    const char *name; /* Keras's class_name */
    size_t config_size;
    const struct field *fields;  /* ends in { 0 }; NULL: no config */
    const char *const *aliases;  /* other spellings, NULL-terminated: "adam", "mse"; may be NULL. The snake-case
                                    form of the name need not be listed: it is always an alias. */
    const char *help;            /* one line for the manual */
    bool only_keras3;            /* Keras 2 has no such class: not written for it */
    /* After a config was parsed whole: checks between fields, and what differs by flavour; may be NULL. */
    bool (*check)(void *config, enum flavour flavour, strata_error *err);
};

struct registry {
    const char *kind;                    /* "layer", "optimizer", ...: for messages */
    const char *module;                  /* "keras.layers", ...: what Keras 3 writes as "module" */
    const struct class *const *classes;  /* NULL-terminated */
};

struct object {
    const struct class *class; /* NULL: none */
    void *config;              /* owned */
};

/* Fills a config with the defaults of its table; required fields stay zero. Cannot fail but for memory. */
bool strata_config_defaults(const struct field *fields, void *config, strata_error *err);

/* Parses a JSON object into a config: defaults first, then its keys. Unknown keys (also none of `also`, a
 * NULL-terminated list or NULL) are errors that name the nearest known key; keys that begin with '#' are comments.
 * Messages say `units is -2; it must be at least 1`; those of an object inside begin with its key: `optimizer: ...`.
 * On failure the config is released. */
bool strata_config_parse(const struct field *fields, const json_t *json, enum flavour flavour,
                         const char *const *also, void *config, strata_error *err);

/* Whether files of that flavour have the class. */
bool strata_class_writable(const struct class *class, enum flavour flavour, strata_error *err);

/* Adds the fields to a JSON object, in table order. A value that files of that flavour have no place for is an error. */
bool strata_config_write(const struct field *fields, const void *config, enum flavour flavour, json_t *json,
                         strata_error *err);

/* Releases what the fields own; the struct itself stays. */
void strata_config_release(const struct field *fields, void *config);

/* The class of that name or alias, or NULL. */
const struct class *strata_class_find(const struct registry *registry, const char *name);

/* The snake-case form Keras makes of a class name: "MaxPooling2D" is "max_pooling2d". */
enum { STRATA_NAME = 96 };
const char *strata_snake_case(const char *name, char buffer[STRATA_NAME]);

/* Makes an object from any form in which Keras or a job names one: null (class NULL), "name",
 * {"class_name": .., "config": {..}, ...} and the job's short form {"Name": {...}}. An unknown name is an error that
 * suggests the nearest, one in the config begins with the class: `Adam: beta_1 is 2; ...`. Release with
 * strata_object_release, also an empty one. */
bool strata_object_parse(const struct registry *registry, const json_t *json, enum flavour flavour,
                         struct object *object, strata_error *err);
bool strata_object_make(const struct registry *registry, const char *name, struct object *object, strata_error *err);

/* The full form that Keras writes ({"module", "class_name", "config", "registered_name"}), or null. */
json_t *strata_object_write(const struct registry *registry, const struct object *object, enum flavour flavour,
                            strata_error *err);
void strata_object_release(struct object *object);

/* Text for the manual: one line a field with type, default and range; and the same as a table of Markdown, nothing when
 * there are no fields to show. */
struct text;
void strata_fields_manual(const struct field *fields, struct text *out);
void strata_fields_table(const struct field *fields, struct text *out);

#endif
