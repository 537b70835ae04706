#include "base/fields.h"
#include "base/fields_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool bounded_below(const struct field *field)
{
    return !isinf(field->min);
}

static bool bounded_above(const struct field *field)
{
    return !isinf(field->max);
}

static bool any_value(const struct field *field)
{
    return field->min == 0 && field->max == 0;
}

const char *strata_field_range(const struct field *field, char buffer[STRATA_RANGE_TEXT])
{
    buffer[0] = '\0';
    if (any_value(field)) return buffer;
    if (field->min == field->max)
        snprintf(buffer, STRATA_RANGE_TEXT, "%g", field->min);
    else if (bounded_below(field) && bounded_above(field))
        snprintf(buffer, STRATA_RANGE_TEXT, field->above_min ? "above %g and at most %g" : "from %g to %g",
                 field->min, field->max);
    else if (bounded_below(field))
        snprintf(buffer, STRATA_RANGE_TEXT, field->above_min ? "above %g" : "at least %g", field->min);
    else if (bounded_above(field))
        snprintf(buffer, STRATA_RANGE_TEXT, "at most %g", field->max);
    return buffer;
}

bool strata_field_in_range(const struct field *field, double value)
{
    if (any_value(field)) return true;
    return (field->above_min ? value > field->min : value >= field->min) && value <= field->max;
}

const char *strata_field_choices(const struct field *field, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (int i = 0; field->choices[i] && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s\"%s\"", i ? ", " : "", field->choices[i]);
    return buffer;
}

const char *strata_with_article(const char *noun, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s %s", strchr("aeiou", noun[0]) ? "an" : "a", noun);
    return buffer;
}

/* ---- the manual ---------------------------------------------------------------------------------------------- */

static const char *type_text(const struct field *field, char *buffer, size_t size)
{
    switch (field->type) {
    case FIELD_INT:
        return "integer";
    case FIELD_FLOAT:
        return "number";
    case FIELD_BOOL:
        return "true or false";
    case FIELD_CHOICE:
        return strata_field_choices(field, buffer, size);
    case FIELD_INTS:
        if (field->count <= 1) return field->count ? "integer" : "integers";
        snprintf(buffer, size, "%d integers", field->count);
        return buffer;
    case FIELD_STRING:
        return "string";
    case FIELD_OBJECT:
        return field->registry->kind;
    case FIELD_CUSTOM:
    case FIELD_END:
        break;
    }
    return "value";
}

static void add_default(const struct field *field, struct text *out)
{
    if (field->required)
        strata_text_add(out, "required");
    else if (field->null_default)
        strata_text_add(out, "null");
    else if (field->type == FIELD_CHOICE)
        strata_text_add(out, "\"%s\"", field->choices[(int)field->otherwise]);
    else if (field->type == FIELD_BOOL)
        strata_text_add(out, "%s", field->otherwise != 0 ? "true" : "false");
    else if (field->type == FIELD_STRING && field->text)
        strata_text_add(out, "\"%s\"", field->text);
    else if (field->type == FIELD_INT || field->type == FIELD_FLOAT || field->type == FIELD_INTS)
        strata_text_add(out, "%g", field->otherwise);
    else
        strata_text_add(out, "%s", field->text ? field->text : "null");
}

static void add_type(const struct field *field, struct text *out)
{
    char type[512], range[STRATA_RANGE_TEXT];
    strata_text_add(out, "%s", type_text(field, type, sizeof type));
    if (*strata_field_range(field, range)) strata_text_add(out, ", %s", range);
    if (field->nullable && !field->null_default) strata_text_add(out, " or null");
}

void strata_fields_manual(const struct field *fields, struct text *out)
{
    for (const struct field *f = fields; f && f->type != FIELD_END; f++) {
        if (f->silent) continue;
        strata_text_add(out, "  %-24s ", f->name);
        add_type(f, out);
        strata_text_add(out, f->required ? " (" : " (default ");
        add_default(f, out);
        if (f->keras2) strata_text_add(out, "; Keras 2: %s", f->keras2);
        strata_text_add(out, f->help ? "): %s\n" : ")\n", f->help);
    }
}

/* A bar would end a table's cell. */
static void add_cell(const struct text *cell, struct text *out)
{
    strata_text_add(out, "| ");
    for (const char *c = cell->data ? cell->data : ""; *c; c++) strata_text_add(out, *c == '|' ? "\\%c" : "%c", *c);
    strata_text_add(out, " ");
}

static void add_row(const struct field *f, struct text *out)
{
    struct text cells[4] = { { 0 } };
    strata_text_add(&cells[0], "`%s`", f->name);
    if (f->keras2) strata_text_add(&cells[0], ", in Keras 2 `%s`", f->keras2);
    add_type(f, &cells[1]);
    add_default(f, &cells[2]);
    if (f->help) strata_text_add(&cells[3], "%s", f->help);
    for (int i = 0; i < 4; i++) {
        add_cell(&cells[i], out);
        strata_text_free(&cells[i]);
    }
    strata_text_add(out, "|\n");
}

void strata_fields_table(const struct field *fields, struct text *out)
{
    bool head = false;
    for (const struct field *f = fields; f && f->type != FIELD_END; f++) {
        if (f->silent) continue;
        if (!head) strata_text_add(out, "\n| argument | value | default | |\n|---|---|---|---|\n");
        head = true;
        add_row(f, out);
    }
}
