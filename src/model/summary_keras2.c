/* The text of Keras 2's summary().
 * Source: tf_keras/src/utils/layer_utils.py, print_summary. */
#include <stdio.h>
#include <string.h>

#include "model/summary_priv.h"

struct page {
    struct text *out;
    const strata_summary_options *options;
    int width;
    int positions[SUMMARY_COLUMNS];
    int columns;
    bool chain;
};

static void repeat(struct text *out, const char *what, int times)
{
    for (int i = 0; i < times; i++)
        strata_text_add(out, "%s", what);
}

/* Bytes of `text` that go into a cell of `cutoff` characters: up to the end of the first "),", "},", "]," or "',". */
static size_t fit(const char *text, int cutoff)
{
    size_t bytes = strata_text_bytes(text, cutoff > 0 ? (size_t)cutoff : 0);
    for (size_t i = 0; i + 1 < bytes; i++)
        if (text[i + 1] == ',' && strchr(")}]'", text[i]))
            return i + 2;
    return bytes;
}

static void print_line(const struct page *page, const char **left, int nested)
{
    int used = 0;
    for (int column = 0; column < page->columns; column++) {
        const bool last = column == page->columns - 1;
        const int start = column > 0 ? page->positions[column - 1] : 0;
        int cutoff = page->positions[column] - start - (last ? 0 : 3);
        if (column == 0) {
            cutoff -= nested;
            repeat(page->out, "|", nested);
            strata_text_add(page->out, " ");
            used = nested + 1;
        }
        const size_t bytes = fit(left[column], cutoff);
        char cell[512];
        snprintf(cell, sizeof cell, "%.*s", (int)bytes, left[column]);
        strata_text_add(page->out, "%s%s", cell, last ? "" : "  ");
        used += (int)strata_text_width(cell) + (last ? 0 : 2);
        left[column] += bytes;
        const int pad = page->positions[column] - used - (last ? nested : 0);
        repeat(page->out, " ", pad);
        used += pad > 0 ? pad : 0;
    }
    repeat(page->out, "|", nested);
    strata_text_add(page->out, "\n");
}

static void print_row(const struct page *page, const char *const *fields, int nested)
{
    const char *left[SUMMARY_COLUMNS];
    bool more = true;
    memcpy(left, fields, (size_t)page->columns * sizeof *left);
    while (more) {
        print_line(page, left, nested);
        more = false;
        for (int i = 0; i < page->columns; i++)
            more = more || left[i][0];
    }
}

static void connections(const strata_layer *layer, char *buffer, size_t size)
{
    const strata_model *model = layer->owner;
    size_t used = (size_t)snprintf(buffer, size, "[");
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[i];
        for (int k = 0; node->layer == layer && k < node->input_count; k++)
            if (node->inputs[k] != MODEL_INPUT && used < size)
                used += (size_t)snprintf(buffer + used, size - used, "%s'%s[0][0]'", k ? ", " : "",
                                         model->nodes[node->inputs[k]].layer->name);
    }
    if (used < size)
        snprintf(buffer + used, size - used, "]");
}

static void print_layer(const struct page *page, const strata_layer *layer, int nested, bool nested_last);

static void bar(const struct page *page, int sides, const char *line)
{
    repeat(page->out, "|", sides);
    repeat(page->out, line, page->width - 2 * sides);
    repeat(page->out, "|", sides);
    strata_text_add(page->out, "\n");
}

static void print_nested(const struct page *page, const strata_model *model, int nested)
{
    bar(page, nested + 1, "\302\257");
    for (size_t i = 0; i < model->count; i++)
        print_layer(page, model->nodes[i].layer, nested + 1, i == model->count - 1);
    bar(page, nested, "\302\257");
}

static void print_layer(const struct page *page, const strata_layer *layer, int nested, bool nested_last)
{
    char name[512], shape[STRATA_SHAPE_TEXT], bracketed[STRATA_SHAPE_TEXT + 2], params[32], links[1024];
    const char *fields[SUMMARY_COLUMNS] = { name, bracketed, params };
    int count = 3;
    const bool input = layer->class && layer->class->host_only;
    snprintf(name, sizeof name, "%s (%s)", strata_layer_name(layer), strata_layer_class_name(layer));
    snprintf(bracketed, sizeof bracketed, input ? "[%s]" : "%s", strata_summary_shape(layer, true, shape));
    snprintf(params, sizeof params, "%zu", strata_summary_params(layer));
    if (!page->chain) {
        connections(layer, links, sizeof links);
        fields[count++] = links;
    }
    if (page->options->show_trainable)
        fields[count++] = layer->trainable ? "Y" : "N";
    print_row(page, fields, nested);
    const bool expand = page->options->expand_nested && layer->model && layer->model->count > 0;
    if (expand)
        print_nested(page, layer->model, nested);
    if (!nested_last && !expand)
        bar(page, nested, " ");
}

static struct page set_up(const strata_model *model, const strata_summary_options *options, struct text *out)
{
    static const double chain[] = { 0.45, 0.85, 1.0 }, graph[] = { 0.3, 0.6, 0.70, 1.0 };
    struct page page = { .out = out, .options = options, .chain = strata_summary_is_chain(model) };
    page.width = options->line_length ? options->line_length : page.chain ? 65 : 98;
    page.columns = page.chain ? 3 : 4;
    for (int i = 0; i < page.columns; i++)
        page.positions[i] = (int)(page.width * (page.chain ? chain[i] : graph[i]));
    if (options->show_trainable) {
        page.width += 11;
        page.positions[page.columns++] = page.width;
    }
    return page;
}

static void print_counts(const struct page *page, const strata_model *model)
{
    const struct summary_counts counts = strata_summary_count(model);
    const struct {
        const char *what;
        size_t count;
    } lines[] = { { "Total", counts.trainable + counts.fixed }, { "Trainable", counts.trainable }, { "Non-trainable", counts.fixed } };
    char size[SUMMARY_SIZE];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        strata_text_add(page->out, "%s params: %zu (%s)\n", lines[i].what, lines[i].count,
                        strata_summary_size(4.0 * (double)lines[i].count, "Byte", size));
}

void strata_summary_keras2(const strata_model *model, const strata_summary_options *options, struct text *out)
{
    const struct page page = set_up(model, options, out);
    const char *header[SUMMARY_COLUMNS] = { "Layer (type)", "Output Shape", "Param #", "Connected to" };
    if (options->show_trainable)
        header[page.columns - 1] = "Trainable";
    strata_text_add(out, "Model: \"%s\"\n", model->name);
    bar(&page, 0, "_");
    print_row(&page, header, 0);
    bar(&page, 0, "=");
    for (size_t i = 0; i < model->count; i++)
        print_layer(&page, model->nodes[i].layer, 0, false);
    bar(&page, 0, "=");
    print_counts(&page, model);
    bar(&page, 0, "_");
}
