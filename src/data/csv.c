/* Comma-separated numbers under a line of column names. */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "data/rows_priv.h"

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
    double *label_values, *weight_values; /* owned: by row */
    float *features;  /* owned: of the line at hand */
    size_t rows, label_room, weight_room;
    struct sink sink; /* features of all rows */
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

static bool keep(double **values, size_t *room, size_t row, double value, strata_error *err)
{
    void *all = *values;
    if (!strata_reserve(&all, room, row + 1, sizeof **values, err))
        return false;
    *values = all;
    (*values)[row] = value;
    return true;
}

static bool read_row(struct table *t, strata_error *err)
{
    size_t features = 0;
    for (size_t i = 0; i < t->columns; i++) {
        double value;
        if (!is_number(t->field[i], &value))
            return strata_fail(err, STRATA_EFILE, "%s: line %zu, column %zu is \"%.40s\"; it must be a finite number",
                               t->path, t->number, i + 1, t->field[i]);
        if (i == t->label ? !keep(&t->label_values, &t->label_room, t->rows, value, err)
                          : i == t->weight && !keep(&t->weight_values, &t->weight_room, t->rows, value, err))
            return false;
        if (i != t->label && i != t->weight)
            t->features[features++] = (float)value;
    }
    t->rows++;
    return strata_sink_write(&t->sink, t->features, features * sizeof *t->features, err);
}

static bool read_rows(struct table *t, strata_error *err)
{
    bool more;
    if (!(t->features = strata_alloc(t->columns, sizeof *t->features, err)))
        return false;
    while (next_line(t, &more, err) && more) {
        if (t->fields != t->columns)
            return strata_fail(err, STRATA_EFILE, "%s: line %zu has %zu fields; the first line has %zu", t->path,
                               t->number, t->fields, t->columns);
        if (!read_row(t, err))
            return false;
    }
    return !more;
}

/* Labels that are all integers are classes. */
static bool are_classes(const struct table *t)
{
    for (size_t i = 0; i < t->rows; i++)
        if (t->label_values[i] != rint(t->label_values[i]) || fabs(t->label_values[i]) > INT32_MAX)
            return false;
    return true;
}

static bool make_arrays(struct table *t, struct arrays *arrays, strata_error *err)
{
    const bool classes = are_classes(t), weighted = t->weight < t->columns;
    void *y = arrays->y.column.values = strata_alloc(t->rows, 4, err);
    float *weight = y && weighted ? strata_alloc(t->rows, sizeof *weight, err) : NULL;
    arrays->sample_weight.column.values = weight;
    if (!y || (weighted && !weight))
        return false;
    arrays->x.column.shape = (struct shape){ .rank = 1, .dim = { t->columns - 1 - weighted } };
    arrays->y.column.type = classes ? STRATA_INT32 : STRATA_FLOAT32;
    arrays->x.count = arrays->y.count = arrays->sample_weight.count = t->rows;
    for (size_t i = 0; i < t->rows; i++) {
        if (classes)
            ((int32_t *)y)[i] = (int32_t)t->label_values[i];
        else
            ((float *)y)[i] = (float)t->label_values[i];
        if (weighted)
            weight[i] = (float)t->weight_values[i];
    }
    return strata_sink_finish(&t->sink, arrays, err);
}

bool strata_read_csv(const char *path, const struct names *names, struct arrays *arrays, strata_error *err)
{
    struct table t = { .path = path, .file = strata_file_fault() ? NULL : fopen(path, "rb"),
                       .sink = { .what = path, .limit = arrays->memory, .file = -1 } };
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
    free(t.label_values);
    free(t.weight_values);
    free(t.features);
    strata_sink_free(&t.sink);
    return ok;
}
