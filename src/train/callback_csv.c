/* CSVLogger. Source: keras/src/callbacks/csv_logger.py. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "train/callback_list.h"

struct config {
    char *filename, *separator;
    bool append;
};

struct state {
    bool began; /* the head line is there, or the file is one to go on with */
};

static const struct field fields[] = {
    { "filename", FIELD_STRING, offsetof(struct config, filename), .required = true },
    { "separator", FIELD_STRING, offsetof(struct config, separator), .text = "," },
    { "append", FIELD_BOOL, offsetof(struct config, append), .otherwise = false,
      .help = "go on with a file that is there" },
    { 0 },
};

static bool has_content(const char *path)
{
    FILE *file = fopen(path, "r");
    const bool content = file && fgetc(file) != EOF;
    if (file) fclose(file);
    return content;
}

/* Every name that logs may have gets a column, so that epochs without validation fit too. */
static void add_head(struct text *text, const struct config *c, const struct callback_step *step)
{
    strata_text_add(text, "epoch");
    for (size_t i = 0; i < step->known_count; i++) strata_text_add(text, "%s%s", c->separator, step->known[i]);
    strata_text_add(text, "\n");
}

static void add_row(struct text *text, const struct config *c, const struct callback_step *step)
{
    strata_text_add(text, "%zu", step->progress->epoch);
    for (size_t i = 0; i < step->known_count; i++) {
        double value;
        strata_text_add(text, "%s", c->separator);
        if (strata_callback_log(step->progress, step->known[i], &value))
            strata_text_add(text, "%.9g", value);
        else
            strata_text_add(text, "NA");
    }
    strata_text_add(text, "\n");
}

static bool write(const char *path, bool anew, const char *text, strata_error *err)
{
    FILE *file = fopen(path, anew ? "w" : "a");
    bool ok = file && fputs(text, file) != EOF;
    if (file) ok = fclose(file) == 0 && ok;
    return ok || strata_fail_file(err, path, "cannot be written");
}

static bool epoch_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    struct state *s = memory;
    struct text text = { 0 };
    if (!step->writes) return true;
    char *path = strata_callback_path(c->filename, step, err);
    if (!path) return false;
    const bool goes_on = s->began || (c->append && has_content(path));
    if (!goes_on) add_head(&text, c, step);
    add_row(&text, c, step);
    char *lines = strata_text_take(&text, err);
    const bool ok = lines && write(path, !goes_on, lines, err);
    s->began = true;
    free(lines);
    free(path);
    return ok;
}

static json_t *save(const void *memory)
{
    return json_boolean(((const struct state *)memory)->began);
}

static bool restore(void *memory, const json_t *json, strata_error *err)
{
    (void)err;
    ((struct state *)memory)->began = json_is_true(json);
    return true;
}

const struct callback_class strata_callback_csv_logger = {
    .class = { .name = "CSVLogger", .config_size = sizeof(struct config), .fields = fields,
               .help = "writes a line an epoch" },
    .state_size = sizeof(struct state), .epoch_end = epoch_end, .save = save, .restore = restore,
};
