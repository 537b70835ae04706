#include "train/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct column {
    char *name;
    double *values;
    size_t room;
};

struct strata_history {
    struct column *columns;
    size_t count, room, epochs;
};

strata_history *strata_history_create(strata_error *err)
{
    return strata_alloc(1, sizeof(strata_history), err);
}

void strata_history_free(strata_history *history)
{
    if (!history) return;
    for (size_t i = 0; i < history->count; i++) {
        free(history->columns[i].name);
        free(history->columns[i].values);
    }
    free(history->columns);
    free(history);
}

size_t strata_history_epochs(const strata_history *history)
{
    return history->epochs;
}

size_t strata_history_count(const strata_history *history)
{
    return history->count;
}

const char *strata_history_name(const strata_history *history, size_t index)
{
    return history->columns[index].name;
}

const double *strata_history_values(const strata_history *history, size_t index)
{
    return history->columns[index].values;
}

/* ---- adding ---------------------------------------------------------------------------------------------------------- */

/* Room for one more epoch in a column, which is NAN from `from` on. */
static bool lengthen(struct column *column, size_t from, size_t epochs, strata_error *err)
{
    void *values = column->values;
    if (!strata_reserve(&values, &column->room, epochs, sizeof(double), err)) return false;
    column->values = values;
    for (size_t i = from; i < epochs; i++) column->values[i] = NAN;
    return true;
}

static struct column *find(strata_history *history, const char *name, strata_error *err)
{
    for (size_t i = 0; i < history->count; i++)
        if (strcmp(history->columns[i].name, name) == 0) return &history->columns[i];
    void *columns = history->columns;
    if (!strata_reserve(&columns, &history->room, history->count + 1, sizeof *history->columns, err)) return NULL;
    history->columns = columns;
    struct column *column = &history->columns[history->count];
    *column = (struct column){ .name = strata_copy_text(name, err) };
    if (!column->name) return NULL;
    history->count++;
    return lengthen(column, 0, history->epochs, err) ? column : NULL;
}

bool strata_history_add(strata_history *history, const char *const *names, const double *values, size_t count,
                        strata_error *err)
{
    const size_t epoch = history->epochs;
    for (size_t i = 0; i < count; i++)
        if (!find(history, names[i], err)) return false;
    for (size_t i = 0; i < history->count; i++)
        if (!lengthen(&history->columns[i], epoch, epoch + 1, err)) return false;
    for (size_t i = 0; i < count; i++) find(history, names[i], err)->values[epoch] = values[i];
    history->epochs++;
    return true;
}

/* ---- as text ----------------------------------------------------------------------------------------------------------- */

char *strata_history_csv(const strata_history *history, size_t first, strata_error *err)
{
    struct text text = { 0 };
    strata_text_add(&text, "epoch");
    for (size_t i = 0; i < history->count; i++) strata_text_add(&text, ",%s", history->columns[i].name);
    strata_text_add(&text, "\n");
    for (size_t epoch = 0; epoch < history->epochs; epoch++) {
        strata_text_add(&text, "%zu", first + epoch);
        for (size_t i = 0; i < history->count; i++) {
            const double value = history->columns[i].values[epoch];
            if (isnan(value))
                strata_text_add(&text, ",");
            else
                strata_text_add(&text, ",%.9g", value);
        }
        strata_text_add(&text, "\n");
    }
    return strata_text_take(&text, err);
}

/* ---- exact ------------------------------------------------------------------------------------------------------------- */

json_t *strata_exact_number(double value)
{
    char text[64];
    snprintf(text, sizeof text, "%a", value);
    return json_string(text);
}

bool strata_exact_value(const json_t *json, double *value)
{
    char *end;
    const char *text = json_string_value(json);
    if (!text || !*text) return false;
    *value = strtod(text, &end);
    return *end == '\0';
}

json_t *strata_history_save(const strata_history *history)
{
    json_t *rows = json_array();
    for (size_t epoch = 0; rows && epoch < history->epochs; epoch++) {
        json_t *row = json_object();
        for (size_t i = 0; row && i < history->count; i++)
            json_object_set_new(row, history->columns[i].name,
                                strata_exact_number(history->columns[i].values[epoch]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static bool restore_row(strata_history *history, const json_t *row, strata_error *err)
{
    const size_t count = json_object_size(row);
    const char **names = strata_alloc(count, sizeof *names, err);
    double *values = names ? strata_alloc(count, sizeof *values, err) : NULL;
    bool ok = values != NULL;
    size_t at = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)row, key, value)
    {
        if (!ok) break;
        names[at] = key;
        ok = strata_exact_value(value, &values[at++])
             || strata_fail(err, STRATA_EFILE, "history: %s is not a number", key);
    }
    ok = ok && strata_history_add(history, names, values, count, err);
    free(names);
    free(values);
    return ok;
}

bool strata_history_restore(strata_history *history, const json_t *json, strata_error *err)
{
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!restore_row(history, json_array_get(json, i), err)) return false;
    return true;
}
