/* From configs to JSON, in the order of the table. */
#include "base/fields.h"

#include <math.h>

static json_t *write_int(long value)
{
    return value == STRATA_NO_INT ? json_null() : json_integer(value);
}

static json_t *write_float(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *write_choice(const struct field *field, int choice)
{
    return choice < 0 ? json_null() : json_string(field->choices[choice]);
}

static json_t *write_ints(const struct ints *ints)
{
    if (ints->count == 0) return json_null();
    json_t *list = json_array();
    for (int i = 0; list && i < ints->count; i++) {
        if (json_array_append_new(list, json_integer(ints->v[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *write_string(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *write_member(const struct field *field, const void *at, enum flavour flavour,
                            strata_error *err)
{
    if (field->write) return field->write(field, at, flavour);
    switch (field->type) {
    case FIELD_INT:
        return write_int(*(const long *)at);
    case FIELD_FLOAT:
        return write_float(*(const double *)at);
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_CHOICE:
        return write_choice(field, *(const int *)at);
    case FIELD_INTS:
        return write_ints(at);
    case FIELD_STRING:
        return write_string(*(char *const *)at);
    case FIELD_OBJECT:
        return strata_object_write(field->registry, at, flavour, err);
    case FIELD_CUSTOM:
    case FIELD_END:
        break;
    }
    return NULL;
}

/* Numbers and choices of Keras 3 alone only say more of a bool of it, or of how it computes. */
static bool has_place(const struct field *f, const void *at, enum flavour flavour, strata_error *err)
{
    if (f->writable) return f->writable(f, at, flavour, err);
    if (!f->only_keras3 || flavour == STRATA_KERAS3) return true;
    if (f->type != FIELD_BOOL || *(const bool *)at == (f->otherwise != 0)) return true;
    return strata_fail(err, STRATA_EVALUE, "%s is %s; Keras 2 has no such argument: write it as Keras 3 has it", f->name,
                       *(const bool *)at ? "true" : "false");
}

bool strata_class_writable(const struct class *class, enum flavour flavour, strata_error *err)
{
    return flavour != STRATA_KERAS2 || !class->only_keras3
           || strata_fail(err, STRATA_EVALUE, "Keras 2 has no %s: write it as Keras 3 has it", class->name);
}

bool strata_config_write(const struct field *fields, const void *config, enum flavour flavour, json_t *json,
                         strata_error *err)
{
    for (const struct field *f = fields; f && f->type != FIELD_END; f++) {
        if (f->silent || (f->only_keras2 && flavour != STRATA_KERAS2)) continue;
        if (!has_place(f, (const char *)config + f->offset, flavour, err)) return false;
        if (f->only_keras3 && flavour != STRATA_KERAS3) continue;
        const char *key = flavour == STRATA_KERAS2 && f->keras2 ? f->keras2 : f->name;
        json_t *value = write_member(f, (const char *)config + f->offset, flavour, err);
        if (!value || json_object_set_new(json, key, value) != 0)
            return strata_fail(err, STRATA_EMEMORY, "%s: out of memory while the config was written", key);
    }
    return true;
}
