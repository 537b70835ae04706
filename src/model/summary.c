#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/summary_priv.h"

size_t strata_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

size_t strata_text_bytes(const char *text, size_t characters)
{
    const char *at = text;
    while (*at && (((unsigned char)*at & 0xC0) == 0x80 || characters > 0)) {
        if (((unsigned char)*at & 0xC0) != 0x80)
            characters--;
        at++;
    }
    return (size_t)(at - text);
}

/* In a chain every node has one input, the node before it in order, and its output is used once. */
bool strata_summary_is_chain(const strata_model *model)
{
    if (model->sequential)
        return true;
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[model->order[i]];
        if (node->input_count != 1 || node->inputs[0] != (i == 0 ? MODEL_INPUT : model->order[i - 1]))
            return false;
    }
    return true;
}

struct summary_counts strata_summary_count(const strata_model *model)
{
    struct summary_counts counts = { 0 };
    for (size_t i = 0; i < model->count; i++) {
        const strata_layer *layer = model->nodes[i].layer;
        for (size_t w = 0; w < strata_layer_weight_count(layer); w++) {
            const strata_weight_info info = strata_layer_weight_info(layer, w);
            *(info.trainable ? &counts.trainable : &counts.fixed) += info.count;
        }
    }
    return counts;
}

const char *strata_summary_size(double bytes, const char *unit, char buffer[SUMMARY_SIZE])
{
    static const char *const larger[] = { "KB", "MB", "GB", "TB", "PB" };
    size_t i = 0;
    while (bytes >= 1024 && i < sizeof larger / sizeof *larger) {
        bytes /= 1024;
        unit = larger[i++];
    }
    snprintf(buffer, SUMMARY_SIZE, "%.2f %s", bytes, unit);
    return buffer;
}

const char *strata_summary_shape(const strata_layer *layer, bool own, char buffer[STRATA_SHAPE_TEXT])
{
    const struct strata_model *root = layer->owner;
    char batch[24] = "None";
    if (root && root->input.batch)
        snprintf(batch, sizeof batch, "%zu", root->input.batch);
    const struct strata_model *nested = own ? layer->model : NULL;
    return strata_shape_text(nested && nested->built ? &nested->nodes[nested->output].layer->out : &layer->out, batch, buffer);
}

size_t strata_summary_params(const strata_layer *layer)
{
    size_t params = 0;
    for (size_t w = 0; w < strata_layer_weight_count(layer); w++)
        params += strata_layer_weight_info(layer, w).count;
    return params;
}

char *strata_model_summary(const strata_model *model, const strata_summary_options *options, strata_error *err)
{
    const bool keras2 = options->style == STRATA_FLAVOUR_KERAS2;
    struct text out = { 0 };
    if (keras2 && !model->built) {
        strata_fail(err, STRATA_EVALUE, "This model has not yet been built. Build the model first by calling "
                    "strata_model_build() or by calling the model on a batch of data.");
        return NULL;
    }
    if (options->line_length < 0 || options->line_length > 10000 || (options->line_length > 0 && options->line_length < 40)) {
        strata_fail(err, STRATA_EVALUE, "line_length is %d; 40 to 10000 columns make a summary", options->line_length);
        return NULL;
    }
    (keras2 ? strata_summary_keras2 : strata_summary_keras3)(model, options, &out);
    return strata_text_take(&out, err);
}
