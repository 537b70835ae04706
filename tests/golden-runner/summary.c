/* Cases of golden/summary: NAME.FLAVOUR.txt is what Keras's summary() prints of the model in NAME.FLAVOUR.json,
 * NAME.FLAVOUR.OPTION.txt the same with one option, NAME.FLAVOUR.error.txt what was raised instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "runner.h"
#include <strata/model.h>
#include <strata/train.h>

/* The parts of a case's file name. */
struct summary_case {
    char json[1024];
    strata_summary_options options;
    bool error;
};

static bool split_name(const char *path, struct summary_case *c)
{
    *c = (struct summary_case){ .options = { .style = STRATA_FLAVOUR_KERAS3 } };
    const char *flavour = strstr(path, ".keras2.");
    if (flavour)
        c->options.style = STRATA_FLAVOUR_KERAS2;
    else
        flavour = strstr(path, ".keras3.");
    const size_t length = strlen(path);
    if (!flavour || length < 4 || strcmp(path + length - 4, ".txt") != 0)
        return false;
    const char *option = flavour + strlen(".keras3");
    snprintf(c->json, sizeof c->json, "%.*s.json", (int)(option - path), path);
    c->error = strcmp(option, ".error.txt") == 0;
    c->options.show_trainable = strcmp(option, ".show_trainable.txt") == 0;
    c->options.expand_nested = strcmp(option, ".expand_nested.txt") == 0;
    if (strcmp(option, ".line_length.txt") == 0)
        c->options.line_length = strstr(path, "long_names") ? 120 : 100;
    return true;
}

static bool matches(const char *path)
{
    struct summary_case c;
    return split_name(path, &c);
}

static char *read_text(const char *path)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "rb");
    if (text && file && fread(text, 1, (1 << 20) - 1, file) == 0)
        text[0] = '\0';
    if (file)
        fclose(file);
    return text;
}

/* Keras counts a trained model's optimizer; the config of one that was compiled says which it is. */
static bool count_optimizer(strata_model *model, const json_t *json, strata_summary_options *options, strata_error *err)
{
    const json_t *config = json_object_get(json, "compile_config");
    if (json_object_size(config) == 0)
        return true;
    char *text = strata_json_text(config, false, err);
    const bool ok = text && strata_model_compile(model, text, err)
                 && strata_model_optimizer_params(model, &options->optimizer_params, &options->optimizer_bytes, err);
    free(text);
    return ok;
}

static char *summarize(struct summary_case *c, strata_error *err)
{
    json_t *json = strata_json_read(c->json, err);
    char *text = json ? strata_json_text(json, false, err) : NULL;
    strata_model *model = text ? strata_model_from_json(text, err) : NULL;
    char *summary = NULL;
    if (model && count_optimizer(model, json, &c->options, err))
        summary = strata_model_summary(model, &c->options, err);
    strata_model_free(model);
    free(text);
    json_decref(json);
    return summary;
}

/* Compares line by line; the ends of both texts lose their line breaks. */
static bool compare(char *got, char *expected, char *message, size_t size)
{
    int line = 1;
    for (char *end = got + strlen(got); end > got && end[-1] == '\n';)
        *--end = '\0';
    for (char *end = expected + strlen(expected); end > expected && end[-1] == '\n';)
        *--end = '\0';
    while (*got && *expected) {
        const size_t a = strcspn(got, "\n"), b = strcspn(expected, "\n");
        if (a != b || strncmp(got, expected, a) != 0)
            break;
        got += a + (got[a] == '\n');
        expected += b + (expected[b] == '\n');
        line++;
    }
    if (!*got && !*expected)
        return true;
    snprintf(message, size, "line %d is\n  |%.*s|, not\n  |%.*s|", line, (int)strcspn(got, "\n"), got,
             (int)strcspn(expected, "\n"), expected);
    return false;
}

static bool run(struct runner *runner, const char *path, char *message, size_t size)
{
    struct summary_case c;
    strata_error err = { 0 };
    (void)runner;
    split_name(path, &c);
    char *summary = summarize(&c, &err), *expected = read_text(path);
    bool ok;
    if (c.error) {
        ok = !summary;
        snprintf(message, size, "an error was expected: %.400s", expected);
    } else if (!summary) {
        ok = false;
        snprintf(message, size, "%s", err.message);
    } else {
        ok = compare(summary, expected, message, size);
    }
    free(summary);
    free(expected);
    return ok;
}

const struct case_kind golden_summary = { "summary", matches, run };
