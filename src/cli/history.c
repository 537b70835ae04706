#include "cli/history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MAX_COLUMNS = 256 };

static FILE *open_table(const char *run, char *path, size_t size, strata_error *err)
{
    const size_t length = strlen(run);
    const bool table = length > 4 && strcmp(run + length - 4, ".csv") == 0;
    snprintf(path, size, table ? "%s" : "%s/history.csv", run);
    FILE *in = fopen(path, "r");
    if (!in) strata_command_fail(err, STRATA_EFILE, "%s: cannot be opened: %s", path, strerror(errno));
    return in;
}

/* Cuts a line at its commas; returns how many pieces. */
static size_t cut(char *line, char **pieces, size_t most)
{
    size_t count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    while (line && count < most) {
        pieces[count++] = line;
        line = strchr(line, ',');
        if (line) *line++ = '\0';
    }
    return line ? most + 1 : count;
}

/* Rows of numbers, row by row; an empty field is NAN. */
struct rows {
    double *values;
    size_t count, columns;
};

static bool read_rows(FILE *in, const char *path, struct rows *rows, strata_error *err)
{
    char *line = NULL, *pieces[MAX_COLUMNS];
    size_t room = 0;
    bool ok = true;
    while (ok && getline(&line, &room, in) > 0) {
        if (line[0] == '\n') continue;
        double *values = realloc(rows->values, (rows->count + 1) * rows->columns * sizeof *values);
        if (!values) {
            ok = strata_command_fail(err, STRATA_EMEMORY, "out of memory");
            break;
        }
        rows->values = values;
        if (cut(line, pieces, MAX_COLUMNS) != rows->columns)
            ok = strata_command_fail(err, STRATA_EFILE, "%s: line %zu has not %zu columns", path,
                                     rows->count + 2, rows->columns);
        for (size_t j = 0; ok && j < rows->columns; j++)
            values[rows->count * rows->columns + j] = pieces[j][0] ? strtod(pieces[j], NULL) : (double)NAN;
        rows->count += ok;
    }
    free(line);
    return ok;
}

/* Columns one after the other, in the order of their names, without "epoch". */
static bool arrange(struct history *h, char *const *names, const struct rows *rows, strata_error *err)
{
    h->curves = calloc(rows->columns, sizeof *h->curves);
    h->values = calloc(rows->columns * rows->count + 1, sizeof *h->values);
    if (!h->curves || !h->values) return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    for (size_t j = 0; j < rows->columns; j++) {
        if (strcmp(names[j], "epoch") == 0) continue;
        double *values = h->values + h->count * rows->count;
        for (size_t i = 0; i < rows->count; i++) values[i] = rows->values[i * rows->columns + j];
        h->curves[h->count++] = (strata_curve){ names[j], values, rows->count };
    }
    return true;
}

bool strata_history_read(const char *run, struct history *h, strata_error *err)
{
    char path[4096], *names[MAX_COLUMNS];
    size_t room = 0;
    struct rows rows = { 0 };
    *h = (struct history){ 0 };
    FILE *in = open_table(run, path, sizeof path, err);
    if (!in) return false;
    bool ok =
        getline(&h->names, &room, in) > 0 || strata_command_fail(err, STRATA_EFILE, "%s: is empty", path);
    if (ok) rows.columns = cut(h->names, names, MAX_COLUMNS);
    if (ok && rows.columns > MAX_COLUMNS)
        ok = strata_command_fail(err, STRATA_EFILE, "%s: has more than %d columns", path, MAX_COLUMNS);
    ok = ok && read_rows(in, path, &rows, err) && arrange(h, names, &rows, err);
    free(rows.values);
    fclose(in);
    return ok;
}

void strata_history_release(struct history *h)
{
    free(h->curves);
    free(h->names);
    free(h->values);
    *h = (struct history){ 0 };
}
