#include "model/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "device/buffer.h"
#include "model/model_priv.h"

enum { ALIGNMENT = 16 }; /* elements; a tensor begins on a cache line and on any vector's boundary */

struct layers {
    strata_layer **items;
    size_t count, room;
};

static bool collect(void *context, strata_layer *layer, strata_error *err)
{
    struct layers *layers = context;
    void *items = layers->items;
    if (!strata_reserve(&items, &layers->room, layers->count + 1, sizeof *layers->items, err))
        return false;
    layers->items = items;
    layers->items[layers->count++] = layer;
    return true;
}

static bool trains(const strata_layer *layer, int weight)
{
    return !layer->weights[weight].spec.statistic && strata_layer_effective_trainable(layer, true);
}

/* A moving statistic that training moves: not one of a layer that is in inference mode because it is frozen. */
static bool moves(const strata_layer *layer, int weight)
{
    return layer->weights[weight].spec.statistic
        && (!layer->class->trainable_inference || strata_layer_effective_trainable(layer, true));
}

static size_t rounded(size_t elements)
{
    return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Appends the layer's weights that train, or those that don't, to the arena. */
static void place(struct params *params, strata_layer *layer, bool trainable)
{
    for (int i = 0; i < layer->weight_count; i++) {
        struct weight *weight = &layer->weights[i];
        if (trains(layer, i) != trainable)
            continue;
        struct param *param = &params->list[params->count++];
        *param = (struct param){
            .layer = layer, .index = i, .name = weight->spec.name, .shape = weight->spec.shape, .offset = params->total,
            .count = strata_shape_count(&weight->spec.shape), .trainable = trainable, .statistic = moves(layer, i),
            .synchronized = weight->spec.synchronized,
            .regularizer = weight->spec.regularizer, .constraint = weight->spec.constraint,
        };
        weight->offset = param->offset;
        params->total += rounded(param->count);
        if (!trainable || !weight->spec.squares)
            continue;
        param->squares = params->total;
        params->total += rounded(param->count);
    }
}

/* Layers in backward order, each bucket closed once it is large enough. */
static bool place_trainable(struct params *params, const struct layers *layers, size_t bucket_bytes, strata_error *err)
{
    params->buckets = strata_alloc(layers->count, sizeof *params->buckets, err);
    if (!params->buckets)
        return false;
    size_t begin = 0;
    for (size_t i = layers->count; i-- > 0;) {
        place(params, layers->items[i], true);
        const size_t bytes = (params->total - begin) * sizeof(float);
        if (params->total > begin && (i == 0 || (bucket_bytes > 0 && bytes >= bucket_bytes))) {
            params->buckets[params->bucket_count++] = (struct bucket){ begin, params->total };
            begin = params->total;
        }
    }
    if (params->total > begin)
        params->buckets[params->bucket_count++] = (struct bucket){ begin, params->total };
    params->trainable = params->total;
    params->trainable_params = params->count;
    return true;
}

/* model.trainable_variables in Keras's order: layer after layer, from the arena's list that runs backward. */
static bool order_as_model(struct params *params, const strata_model *model, strata_error *err)
{
    size_t count = 0, placed = 0;
    params->model_order = strata_alloc(params->trainable_params, sizeof *params->model_order, err);
    if (!params->model_order || !strata_model_weight_count(model, &count, err))
        return false;
    for (size_t layer = 0; layer < model->count; layer++) {
        const strata_layer *top = model->nodes[layer].layer;
        const size_t weights = strata_layer_weight_count(top);
        for (size_t w = 0; w < weights; w++) {
            size_t index = w;
            const strata_layer *holder = strata_layer_weight_holder(top, &index);
            for (size_t p = 0; p < params->trainable_params; p++)
                if (params->list[p].layer == holder && params->list[p].index == (int)index)
                    params->model_order[placed++] = p;
        }
    }
    return true;
}

static bool fill_arena(struct params *params, strata_error *err)
{
    float *host = strata_alloc(params->total, sizeof *host, err);
    bool ok = host != NULL;
    for (size_t i = 0; ok && i < params->count; i++) {
        const struct param *param = &params->list[i];
        memcpy(host + param->offset, param->layer->weights[param->index].host, param->count * sizeof *host);
    }
    ok = ok && strata_buffer_write(params->device, QUEUE_COMPUTE, params->weights, 0, params->total * sizeof *host, host, err);
    free(host);
    return ok;
}

static void release(struct params *params)
{
    if (!params)
        return;
    strata_buffer_free(params->weights);
    strata_buffer_free(params->gradients);
    free(params->list);
    free(params->model_order);
    free(params->buckets);
    free(params);
}

static bool lay_out(struct params *params, const struct layers *layers, size_t bucket_bytes, strata_error *err)
{
    size_t weights = 0;
    for (size_t i = 0; i < layers->count; i++)
        weights += (size_t)layers->items[i]->weight_count;
    params->list = strata_alloc(weights, sizeof *params->list, err);
    if (!params->list || !place_trainable(params, layers, bucket_bytes, err))
        return false;
    for (size_t i = 0; i < layers->count; i++)
        place(params, layers->items[i], false);
    return true;
}

static bool make_arenas(struct params *params, bool gradients, strata_error *err)
{
    const size_t bytes = (params->total ? params->total : ALIGNMENT) * sizeof(float);
    params->weights = strata_buffer_create(params->device, bytes, err);
    if (!params->weights)
        return false;
    if (gradients && params->trainable > 0) {
        params->gradients = strata_buffer_create(params->device, params->trainable * sizeof(float), err);
        return params->gradients != NULL;
    }
    return true;
}

/* From now on the values live in the arena. */
static void forget_host(struct params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        struct weight *weight = &((strata_layer *)params->list[i].layer)->weights[params->list[i].index];
        free(weight->host);
        weight->host = NULL;
    }
}

struct params *strata_params_bind(strata_model *model, struct device *device, bool gradients, size_t bucket_bytes,
                                  strata_error *err)
{
    size_t count;
    struct layers layers = { 0 };
    if (!strata_model_weight_count(model, &count, err) || !strata_model_fits_device(model, device, err) || !strata_params_unbind(model, err))
        return NULL;
    if (!model->snapped)
        strata_model_snapshot_trainable(model);
    struct params *params = strata_alloc(1, sizeof *params, err);
    bool ok = params != NULL && strata_model_walk(model, collect, &layers, err);
    if (ok)
        params->device = device;
    ok = ok && lay_out(params, &layers, bucket_bytes, err) && order_as_model(params, model, err)
      && make_arenas(params, gradients, err) && (params->total == 0 || fill_arena(params, err));
    free(layers.items);
    if (!ok) {
        release(params);
        return NULL;
    }
    forget_host(params);
    model->params = params;
    model->touched = true;
    return params;
}

struct params *strata_model_params(strata_model *model)
{
    return model->params;
}

bool strata_params_unbind(strata_model *model, strata_error *err)
{
    struct params *params = model->params;
    if (!params)
        return true;
    float *host = strata_alloc(params->total, sizeof *host, err);
    bool ok = host && (params->total == 0 || strata_buffer_read(params->device, QUEUE_COMPUTE, params->weights, 0,
                                                                params->total * sizeof *host, host, err));
    for (size_t i = 0; ok && i < params->count; i++) {
        struct weight *weight = &((strata_layer *)params->list[i].layer)->weights[params->list[i].index];
        weight->host = strata_alloc(params->list[i].count, sizeof *host, err);
        ok = weight->host != NULL;
        if (ok)
            memcpy(weight->host, host + params->list[i].offset, params->list[i].count * sizeof *host);
    }
    free(host);
    if (ok) {
        release(params);
        model->params = NULL;
    }
    return ok;
}

void strata_params_discard(strata_model *model)
{
    release(model->params);
    model->params = NULL;
}

struct view strata_param_view(const struct params *params, const struct param *param)
{
    return (struct view){ .buffer = params->weights, .offset = param->offset, .shape = param->shape };
}

struct view strata_param_gradient(const struct params *params, const struct param *param)
{
    return (struct view){ .buffer = params->gradients, .offset = param->offset, .shape = param->shape };
}

bool strata_model_fingerprint(strata_model *model, uint64_t *fingerprint, strata_error *err)
{
    size_t count = 0;
    uint64_t hash = 14695981039346656037u; /* FNV-1a over the words */
    bool ok = strata_model_weight_count(model, &count, err);
    for (size_t i = 0; ok && i < count; i++) {
        const size_t elements = strata_model_weight_info(model, i).count;
        uint32_t *words = strata_alloc(elements, sizeof *words, err);
        ok = words && strata_model_get_weight(model, i, (float *)words, elements, err);
        for (size_t w = 0; ok && w < elements; w++)
            hash = (hash ^ words[w]) * 1099511628211u;
        free(words);
    }
    *fingerprint = hash;
    return ok;
}
