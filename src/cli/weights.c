/* strata weights: the weights of a model, or what differs between two. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

/* A model and how many weights it has. */
struct opened {
    strata_model *model;
    size_t count;
};

static bool open_model(const char *path, struct opened *o, strata_error *err)
{
    return (o->model = strata_model_load(path, err)) && strata_model_weight_count(o->model, &o->count, err);
}

static float *read_weight(const struct opened *o, size_t index, strata_error *err)
{
    const size_t count = strata_model_weight_info(o->model, index).count;
    float *values = calloc(count > 0 ? count : 1, sizeof *values);
    if (values && strata_model_get_weight(o->model, index, values, count, err)) return values;
    if (!values) strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    free(values);
    return NULL;
}

/* ---- listing --------------------------------------------------------------------------------------------------- */

struct moments {
    double norm, mean, deviation, least, most;
};

static struct moments moments(const float *values, size_t count)
{
    struct moments m = { .least = count ? (double)values[0] : 0, .most = count ? (double)values[0] : 0 };
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double v = (double)values[i];
        sum += v;
        squares += v * v;
        m.least = fmin(m.least, v);
        m.most = fmax(m.most, v);
    }
    m.norm = sqrt(squares);
    m.mean = count ? sum / (double)count : 0;
    m.deviation = count ? sqrt(fmax(0, squares / (double)count - m.mean * m.mean)) : 0;
    return m;
}

static bool list_one(const struct command *c, const strata_weight_info *w, const struct moments *m,
                     struct table *table, strata_error *err)
{
    char shape[STRATA_SHAPE_WORDS];
    const char *words = strata_shape_words(&w->shape, false, shape);
    if (c->json) {
        json_t *line =
            json_pack("{s:s, s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "layer", w->layer, "name", w->name, "shape", words,
                      "count", (json_int_t)w->count, "trainable", w->trainable, "norm", strata_json_number(m->norm),
                      "mean", strata_json_number(m->mean), "std", strata_json_number(m->deviation),
                      "min", strata_json_number(m->least), "max", strata_json_number(m->most));
        return strata_print_json(line, err);
    }
    strata_table_add(table, "%s/%s", w->layer, w->name);
    strata_table_add(table, "%s", words);
    strata_table_add(table, "%zu", w->count);
    strata_table_add(table, "%s", w->trainable ? "yes" : "no");
    const double numbers[] = { m->norm, m->mean, m->deviation, m->least, m->most };
    for (size_t j = 0; j < 5; j++) strata_table_add(table, "%.5g", numbers[j]);
    return true;
}

static bool list_all(const struct command *c, const struct opened *o, struct table *table, strata_error *err)
{
    for (size_t i = 0; i < o->count; i++) {
        const strata_weight_info info = strata_model_weight_info(o->model, i);
        float *values = read_weight(o, i, err);
        if (!values) return false;
        const struct moments m = moments(values, info.count);
        const bool ok = list_one(c, &info, &m, table, err);
        free(values);
        if (!ok) return false;
    }
    return true;
}

static bool list(const struct command *c, const struct opened *o, strata_error *err)
{
    static const char *const heads[] = { "weight", "shape", "count", "trains", "norm",
                                         "mean",   "std",   "min",   "max" };
    struct table table = { .columns = 9, .align = "llrlrrrrr" };
    size_t total, trainable;
    for (size_t j = 0; j < table.columns; j++) strata_table_add(&table, "%s", heads[j]);
    bool ok = list_all(c, o, &table, err) && strata_model_count_params(o->model, &total, &trainable, err);
    if (ok && !c->json) {
        ok = strata_table_print(&table, err);
        strata_print("\n%zu weights, %zu parameters, %zu of them trainable\n", o->count, total, trainable);
    }
    strata_table_free(&table);
    return ok;
}

/* ---- comparing ------------------------------------------------------------------------------------------------- */

struct difference {
    size_t elements; /* whose bits differ */
    double largest;  /* distance; infinite where one is not a number */
};

static struct difference compare(const float *a, const float *b, size_t count)
{
    struct difference d = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) == 0) continue;
        const double distance = fabs((double)a[i] - (double)b[i]);
        d.elements++;
        d.largest = isnan(distance) ? (double)INFINITY : fmax(d.largest, distance);
    }
    return d;
}

static bool same_shape(const strata_weight_info *a, const strata_weight_info *b)
{
    if (a->shape.rank != b->shape.rank) return false;
    for (int i = 0; i < a->shape.rank; i++)
        if (a->shape.dim[i] != b->shape.dim[i]) return false;
    return true;
}

static bool print_difference(const struct command *c, const strata_weight_info *w, const struct difference *d,
                             strata_error *err)
{
    if (c->json)
        return strata_print_json(json_pack("{s:s, s:s, s:I, s:I, s:o}", "layer", w->layer, "name", w->name,
                                           "count", (json_int_t)w->count, "differing",
                                           (json_int_t)d->elements, "largest", strata_json_number(d->largest)),
                                 err);
    if (d->elements > 0)
        strata_print("%s/%s: %zu of %zu numbers differ, by at most %.6g\n", w->layer, w->name, d->elements,
                     w->count, d->largest);
    return true;
}

/* Weights are matched by their order, as Keras's set_weights does: names may differ. */
static bool compare_weight(const struct command *c, const struct opened *a, const struct opened *b, size_t i,
                           size_t *differing, strata_error *err)
{
    const strata_weight_info wa = strata_model_weight_info(a->model, i),
                             wb = strata_model_weight_info(b->model, i);
    char sa[STRATA_SHAPE_WORDS], sb[STRATA_SHAPE_WORDS];
    if (!same_shape(&wa, &wb))
        return strata_command_fail(err, STRATA_ESHAPE, "%s/%s of %s has shape %s; %s/%s of %s has %s",
                                   wa.layer, wa.name, c->words[0], strata_shape_words(&wa.shape, false, sa),
                                   wb.layer, wb.name, strata_command_option(c, "--diff"),
                                   strata_shape_words(&wb.shape, false, sb));
    float *va = read_weight(a, i, err), *vb = va ? read_weight(b, i, err) : NULL;
    bool ok = vb != NULL;
    if (ok) {
        const struct difference d = compare(va, vb, wa.count);
        *differing += d.elements;
        ok = print_difference(c, &wa, &d, err);
    }
    free(va);
    free(vb);
    return ok;
}

static bool diff(const struct command *c, const struct opened *a, strata_error *err)
{
    const char *other = strata_command_option(c, "--diff");
    struct opened b = { 0 };
    size_t differing = 0;
    bool ok = open_model(other, &b, err);
    if (ok && a->count != b.count)
        ok = strata_command_fail(err, STRATA_ESHAPE, "%s has %zu weights; %s has %zu", c->words[0], a->count,
                                 other, b.count);
    for (size_t i = 0; ok && i < a->count; i++) ok = compare_weight(c, a, &b, i, &differing, err);
    strata_model_free(b.model);
    if (ok && differing > 0 && !c->json) strata_print("%zu numbers differ\n", differing);
    if (ok && differing == 0 && !c->json) strata_print("no bit differs\n");
    if (ok && differing > 0) *c->status = 1;
    return ok;
}

static bool run(const struct command *c, strata_error *err)
{
    struct opened o = { 0 };
    bool ok = open_model(c->words[0], &o, err);
    ok = ok && (strata_command_has(c, "--diff") ? diff(c, &o, err) : list(c, &o, err));
    strata_model_free(o.model);
    return ok;
}

static const struct option options[] = {
    { "--diff", 0, "OTHER", "compare with another model, weight by weight, bit by bit" },
    { 0 },
};

extern const struct verb strata_verb_weights;
const struct verb strata_verb_weights = {
    .name = "weights",
    .usage = "MODEL [--diff OTHER]",
    .summary = "names, shapes and norms of weights; what differs between two models",
    .details = "  With --diff the exit code is 1 when a bit differs.\n",
    .options = options,
    .words_least = 1,
    .words_most = 1,
    .run = run,
};
