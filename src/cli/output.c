#include "cli/output.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/context.h>

void strata_print(const char *format, ...)
{
    va_list args;
    if (strata_launch_rank() != 0) return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void strata_tell_failure(const struct command *c, const strata_error *err)
{
    if (*c->told) return;
    *c->told = true;
    fflush(stdout);
    if (strata_launch_rank() == 0 || err->code == STRATA_EPEER)
        fprintf(stderr, "%s: %s\n", err->code == STRATA_ESTOPPED ? "stopped" : "error", err->message);
}

void strata_print_text(const char *text)
{
    if (strata_launch_rank() == 0) fputs(text, stdout);
}

json_t *strata_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

bool strata_print_json(json_t *owned, strata_error *err)
{
    char *line = owned ? json_dumps(owned, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(owned);
    if (!line) return strata_command_fail(err, STRATA_EMEMORY, "out of memory while JSON was written");
    strata_print("%s\n", line);
    if (strata_launch_rank() == 0) fflush(stdout);
    free(line);
    return true;
}

void strata_note(const struct command *command, const char *format, ...)
{
    va_list args;
    if (command->quiet || command->json || strata_launch_rank() != 0) return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

void strata_table_add(struct table *table, const char *format, ...)
{
    char cell[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(cell, sizeof cell, format, args);
    va_end(args);
    if (table->count == table->room) {
        const size_t room = table->room ? 2 * table->room : 64;
        char **cells = realloc(table->cells, room * sizeof *cells);
        if (!cells) {
            table->failed = true;
            return;
        }
        table->cells = cells;
        table->room = room;
    }
    char *copy = strdup(cell);
    table->failed = table->failed || !copy;
    if (copy) table->cells[table->count++] = copy;
}

static void print_row(const struct table *table, char *const *row, const size_t *widths)
{
    for (size_t j = 0; j < table->columns; j++) {
        const bool right = table->align[j] == 'r', last = j + 1 == table->columns;
        const int width = last && !right ? 0 : (int)widths[j];
        strata_print(right ? "%*s%s" : "%-*s%s", width, row[j], last ? "\n" : "  ");
    }
}

void strata_table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) free(table->cells[i]);
    free(table->cells);
    *table = (struct table){ .columns = table->columns, .align = table->align };
}

bool strata_table_print(struct table *table, strata_error *err)
{
    const bool ok = !table->failed;
    size_t *widths = ok ? calloc(table->columns, sizeof *widths) : NULL;
    const size_t whole = widths ? table->count / table->columns * table->columns : 0;
    for (size_t i = 0; i < whole; i++) {
        const size_t length = strlen(table->cells[i]);
        if (length > widths[i % table->columns]) widths[i % table->columns] = length;
    }
    for (size_t i = 0; i < whole; i += table->columns) print_row(table, table->cells + i, widths);
    for (size_t i = 0; i < table->count; i++) free(table->cells[i]);
    free(table->cells);
    *table = (struct table){ .columns = table->columns, .align = table->align };
    if (!widths) return strata_command_fail(err, STRATA_EMEMORY, "out of memory while a table was printed");
    free(widths);
    return true;
}

const char *strata_bytes_text(double bytes, char buffer[STRATA_BYTES_TEXT])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++) bytes /= 1024;
    snprintf(buffer, STRATA_BYTES_TEXT, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return buffer;
}

bool strata_write_text(const char *path, const char *text, strata_error *err)
{
    char aside[4096];
    if (snprintf(aside, sizeof aside, "%s.part", path) >= (int)sizeof aside)
        return strata_command_fail(err, STRATA_EUSAGE, "%s: the path is too long", path);
    FILE *out = fopen(aside, "w");
    bool ok = out && fputs(text, out) >= 0;
    if (out && fclose(out) != 0) ok = false;
    if (ok && rename(aside, path) == 0) return true;
    const int why = errno;
    if (out) remove(aside);
    return strata_command_fail(err, why == ENOSPC ? STRATA_EMEMORY : STRATA_EFILE,
                               "%s: cannot be written: %s", path, strerror(why));
}
