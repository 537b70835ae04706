/* Bases: a model up to one of its layers, and its features pooled. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/model_priv.h"
#include "model/params.h"

static bool may_change(strata_model *model, strata_error *err)
{
    if (model->wrapper)
        return strata_fail(err, STRATA_EVALUE, "model %s is a layer of another model; it can be cut before that only", model->name);
    if (!model->built)
        return strata_fail(err, STRATA_EVALUE, "model %s is not built; give it an input shape first", model->name);
    return strata_params_unbind(model, err);
}

/* Marks what the node needs, itself too. Cycles were refused when the model was read. */
static void mark_needed(const struct strata_model *model, int index, bool *needed)
{
    const struct node *node = &model->nodes[index];
    if (needed[index])
        return;
    needed[index] = true;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i] != MODEL_INPUT)
            mark_needed(model, node->inputs[i], needed);
}

/* Drops all other nodes; those that stay keep their order. */
static void keep_needed(strata_model *model, const bool *needed, int *moved)
{
    size_t kept = 0;
    for (size_t i = 0; i < model->count; i++)
        moved[i] = needed[i] ? (int)kept++ : MODEL_INPUT;
    for (size_t i = 0; i < model->count; i++) {
        struct node node = model->nodes[i];
        if (!needed[i]) {
            strata_layer_free(node.layer);
            free(node.inputs);
            continue;
        }
        for (int k = 0; k < node.input_count; k++)
            if (node.inputs[k] != MODEL_INPUT)
                node.inputs[k] = moved[node.inputs[k]];
        model->nodes[moved[i]] = node;
    }
    model->count = kept;
}

static bool end_at(strata_model *model, int output, strata_error *err)
{
    model->output = output;
    if (model->outputs) {
        model->outputs[0] = output;
        model->output_count = 1;
    }
    strata_model_set_training(model, NULL, NULL);
    return strata_model_sort(model, err);
}

bool strata_model_cut(strata_model *model, const char *layer, strata_error *err)
{
    if (!may_change(model, err) || !strata_model_get_layer(model, layer, err))
        return false;
    bool *needed = strata_alloc(model->count, sizeof *needed, err);
    int *moved = needed ? strata_alloc(model->count, sizeof *moved, err) : NULL, index = 0;
    while (strcmp(model->nodes[index].layer->name, layer) != 0)
        index++;
    bool ok = moved != NULL;
    if (ok) {
        mark_needed(model, index, needed);
        keep_needed(model, needed, moved);
        ok = end_at(model, moved[index], err);
    }
    free(needed);
    free(moved);
    return ok;
}

bool strata_model_pool(strata_model *model, strata_pooling pooling, strata_error *err)
{
    const int last = model->output;
    if (!may_change(model, err))
        return false;
    const int rank = model->nodes[last].layer->out.rank;
    if (rank != 2 && rank != 3)
        return strata_fail(err, STRATA_ESHAPE, "model %s: its output has %d axes besides the batch; only (h, w, channels) and "
                           "(steps, channels) can be pooled", model->name, rank);
    const char *const classes[2][2] = { { "GlobalAveragePooling1D", "GlobalMaxPooling1D" },
                                        { "GlobalAveragePooling2D", "GlobalMaxPooling2D" } };
    strata_layer *layer = strata_layer_create(classes[rank - 2][pooling == STRATA_POOLING_MAX], NULL, err);
    return layer && strata_model_append(model, layer, &last, 1, err)
        && strata_model_build_layers(model, err) && end_at(model, (int)model->count - 1, err);
}
