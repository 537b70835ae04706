/* Comma-separated numbers under a line of column names. */
#include "data/sources_priv.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A file being read line by line. */
struct table {
    const char *path;
    FILE *file;
    char *line;       /* owned: the line at hand, cut into fields */
    size_t line_room;
    size_t number;    /* of the line at hand, from 1 */
    char **field;     /* owned: the fields, pointing into line */
    size_t fields, field_room;
    size_t columns, label, weight; /* weight == columns: none */
    double *values;   /* owned: all columns of all rows */
    size_t used, value_room;
};

/* Cuts one field off *at: blanks around it go, and quotes, within which "" stands for one. */
static char *cut_field(char **at, bool *more)
{
    char *from = *at;
    while (*from == ' ' || *from == '\t')
        from++;
    char *start = from, *to = from;
    if (*from == '"') {
        for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
            from += *from == '"';
            *to++ = *from;
        }
        from += *from == '"';
        while (*from && *from != ',')
            from++;
    } else {
        while (*from && *from != ',')
            from++;
        for (to = from; to > start && isspace((unsigned char)to[-1]);)
            to--;
    }
    *more = *from == ',';
    *at = from + (*more ? 1 : 0);
    *to = '\0';
    return start;
}

/* The next line that is not blank, cut into fields; *more false at the end of the file. */
static bool next_line(struct table *t, bool *more, strata_error *err)
{
    ssize_t length;
    do {
        errno = 0;
        length = getline(&t->line, &t->line_room, t->file);
        t->number++;
    } while (length > 0 && t->line[strspn(t->line, " \t\r\n")] == '\0');
    *more = length > 0;
    if (length < 0 && ferror(t->file))
        return strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be read: %s", t->path, strerror(errno));
    if (!*more)
        return true;
    t->line[strcspn(t->line, "\r\n")] = '\0';
    char *at = t->line;
    bool again = true;
    for (t->fields = 0; again; t->fields++) {
        if (!strata_reserve((void **)&t->field, &t->field_room, t->fields + 1, sizeof *t->field, err))
            return false;
        t->field[t->fields] = cut_field(&at, &again);
    }
    return true;
}

static bool is_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static size_t find_column(const struct table *t, const char *name)
{
    size_t i = 0;
    while (i < t->fields && strcmp(t->field[i], name) != 0)
        i++;
    return i;
}

static bool read_names(struct table *t, const struct names *names, strata_error *err)
{
    const char *label = names->of[ARRAY_Y], *weight = names->of[ARRAY_WEIGHT];
    bool more, all_numbers = true;
    double value;
    if (!next_line(t, &more, err))
        return false;
    if (!more)
        return strata_fail(err, STRATA_EFILE, "%s: it is empty; its first line must name the columns", t->path);
    for (size_t i = 0; i < t->fields; i++)
        all_numbers = all_numbers && is_number(t->field[i], &value);
    if (all_numbers)
        return strata_fail(err, STRATA_EFILE, "%s: line 1 holds numbers; it must name the columns", t->path);
    t->columns = t->fields;
    t->label = find_column(t, label ? label : "label");
    t->weight = find_column(t, weight ? weight : "sample_weight");
    if ((label && t->label == t->columns) || (weight && t->weight == t->columns))
        return strata_fail(err, STRATA_EFILE, "%s: no column is named \"%s\"", t->path,
                           label && t->label == t->columns ? label : weight);
    if (t->label == t->columns)
        t->label = t->columns - (t->weight == t->columns - 1 && t->columns > 1 ? 2 : 1);
    if (t->columns < 2 + (t->weight < t->columns) || t->label == t->weight)
        return strata_fail(err, STRATA_EFILE, "%s: it has %zu columns; it needs a label and at least one other",
                           t->path, t->columns);
    return true;
}

static bool read_rows(struct table *t, strata_error *err)
{
    bool more;
    while (next_line(t, &more, err) && more) {
        if (t->fields != t->columns)
            return strata_fail(err, STRATA_EFILE, "%s: line %zu has %zu fields; the first line has %zu", t->path,
                               t->number, t->fields, t->columns);
        if (!strata_reserve((void **)&t->values, &t->value_room, t->used + t->columns, sizeof *t->values, err))
            return false;
        for (size_t i = 0; i < t->columns; i++)
            if (!is_number(t->field[i], &t->values[t->used + i]))
                return strata_fail(err, STRATA_EFILE,
                                   "%s: line %zu, column %zu is \"%.40s\"; it must be a finite number", t->path,
                                   t->number, i + 1, t->field[i]);
        t->used += t->columns;
    }
    return !more;
}

/* Labels that are all integers are classes. */
static bool are_classes(const struct table *t)
{
    for (size_t i = t->label; i < t->used; i += t->columns)
        if (t->values[i] != rint(t->values[i]) || fabs(t->values[i]) > INT32_MAX)
            return false;
    return true;
}

static bool make_arrays(const struct table *t, struct arrays *arrays, strata_error *err)
{
    const size_t count = t->used / t->columns, features = t->columns - 1 - (t->weight < t->columns);
    const bool classes = are_classes(t);
    float *x = arrays->x.column.values = strata_alloc(count * features, sizeof *x, err);
    void *y = arrays->y.column.values = x ? strata_alloc(count, 4, err) : NULL;
    float *weight = y && t->weight < t->columns ? strata_alloc(count, sizeof *weight, err) : NULL;
    arrays->sample_weight.column.values = weight;
    if (!y || (t->weight < t->columns && !weight))
        return false;
    arrays->x.column.shape = (struct shape){ .rank = 1, .dim = { features } };
    arrays->y.column.type = classes ? STRATA_INT32 : STRATA_FLOAT32;
    arrays->x.count = arrays->y.count = arrays->sample_weight.count = count;
    for (size_t i = 0; i < t->used; i++) {
        const size_t row = i / t->columns, column = i % t->columns;
        if (column == t->weight)
            weight[row] = (float)t->values[i];
        else if (column != t->label)
            *x++ = (float)t->values[i];
        else if (classes)
            ((int32_t *)y)[row] = (int32_t)t->values[i];
        else
            ((float *)y)[row] = (float)t->values[i];
    }
    return true;
}

bool strata_read_csv(const char *path, const struct names *names, struct arrays *arrays, strata_error *err)
{
    struct table t = { .path = path, .file = fopen(path, "rb") };
    if (!t.file)
        return strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be opened: %s", path, strerror(errno));
    const locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0); /* numbers have points in any country */
    const locale_t before = uselocale(plain);
    const bool ok = read_names(&t, names, err) && read_rows(&t, err) && make_arrays(&t, arrays, err);
    uselocale(before);
    if (plain)
        freelocale(plain);
    fclose(t.file);
    free(t.line);
    free(t.field);
    free(t.values);
    return ok;
}
