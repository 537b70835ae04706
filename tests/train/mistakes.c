/* Every row of golden/errors.md is an error here too, at the same moment and in words that help, or is said to be none. */
#include "mistakes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

strata_model *mistakes_model(const char *json)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(json, &err);
    cr_assert_not_null(model, "%s: %s", json, err.message);
    return model;
}

static strata_context *context;

strata_context *mistakes_context(void)
{
    strata_error err = { 0 };
    if (!context) context = strata_context_create(NULL, &err);
    cr_assert_not_null(context, "%s", err.message);
    return context;
}

bool make_layer(const struct mistake *row, strata_error *err)
{
    strata_layer *layer = strata_layer_create(row->a, row->b, err);
    strata_layer_free(layer);
    return layer != NULL;
}

bool make_model(const struct mistake *row, strata_error *err)
{
    strata_model *model = strata_model_from_json(row->a, err);
    strata_model_free(model);
    return model != NULL;
}

static const struct mistake *const tables[] = { mistakes_of_models, mistakes_of_layers, mistakes_of_training,
                                                mistakes_of_files };
enum { TABLES = sizeof tables / sizeof *tables };

static void check(const struct mistake *row)
{
    strata_error err = { 0 };
    cr_expect((row->make != NULL) != (row->here != NULL), "%s: either made or explained", row->name);
    if (!row->make) return;
    const bool passed = row->make(row, &err);
    cr_expect(!passed, "%s: passed as if it were no mistake", row->name);
    cr_expect(passed || strstr(err.message, row->words), "%s: \"%s\" without \"%s\"", row->name, err.message, row->words);
    cr_expect(passed || err.code != STRATA_EBUG, "%s: \"%s\" is called a bug", row->name, err.message);
}

static void in_folder(void)
{
    char name[] = "mistakes-XXXXXX";
    cr_assert(mkdtemp(name) && chdir(name) == 0);
}

static void done(void)
{
    strata_context_free(context);
    context = NULL;
}

TestSuite(mistakes, .init = in_folder, .fini = done);

Test(mistakes, are_errors_when_they_are_made)
{
    for (int t = 0; t < TABLES; t++)
        for (const struct mistake *row = tables[t]; row->name; row++) check(row);
}

static int rows_called(const char *name)
{
    int count = 0;
    for (int t = 0; t < TABLES; t++)
        for (const struct mistake *row = tables[t]; row->name; row++) count += strcmp(row->name, name) == 0;
    return count;
}

/* The first column of errors.md. */
Test(mistakes, of_keras_s_list_are_all_here)
{
    FILE *file = fopen(STRATA_GOLDEN "/errors.md", "r");
    size_t room = 0, rows = 0;
    char *line = NULL;
    cr_assert_not_null(file);
    while (getline(&line, &room, file) > 0) {
        char *end = strncmp(line, "| ", 2) == 0 ? strstr(line, " | ") : NULL;
        if (!end || strncmp(line, "| mistake |", 11) == 0) continue;
        *end = '\0';
        cr_expect_eq(rows_called(line + 2), 1, "\"%s\" has %d rows", line + 2, rows_called(line + 2));
        rows++;
    }
    cr_assert_gt(rows, 100);
    free(line);
    fclose(file);
}
