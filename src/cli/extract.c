/* strata extract: outputs of inner layers, as Keras's Model(inputs, [layer.output for ...]) gives them. */
#include <stdlib.h>
#include <string.h>
#include <strata/arrays.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

/* The layers asked for and their outputs. Starts as { 0 }. */
struct wanted {
    const strata_layer **layers;
    strata_result *results;
    strata_results_file *file; /* on rank 0 */
    size_t count;
};

static bool make_room(struct wanted *w, size_t count, strata_error *err)
{
    w->layers = calloc(count, sizeof *w->layers);
    w->results = calloc(count, sizeof *w->results);
    return (w->layers && w->results)
           || strata_command_fail(err, STRATA_EMEMORY, "out of memory");
}

static bool find_layers(const strata_model *model, const char *names, struct wanted *w, strata_error *err)
{
    const size_t all = strata_model_layer_count(model), room = all + strlen(names);
    if (!make_room(w, room, err)) return false;
    if (strcmp(names, "all") == 0) {
        for (; w->count < all; w->count++) w->layers[w->count] = strata_model_layer(model, w->count);
        return true;
    }
    while (*names) {
        char name[256];
        const size_t length = strcspn(names, ",");
        if (length == 0 || length >= sizeof name)
            return strata_command_fail(err, STRATA_EUSAGE,
                                       "--layers: names with commas between are expected");
        memcpy(name, names, length);
        name[length] = '\0';
        if (!(w->layers[w->count++] = strata_model_get_layer(model, name, err))) return false;
        names += length + (names[length] == ',');
    }
    return true;
}

static bool describe(const struct session *s, struct wanted *w, strata_error *err)
{
    for (size_t i = 0; i < w->count; i++) {
        strata_shape shape;
        if (!strata_session_shape(s, w->layers[i], &shape, err)) return false;
        strata_result *result = &w->results[i];
        *result = (strata_result){ .name = strata_layer_name(w->layers[i]), .rank = shape.rank + 1 };
        result->dim[0] = strata_data_count(s->data);
        for (int j = 0; j < shape.rank && j < 5; j++) result->dim[j + 1] = shape.dim[j];
    }
    return true;
}

static bool report(const struct command *c, const struct wanted *w, strata_error *err)
{
    for (size_t i = 0; i < w->count; i++) {
        strata_shape shape = { .rank = w->results[i].rank - 1 };
        for (int j = 0; j < shape.rank; j++) shape.dim[j] = w->results[i].dim[j + 1];
        char words[STRATA_SHAPE_WORDS];
        if (!c->json)
            strata_note(c, "%s: %zu x %s", w->results[i].name, w->results[i].dim[0],
                        strata_shape_words(&shape, false, words));
        else if (!strata_print_json(json_pack("{s:s, s:I, s:s}", "layer", w->results[i].name, "samples",
                                              (json_int_t)w->results[i].dim[0], "shape",
                                              strata_shape_words(&shape, false, words)),
                                    err))
            return false;
    }
    return true;
}

/* Only rank 0 writes. */
static bool put_rows(void *context, size_t output, size_t first, size_t count, const float *values, strata_error *err)
{
    const struct wanted *w = context;
    return !w->file || strata_results_append(w->file, output, first, count, values, err);
}

static bool begin(const struct command *c, const struct session *s, struct wanted *w, strata_error *err)
{
    const char *path = strata_command_option(c, "--output");
    if (!find_layers(s->model, strata_command_option(c, "--layers"), w, err)
        || !strata_results_writable(path, w->count, err) || !describe(s, w, err))
        return false;
    if (strata_launch_rank() == 0) w->file = strata_results_open(path, w->results, w->count, err);
    return strata_launch_rank() != 0 || w->file;
}

static bool extract(const struct command *c, const struct session *s, struct wanted *w, strata_error *err)
{
    if (!strata_session_agree(s, begin(c, s, w, err), err)
        || !strata_model_extract_rows(s->model, s->context, s->data, s->batch_size, w->layers, w->count, put_rows, w, err))
        return false;
    strata_results_file *file = w->file;
    w->file = NULL;
    return strata_session_agree(s, !file || strata_results_commit(file, err), err) && report(c, w, err);
}

static bool run(const struct command *c, strata_error *err)
{
    struct session s = { 0 };
    struct wanted w = { 0 };
    if (!strata_command_has(c, "--layers") || !strata_command_has(c, "--output"))
        return strata_command_fail(err, STRATA_EUSAGE, "extract: %s is missing; usage: strata extract %s",
                                   strata_command_has(c, "--layers") ? "-o" : "--layers", c->verb->usage);
    const bool ok = strata_session_open(c, &s, err) && extract(c, &s, &w, err);
    strata_results_close(w.file);
    free(w.results);
    free(w.layers);
    strata_session_close(&s);
    return ok;
}

static const struct option options[] = {
    { "--layers", 'l', "NAME[,NAME...]", "the layers, or all" },
    STRATA_DATA_OPTIONS,
    { "--output", 'o', "FILE", "an .h5 with an array a layer; one layer also as .npy or .csv" },
    { 0 },
};

extern const struct verb strata_verb_extract;
const struct verb strata_verb_extract = {
    .name = "extract",
    .usage = "MODEL --layers NAME[,NAME...] --data SOURCE -o OUT.h5",
    .summary = "the outputs of inner layers for every sample",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .collective = true,
    .run = run,
};
