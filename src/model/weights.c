/* Weights by number, of layers and of models, wherever their values are. */
#include <string.h>

#include "base/error.h"
#include "device/buffer.h"
#include "model/model_priv.h"
#include "model/params.h"

/* Counts down through the layer's weights and returns the one at *index, with its layer. */
static struct weight *find(strata_layer *layer, size_t *index, strata_layer **holder);

static struct weight *find_in_model(strata_model *model, size_t *index, strata_layer **holder)
{
    for (size_t i = 0; i < model->count; i++) {
        struct weight *weight = find(model->nodes[i].layer, index, holder);
        if (weight)
            return weight;
    }
    return NULL;
}

static struct weight *find(strata_layer *layer, size_t *index, strata_layer **holder)
{
    if (layer->model)
        return find_in_model(layer->model, index, holder);
    if (*index < (size_t)layer->weight_count) {
        *holder = layer;
        return &layer->weights[*index];
    }
    *index -= (size_t)layer->weight_count;
    return NULL;
}

const strata_layer *strata_layer_weight_holder(const strata_layer *layer, size_t *index)
{
    strata_layer *holder = NULL;
    find((strata_layer *)layer, index, &holder);
    return holder;
}

size_t strata_layer_weight_count(const strata_layer *layer)
{
    if (!layer->model)
        return (size_t)layer->weight_count;
    size_t count = 0;
    for (size_t i = 0; i < layer->model->count; i++)
        count += strata_layer_weight_count(layer->model->nodes[i].layer);
    return count;
}

bool strata_model_weight_count(const strata_model *model, size_t *count, strata_error *err)
{
    if (!model->built)
        return strata_fail(err, STRATA_EVALUE, "Weights for model '%s' have not yet been created. Weights are created when "
                           "the model is first called on inputs or strata_model_build() is called with an input shape.",
                           model->name);
    *count = 0;
    for (size_t i = 0; i < model->count; i++)
        *count += strata_layer_weight_count(model->nodes[i].layer);
    return true;
}

static strata_weight_info info_of(const struct weight *weight, const strata_layer *holder)
{
    if (!weight)
        return (strata_weight_info){ .name = "", .keras2 = "", .layer = "", .shape = { .rank = -1 } };
    return (strata_weight_info){
        .name = weight->spec.name,
        .keras2 = weight->spec.keras2 ? weight->spec.keras2 : weight->spec.name,
        .layer = holder->name ? holder->name : "",
        .shape = strata_public_shape(&weight->spec.shape),
        .count = strata_shape_count(&weight->spec.shape),
        .trainable = !weight->spec.statistic && strata_layer_effective_trainable(holder, false),
    };
}

strata_weight_info strata_layer_weight_info(const strata_layer *layer, size_t index)
{
    strata_layer *holder = NULL;
    const struct weight *weight = find((strata_layer *)layer, &index, &holder);
    return info_of(weight, holder);
}

strata_weight_info strata_model_weight_info(const strata_model *model, size_t index)
{
    strata_layer *holder = NULL;
    const struct weight *weight = find_in_model((strata_model *)model, &index, &holder);
    return info_of(weight, holder);
}

static bool check_count(const struct weight *weight, const strata_layer *holder, size_t count, strata_error *err)
{
    if (!weight)
        return strata_fail(err, STRATA_EVALUE, "there is no weight of that number; is the model built?");
    if (count != strata_shape_count(&weight->spec.shape)) {
        char text[STRATA_SHAPE_TEXT];
        return strata_fail(err, STRATA_ESHAPE, "%s/%s has shape %s, that is %zu numbers, not %zu", strata_layer_name(holder),
                           weight->spec.name, strata_shape_text(&weight->spec.shape, NULL, text),
                           strata_shape_count(&weight->spec.shape), count);
    }
    return true;
}

static bool get(const struct weight *weight, const strata_layer *holder, float *values, size_t count, strata_error *err)
{
    if (!check_count(weight, holder, count, err))
        return false;
    if (weight->host) {
        memcpy(values, weight->host, count * sizeof *values);
        return true;
    }
    const struct params *params = strata_layer_root(holder)->params;
    return count == 0 || strata_buffer_read(params->device, QUEUE_COMPUTE, params->weights, weight->offset * sizeof *values,
                                            count * sizeof *values, values, err);
}

bool strata_layer_queue_weight(strata_layer *layer, size_t index, float *values, size_t count, bool moving, strata_error *err)
{
    strata_layer *holder = NULL;
    const struct weight *weight = find(layer, &index, &holder);
    if (!weight || weight->host) return get(weight, holder, values, count, err);
    const struct params *params = strata_layer_root(holder)->params;
    if (!check_count(weight, holder, count, err)) return false;
    return weight->spec.statistic != moving
           || strata_buffer_read_async(params->device, moving ? QUEUE_COMPUTE : QUEUE_COPY, params->weights, weight->offset * sizeof *values,
                                       count * sizeof *values, values, NULL, err);
}

static bool set(struct weight *weight, const strata_layer *holder, const float *values, size_t count, strata_error *err)
{
    if (!check_count(weight, holder, count, err))
        return false;
    strata_model *root = strata_layer_root(holder);
    if (root)
        root->touched = true;
    if (holder->owner)
        holder->owner->touched = true;
    if (weight->host) {
        memcpy(weight->host, values, count * sizeof *values);
        return true;
    }
    root->params->version++;
    return count == 0 || strata_buffer_write(root->params->device, QUEUE_COMPUTE, root->params->weights,
                                             weight->offset * sizeof *values, count * sizeof *values, values, err);
}

bool strata_layer_get_weight(strata_layer *layer, size_t index, float *values, size_t count, strata_error *err)
{
    strata_layer *holder = NULL;
    const struct weight *weight = find(layer, &index, &holder);
    return get(weight, holder, values, count, err);
}

bool strata_layer_set_weight(strata_layer *layer, size_t index, const float *values, size_t count, strata_error *err)
{
    strata_layer *holder = NULL;
    struct weight *weight = find(layer, &index, &holder);
    return set(weight, holder, values, count, err);
}

bool strata_model_get_weight(strata_model *model, size_t index, float *values, size_t count, strata_error *err)
{
    strata_layer *holder = NULL;
    const struct weight *weight = find_in_model(model, &index, &holder);
    return get(weight, holder, values, count, err);
}

bool strata_model_set_weight(strata_model *model, size_t index, const float *values, size_t count, strata_error *err)
{
    strata_layer *holder = NULL;
    struct weight *weight = find_in_model(model, &index, &holder);
    return set(weight, holder, values, count, err);
}

bool strata_model_count_params(const strata_model *model, size_t *total, size_t *trainable, strata_error *err)
{
    size_t count = 0;
    if (!strata_model_weight_count(model, &count, err))
        return false;
    *total = *trainable = 0;
    for (size_t i = 0; i < count; i++) {
        const strata_weight_info info = strata_model_weight_info(model, i);
        *total += info.count;
        *trainable += info.trainable ? info.count : 0;
    }
    return true;
}
