/* The trainable flags of a model's layers. */
#include <string.h>

#include "base/text.h"
#include "model/model_priv.h"

void strata_model_set_trainable(strata_model *model, bool trainable)
{
    model->trainable = trainable;
    if (model->wrapper)
        model->wrapper->trainable = trainable;
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[i].layer;
        layer->trainable = trainable;
        if (layer->model)
            strata_model_set_trainable(layer->model, trainable);
    }
}

/* Flags of layers below `prefix` ("base/") whose path matches; a model that matches as a whole sets all inside. */
static size_t set_matching(strata_model *model, const char *prefix, const char *pattern, bool trainable)
{
    size_t matched = 0;
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[i].layer;
        struct text path = { 0 };
        strata_text_add(&path, "%s%s", prefix, layer->name);
        if (path.data && strata_glob(pattern, path.data)) {
            strata_layer_set_trainable(layer, trainable);
            matched++;
        } else if (path.data && layer->model) {
            strata_text_add(&path, "/");
            const size_t inside = set_matching(layer->model, path.data, pattern, trainable);
            /* Something inside is to be trained, so the models around it must let it. */
            if (inside > 0 && trainable)
                layer->trainable = layer->model->trainable = true;
            matched += inside;
        }
        strata_text_free(&path);
    }
    return matched;
}

size_t strata_model_set_trainable_by_name(strata_model *model, const char *pattern, bool trainable)
{
    return set_matching(model, "", pattern, trainable);
}

static void snapshot(strata_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[i].layer;
        layer->snapshot = layer->trainable;
        if (layer->model)
            snapshot(layer->model);
    }
    model->snapped = true;
}

void strata_model_snapshot_trainable(strata_model *model)
{
    snapshot(model);
}

static bool changed(const strata_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        const strata_layer *layer = model->nodes[i].layer;
        if (layer->snapshot != layer->trainable || (layer->model && changed(layer->model)))
            return true;
    }
    return false;
}

bool strata_model_trainable_changed(const strata_model *model)
{
    return model->snapped && changed(model);
}

bool strata_layer_matches(const strata_layer *layer, const char *pattern)
{
    const strata_layer *around[64]; /* outermost last */
    int depth = 0;
    struct text path = { 0 };
    bool matches = false;
    for (const strata_layer *at = layer; at && depth < 64; at = at->owner ? at->owner->wrapper : NULL)
        around[depth++] = at;
    while (depth-- > 0 && !matches) {
        strata_text_add(&path, "%s%s", path.length ? "/" : "", around[depth]->name);
        matches = path.data && strata_glob(pattern, path.data);
    }
    strata_text_free(&path);
    return matches;
}

size_t strata_model_count_matching(const strata_model *model, const char *pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < model->count; i++) {
        const strata_layer *layer = model->nodes[i].layer;
        if (strata_layer_matches(layer, pattern))
            count++;
        else if (layer->model)
            count += strata_model_count_matching(layer->model, pattern);
    }
    return count;
}
