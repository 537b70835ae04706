#include "cli/report.h"

#include <stdint.h>
#include <stdlib.h>

#include "cli/output.h"

/* counts[true * classes + predicted]. */
struct confusion {
    size_t classes, samples;
    size_t *counts;
};

static size_t largest(const float *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

/* The class that a label names: an index, or the largest of a one-hot row; SIZE_MAX when it is none. */
static size_t label_class(const strata_array *y, size_t sample, size_t classes)
{
    const size_t width = y->rank > 1 ? y->dim[1] : 1;
    double index = -1;
    if (width > 1)
        return width == classes && y->type == STRATA_FLOAT32
                   ? largest((const float *)y->values + sample * width, width)
                   : SIZE_MAX;
    switch (y->type) {
    case STRATA_FLOAT32:
        index = (double)((const float *)y->values)[sample];
        break;
    case STRATA_UINT8:
        index = ((const uint8_t *)y->values)[sample];
        break;
    case STRATA_INT32:
        index = ((const int32_t *)y->values)[sample];
        break;
    case STRATA_INT64:
        index = (double)((const int64_t *)y->values)[sample];
        break;
    }
    return index >= 0 && index < (double)classes ? (size_t)index : SIZE_MAX;
}

static bool count(const struct session *s, const float *predictions, struct confusion *m, strata_error *err)
{
    strata_shape out;
    if (!strata_session_shape(s, NULL, &out, err)) return false;
    const strata_array y = strata_data_y(s->data);
    const size_t width = out.rank == 1 ? out.dim[0] : 0;
    if (width == 0 || !y.values || y.rank > 2)
        return strata_command_fail(err, STRATA_ESHAPE,
                                   "--report needs a model whose output is one row of classes, and "
                                   "data with labels");
    *m = (struct confusion){ .classes = width == 1 ? 2 : width, .samples = strata_data_count(s->data) };
    m->counts = calloc(m->classes * m->classes, sizeof *m->counts);
    if (!m->counts) return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    for (size_t i = 0; i < m->samples; i++) {
        const float *row = predictions + i * width;
        const size_t truth = label_class(&y, i, m->classes),
                     guess = width == 1 ? row[0] > 0.5f : largest(row, width);
        if (truth == SIZE_MAX)
            return strata_command_fail(err, STRATA_EFILE,
                                       "%s: the label of sample %zu is none of %zu classes",
                                       strata_data_name(s->data), i, m->classes);
        m->counts[truth * m->classes + guess]++;
    }
    return true;
}

struct scores {
    double precision, recall, f1;
    size_t support;
};

static double ratio(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static struct scores scores(const struct confusion *m, size_t class)
{
    size_t guessed = 0, support = 0;
    const size_t right = m->counts[class * m->classes + class];
    for (size_t i = 0; i < m->classes; i++) {
        guessed += m->counts[i * m->classes + class];
        support += m->counts[class * m->classes + i];
    }
    struct scores s = { ratio(right, guessed), ratio(right, support), 0, support };
    if (s.precision + s.recall > 0) s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall);
    return s;
}

static bool print_lines(const struct confusion *m, strata_error *err)
{
    for (size_t i = 0; i < m->classes; i++) {
        const struct scores s = scores(m, i);
        json_t *row = json_array();
        for (size_t j = 0; row && j < m->classes; j++)
            json_array_append_new(row, json_integer((json_int_t)m->counts[i * m->classes + j]));
        if (!strata_print_json(json_pack("{s:I, s:f, s:f, s:f, s:I, s:o}", "class", (json_int_t)i,
                                         "precision", s.precision, "recall", s.recall, "f1", s.f1, "support",
                                         (json_int_t)s.support, "predicted_as", row),
                               err))
            return false;
    }
    return true;
}

static bool print_scores(const struct confusion *m, strata_error *err)
{
    static const char *const heads[] = { "class", "precision", "recall", "F1", "samples" };
    struct table table = { .columns = 5, .align = "rrrrr" };
    for (size_t j = 0; j < 5; j++) strata_table_add(&table, "%s", heads[j]);
    for (size_t i = 0; i < m->classes; i++) {
        const struct scores s = scores(m, i);
        strata_table_add(&table, "%zu", i);
        strata_table_add(&table, "%.4f", s.precision);
        strata_table_add(&table, "%.4f", s.recall);
        strata_table_add(&table, "%.4f", s.f1);
        strata_table_add(&table, "%zu", s.support);
    }
    strata_print("\n");
    return strata_table_print(&table, err);
}

/* Up to so many classes a matrix can be read on a screen. */
enum { MOST_COLUMNS = 30 };

static bool print_matrix(const struct confusion *m, strata_error *err)
{
    char align[MOST_COLUMNS + 2];
    struct table table = { .columns = m->classes + 1, .align = align };
    if (m->classes > MOST_COLUMNS) return true;
    for (size_t j = 0; j <= m->classes; j++) align[j] = 'r';
    strata_print("\nrows: the true class; columns: the predicted one\n");
    strata_table_add(&table, "%s", "");
    for (size_t j = 0; j < m->classes; j++) strata_table_add(&table, "%zu", j);
    for (size_t i = 0; i < m->classes; i++) {
        strata_table_add(&table, "%zu", i);
        for (size_t j = 0; j < m->classes; j++)
            strata_table_add(&table, "%zu", m->counts[i * m->classes + j]);
    }
    return strata_table_print(&table, err);
}

bool strata_report_print(const struct command *c, const struct session *s, const float *predictions,
                         strata_error *err)
{
    struct confusion m = { 0 };
    bool ok = count(s, predictions, &m, err);
    if (ok && c->json)
        ok = print_lines(&m, err);
    else if (ok)
        ok = print_scores(&m, err) && print_matrix(&m, err);
    free(m.counts);
    return ok;
}
