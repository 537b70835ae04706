/* What the command prints. Results go to stdout, on rank 0 alone. */
#ifndef STRATA_CLI_OUTPUT_H
#define STRATA_CLI_OUTPUT_H

#include <jansson.h>

#include "cli/cli.h"

void strata_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void strata_print_text(const char *text);

/* Writes a file aside and renames it, so that an old one stays until the new one is whole. */
bool strata_write_text(const char *path, const char *text, strata_error *err);

/* One line of JSON; takes the object over, NULL counts as out of memory. */
bool strata_print_json(json_t *owned, strata_error *err);
/* null where it is not finite: JSON has no such numbers, and Jansson makes none. */
json_t *strata_json_number(double value);

/* A message for people on stderr; not with --quiet or --json. */
void strata_note(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Why the verb failed, on stderr, once, by rank 0 alone; when MPI itself failed by every rank that saw it, for the first to leave has mpirun end
 * the others. For the same reason a verb whose ranks leave together says it while they still are. */
void strata_tell_failure(const struct command *command, const strata_error *err);

/* A table of texts. Starts as { .columns = N, .align = "lr..." }: 'r' sets a column flush right. */
struct table {
    size_t columns;
    const char *align;
    char **cells; /* row by row */
    size_t count, room;
    bool failed;
};
void strata_table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints with two spaces between columns, and empties it. */
bool strata_table_print(struct table *table, strata_error *err);
void strata_table_free(struct table *table);

/* "640 B", "1.3 MiB", "31.0 GiB". */
enum { STRATA_BYTES_TEXT = 32 };
const char *strata_bytes_text(double bytes, char buffer[STRATA_BYTES_TEXT]);

#endif
