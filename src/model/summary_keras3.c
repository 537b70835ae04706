/* The text of Keras 3's summary(), a table as the library rich draws it where there is no terminal.
 * Source: keras/src/utils/summary_utils.py; rich's table.py (widths), _wrap.py (lines), text.py (cutting). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/summary_priv.h"

enum { CONSOLE = 80 }; /* columns that rich assumes; what is wider is cut */

enum align { LEFT, RIGHT, CENTER };

struct table {
    struct text *out;
    const strata_summary_options *options;
    int columns, width[SUMMARY_COLUMNS]; /* of the cells' text */
    enum align align[SUMMARY_COLUMNS];
    bool chain;
};

/* rich takes too much width from all columns alike, rounding half to even. */
static void shrink(struct table *table, int line_length)
{
    int sum = 0, room = line_length - (table->columns + 1);
    for (int i = 0; i < table->columns; i++)
        sum += table->width[i] += 2;
    int excess = sum - room, columns = table->columns;
    for (int i = 0; i < table->columns; i++) {
        if (excess > 0) {
            int part = (int)nearbyint((double)excess / columns);
            part = part < table->width[i] ? part : table->width[i];
            table->width[i] -= part;
            excess -= part;
            columns--;
        }
        table->width[i] -= 2;
    }
}

static struct table set_up(const strata_model *model, const strata_summary_options *options, struct text *out)
{
    static const double chain[] = { 0.45, 0.80, 1.0 }, graph[] = { 0.3, 0.56, 0.74, 1.0 };
    static const enum align chain_align[] = { LEFT, LEFT, RIGHT, CENTER }, graph_align[] = { LEFT, LEFT, RIGHT, LEFT, CENTER };
    struct table table = { .out = out, .options = options, .chain = strata_summary_is_chain(model) };
    const int line_length = options->line_length ? options->line_length : CONSOLE - 4;
    int count = table.chain ? 3 : 4, current = 0;
    table.columns = count + options->show_trainable;
    for (int i = 0; i < table.columns; i++) {
        double position = i == count ? 1.0 : (table.chain ? chain : graph)[i];
        if (options->show_trainable && i < count)
            position *= 0.90;
        table.width[i] = (int)(position * line_length) - current;
        current += table.width[i];
        table.align[i] = (table.chain ? chain_align : graph_align)[i];
    }
    shrink(&table, line_length);
    return table;
}

/* Bytes of the next line of a cell: whole words that fit, at least one word even if it is too long. */
static size_t next_line(const char *text, int width)
{
    size_t used = 0, bytes = 0;
    while (text[bytes]) {
        size_t end = bytes + strspn(text + bytes, " ");
        end += strcspn(text + end, " ");
        char word[1024];
        snprintf(word, sizeof word, "%.*s", (int)(end - bytes), text + bytes);
        const size_t after = end + strspn(text + end, " ");
        if (bytes > 0 && used + strata_text_width(word) > (size_t)width)
            break;
        used += strata_text_width(word) + (after - end);
        bytes = after;
    }
    return bytes;
}

/* One line of a cell, cut with an ellipsis where it is too wide, and padded. */
static void print_piece(struct text *line, const char *piece, size_t bytes, int width, enum align align)
{
    char cell[1200];
    while (bytes > 0 && piece[bytes - 1] == ' ')
        bytes--;
    snprintf(cell, sizeof cell, "%.*s", (int)bytes, piece);
    if (strata_text_width(cell) > (size_t)width) {
        cell[strata_text_bytes(cell, width > 0 ? (size_t)width - 1 : 0)] = '\0';
        snprintf(cell + strlen(cell), sizeof cell - strlen(cell), "\342\200\246");
    }
    const int pad = width - (int)strata_text_width(cell);
    const int before = align == LEFT ? 0 : align == RIGHT ? pad : pad / 2;
    strata_text_add(line, " %*s%s%*s ", before, "", cell, pad - before, "");
}

static void finish_line(const struct table *table, struct text *line)
{
    if (line->data)
        strata_text_add_bytes(table->out, line->data, strata_text_bytes(line->data, CONSOLE));
    strata_text_add(table->out, "\n");
    strata_text_free(line);
}

static void print_row(const struct table *table, const char *const *fields, const char *side)
{
    const char *left[SUMMARY_COLUMNS];
    memcpy(left, fields, (size_t)table->columns * sizeof *left);
    bool more = true;
    while (more) {
        struct text line = { 0 };
        more = false;
        for (int i = 0; i < table->columns; i++) {
            const size_t bytes = next_line(left[i], table->width[i]);
            strata_text_add(&line, "%s", side);
            print_piece(&line, left[i], bytes, table->width[i], table->align[i]);
            left[i] += bytes;
            more = more || left[i][0];
        }
        strata_text_add(&line, "%s", side);
        finish_line(table, &line);
    }
}

/* A rule, such as "left" dash dash "middle" dash "right". */
static void print_rule(const struct table *table, const char *left, const char *dash, const char *middle, const char *right)
{
    struct text line = { 0 };
    for (int i = 0; i < table->columns; i++) {
        strata_text_add(&line, "%s", i == 0 ? left : middle);
        for (int k = 0; k < table->width[i] + 2; k++)
            strata_text_add(&line, "%s", dash);
    }
    strata_text_add(&line, "%s", right);
    finish_line(table, &line);
}

/* 1234567 as "1,234,567". */
static void grouped(size_t n, char buffer[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%zu", n);
    int used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer[used++] = ',';
        buffer[used++] = digits[i];
    }
    buffer[used] = '\0';
}

static void connections(const strata_layer *layer, char *buffer, size_t size)
{
    const strata_model *model = layer->owner;
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[i];
        for (int k = 0; node->layer == layer && k < node->input_count; k++)
            if (node->inputs[k] != MODEL_INPUT && used < size)
                used += (size_t)snprintf(buffer + used, size - used, "%s%s[0][0]", k ? ", " : "",
                                         model->nodes[node->inputs[k]].layer->name);
    }
    if (!buffer[0])
        snprintf(buffer, size, "-");
}

static void print_layer(const struct table *table, const strata_layer *layer, int nested, bool first)
{
    char name[512], shape[STRATA_SHAPE_TEXT], params[48], links[1024];
    const char *fields[SUMMARY_COLUMNS] = { name, layer->built ? shape : "?", params };
    int count = 3;
    if (!first)
        print_rule(table, "├", "─", "┼", "┤");
    snprintf(name, sizeof name, "%*s%s%s (%s)", 3 * nested, "", nested ? "└ " : "", strata_layer_name(layer),
             strata_layer_class_name(layer));
    if (layer->built)
        strata_summary_shape(layer, false, shape);
    grouped(strata_summary_params(layer), params);
    if (!layer->built)
        snprintf(params, sizeof params, "0 (unbuilt)");
    if (!table->chain) {
        connections(layer, links, sizeof links);
        fields[count++] = links;
    }
    if (table->options->show_trainable)
        fields[count++] = strata_layer_weight_count(layer) == 0 ? "-" : layer->trainable ? "Y" : "N";
    print_row(table, fields, "│");
    for (size_t i = 0; table->options->expand_nested && layer->model && i < layer->model->count; i++)
        print_layer(table, layer->model->nodes[i].layer, nested + 1, false);
}

static void print_count(struct text *out, const char *what, size_t count, double bytes)
{
    char number[32], size[SUMMARY_SIZE];
    grouped(count, number);
    strata_text_add(out, " %s params: %s (%s)\n", what, number, strata_summary_size(bytes, "B", size));
}

void strata_summary_keras3(const strata_model *model, const strata_summary_options *options, struct text *out)
{
    struct table table = set_up(model, options, out);
    const char *header[SUMMARY_COLUMNS] = { "Layer (type)", "Output Shape", "Param #", "Connected to" };
    if (options->show_trainable)
        header[table.columns - 1] = "Trainable";
    strata_text_add(out, "Model: \"%s\"\n", model->name);
    print_rule(&table, "┏", "━", "┳", "┓");
    print_row(&table, header, "┃");
    print_rule(&table, "┡", "━", "╇", "┩");
    for (size_t i = 0; i < model->count; i++)
        print_layer(&table, model->nodes[i].layer, 0, i == 0);
    print_rule(&table, "└", "─", "┴", "┘");
    const struct summary_counts counts = strata_summary_count(model);
    const size_t own = counts.trainable + counts.fixed;
    print_count(out, "Total", own + options->optimizer_params, 4.0 * (double)own + (double)options->optimizer_bytes);
    print_count(out, "Trainable", counts.trainable, 4.0 * (double)counts.trainable);
    print_count(out, "Non-trainable", counts.fixed, 4.0 * (double)counts.fixed);
    if (options->optimizer_params)
        print_count(out, "Optimizer", options->optimizer_params, (double)options->optimizer_bytes);
}
