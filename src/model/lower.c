#include "model/lower.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static int lower_model(struct flat_list *list, strata_model *model, int input, bool training, strata_error *err);

enum { FAILED = -2 };

static const struct shape *shape_of(const struct flat_list *list, int index)
{
    return index == MODEL_INPUT ? &list->input : &list->items[index].out;
}

/* What is kept in an input's memory is kept as that. */
static enum storage storage_of(const struct flat_list *list, int index)
{
    return index == MODEL_INPUT ? STORAGE_FLOAT32 : list->items[index].storage;
}

/* The shapes of what the node reads and makes. */
static bool settle_shapes(const struct flat_list *list, struct flat *flat, const int *inputs, int count, strata_error *err)
{
    for (int i = 0; i < count; i++)
        flat->in[i] = *shape_of(list, inputs[i]);
    flat->in[count].rank = -1;
    flat->out = flat->in[0];
    return flat->kind != FLAT_LAYER || strata_layer_infer(flat->layer, flat->in, (size_t)count, &flat->out, err);
}

static bool make_room(struct flat_list *list, strata_error *err)
{
    void *items = list->items;
    const bool ok = strata_reserve(&items, &list->room, list->count + 1, sizeof *list->items, err);
    list->items = items;
    return ok;
}

static int append(struct flat_list *list, struct flat flat, const int *inputs, int count, strata_error *err)
{
    flat.inputs = strata_alloc((size_t)count, sizeof *inputs, err);
    flat.in = flat.inputs ? strata_alloc((size_t)count + 1, sizeof *flat.in, err) : NULL;
    if (!flat.in || !make_room(list, err) || !settle_shapes(list, &flat, inputs, count, err)) {
        free(flat.inputs);
        free(flat.in);
        return FAILED;
    }
    memcpy(flat.inputs, inputs, (size_t)count * sizeof *inputs);
    flat.input_count = count;
    if (flat.view)
        flat.storage = storage_of(list, inputs[0]);
    list->items[list->count] = flat;
    return (int)list->count++;
}

static bool note_end(struct flat_list *list, const strata_layer *layer, int index, strata_error *err)
{
    void *ends = list->ends;
    if (!strata_reserve(&ends, &list->end_room, list->end_count + 1, sizeof *list->ends, err))
        return false;
    list->ends = ends;
    list->ends[list->end_count++] = (struct flat_end){ layer, index };
    return true;
}

/* The activation that the whole layer is; ACTIVATION_KINDS when it is more than that. */
static enum activation_kind pure_activation(const strata_layer *layer)
{
    return layer->class->acts_as ? layer->class->acts_as(layer->config, layer->in) : ACTIVATION_KINDS;
}

enum activation_kind strata_lower_activation(const strata_layer *layer)
{
    const struct layer_class *class = layer->class;
    const enum activation_kind pure = pure_activation(layer);
    if (pure != ACTIVATION_KINDS)
        return pure;
    return class->activation ? *(const int *)((const char *)layer->config + class->activation - 1) : ACTIVATION_LINEAR;
}

const struct object *strata_lower_penalty(const strata_layer *layer)
{
    if (!layer->class->activity_regularizer)
        return NULL;
    const struct object *object = (const void *)((const char *)layer->config + layer->class->activity_regularizer - 1);
    return object->class ? object : NULL;
}

/* The layer's own work, then its activation, then its penalty; returns the last node. */
static int lower_plain(struct flat_list *list, const strata_layer *layer, const int *inputs, int count, bool training,
                       strata_error *err)
{
    const struct layer_class *class = layer->class;
    const bool frozen = class->trainable_inference && !strata_layer_effective_trainable(layer, true);
    const unsigned stream = list->streams++;
    const struct flat base = { .layer = layer, .training = training && !frozen, .stream = stream,
                               .storage = layer->policy };
    int last = inputs[0];
    const bool nothing = class->host_only || (class->identity_in_inference && !base.training);
    if (!nothing && pure_activation(layer) == ACTIVATION_KINDS) {
        struct flat own = base;
        own.kind = FLAT_LAYER;
        own.view = class->view;
        last = append(list, own, inputs, count, err);
    }
    const enum activation_kind kind = strata_lower_activation(layer);
    if (last != FAILED && kind != ACTIVATION_LINEAR) {
        struct flat activation = base;
        activation.kind = FLAT_ACTIVATION;
        activation.activation = kind;
        last = append(list, activation, &last, 1, err);
    }
    if (last != FAILED && strata_lower_penalty(layer) && training) {
        struct flat penalty = base;
        penalty.kind = FLAT_PENALTY;
        penalty.regularizer = strata_lower_penalty(layer);
        penalty.view = true;
        last = append(list, penalty, &last, 1, err);
    }
    return last;
}

static int lower_node(struct flat_list *list, const struct node *node, const int *outs,
                      int input, bool training, strata_error *err)
{
    int inputs[STRATA_MAX_INPUTS];
    for (int i = 0; i < node->input_count; i++)
        inputs[i] = node->inputs[i] == MODEL_INPUT ? input : outs[node->inputs[i]];
    const int out = node->layer->model ? lower_model(list, node->layer->model, inputs[0], training, err)
                                       : lower_plain(list, node->layer, inputs, node->input_count, training, err);
    return out == FAILED || note_end(list, node->layer, out, err) ? out : FAILED;
}

static int lower_model(struct flat_list *list, strata_model *model, int input, bool training, strata_error *err)
{
    char has[STRATA_SHAPE_TEXT], got[STRATA_SHAPE_TEXT];
    const struct shape *given = shape_of(list, input);
    if (!strata_shape_fits(&model->input.shape, given)) {
        strata_fail(err, STRATA_ESHAPE, "model %s takes inputs of shape %s, not %s", model->name,
                    strata_shape_text(&model->input.shape, "None", has), strata_shape_text(given, "None", got));
        return FAILED;
    }
    int *outs = strata_alloc(model->count, sizeof *outs, err);
    int out = outs ? input : FAILED;
    for (size_t i = 0; outs && i < model->count && out != FAILED; i++)
        out = outs[model->order[i]] = lower_node(list, &model->nodes[model->order[i]], outs, input, training, err);
    if (out != FAILED)
        out = outs[model->output];
    free(outs);
    return out;
}

static void count_consumers(struct flat_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (int k = 0; k < list->items[i].input_count; k++)
            if (list->items[i].inputs[k] != MODEL_INPUT)
                list->items[list->items[i].inputs[k]].consumers++;
}

/* What is extracted is read as it is, so nobody after it may be fused into it. */
static void count_extracted(struct flat_list *list, const struct lower_config *config)
{
    int index;
    for (size_t i = 0; i < config->extract_count; i++)
        if (strata_lower_find(list, config->extract[i], &index) && index != MODEL_INPUT)
            list->items[index].consumers++;
}

/* The node before that computes what this one gets, when nobody else reads it and it can do more while storing; NULL: none. */
static struct flat *maker(struct flat_list *list, const struct flat *node)
{
    int at = node->inputs[0];
    while (at != MODEL_INPUT && list->items[at].fused && list->items[at].consumers == 1) at = list->items[at].inputs[0];
    struct flat *before = at == MODEL_INPUT ? NULL : &list->items[at];
    const bool can = before && before->kind == FLAT_LAYER && !before->fused && before->layer->class->fuses
                     && before->consumers == 1 && before->activation == ACTIVATION_LINEAR;
    return can ? before : NULL;
}

/* A layer that multiplies and adds by constants, where no gradient passes. */
static bool fuses_affine(const struct flat *node, const struct flat *before, bool backward)
{
    return node->kind == FLAT_LAYER && node->layer->class->affine && node->storage == before->storage && !node->training && !before->affine
           && !before->layer->class->affine
           && !(backward && node->needs_gradient) && node->layer->class->affine_on(node->layer->config, node->in);
}

/* A layer that puts zeros around what this one reads is passed by, where no gradient goes back. */
static void pass_rim(struct flat_list *list, struct flat *node, bool backward)
{
    struct flat *before = node->input_count == 1 && node->inputs[0] != MODEL_INPUT ? &list->items[node->inputs[0]] : NULL;
    if (!before || node->kind != FLAT_LAYER || !node->layer->class->takes_rim || before->kind != FLAT_LAYER
        || !before->layer->class->is_rim || before->consumers != 1 || (backward && node->needs_gradient)
        || !before->layer->class->is_rim(before->layer->config, &node->rim))
        return;
    node->passed = node->inputs[0] + 1;
    node->inputs[0] = before->inputs[0];
    node->in[0] = before->in[0];
    before->view = true;
}

/* What comes right after a layer that can do it while storing is given to that layer. */
static void fuse(struct flat_list *list, const struct lower_config *config)
{
    for (size_t i = 0; i < list->count; i++) {
        struct flat *node = &list->items[i];
        pass_rim(list, node, config->backward);
        struct flat *before = node->input_count == 1 ? maker(list, node) : NULL;
        const bool affine = before && fuses_affine(node, before, config->backward);
        const bool activation = before && node->kind == FLAT_ACTIVATION && node->storage == before->storage
                                && strata_activation(node->activation)->fusable
                                && !(config->keep_last && (int)i == list->output);
        if (affine)
            before->affine = node->layer;
        if (activation)
            before->activation = node->activation;
        if (affine || activation)
            node->fused = node->view = true;
    }
}

static bool has_trainable_weight(const struct flat *node)
{
    if (node->kind != FLAT_LAYER || !strata_layer_effective_trainable(node->layer, true))
        return false;
    for (int i = 0; i < node->layer->weight_count; i++)
        if (!node->layer->weights[i].spec.statistic)
            return true;
    return false;
}

static void spread_gradients(struct flat_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct flat *node = &list->items[i];
        node->needs_gradient = has_trainable_weight(node);
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != MODEL_INPUT && list->items[node->inputs[k]].needs_gradient)
                node->needs_gradient = true;
    }
}

bool strata_lower(strata_model *model, const struct shape *input, const struct lower_config *config, struct flat_list *list,
                  strata_error *err)
{
    *list = (struct flat_list){ .input = *input };
    if (model->output_count > 1)
        return strata_fail(err, STRATA_EVALUE, "model %s has %zu outputs; models with one output are trained and run. Take "
                           "inner outputs with strata_model_extract or `strata extract`", model->name, model->output_count);
    list->output = lower_model(list, model, MODEL_INPUT, config->training, err);
    if (list->output == FAILED) {
        strata_lower_release(list);
        return false;
    }
    count_consumers(list);
    count_extracted(list, config);
    spread_gradients(list);
    fuse(list, config);
    return true;
}

/* The node that makes floats of this one's output; a node without is one of its own. FAILED: out of memory. */
static int widened(struct flat_list *list, int index, strata_error *err)
{
    if (storage_of(list, index) == STORAGE_FLOAT32)
        return index;
    const struct flat *from = &list->items[index];
    const struct flat cast = { .kind = FLAT_CAST, .layer = from->layer, .training = from->training, .stream = from->stream,
                               .needs_gradient = from->needs_gradient };
    const int to = append(list, cast, &index, 1, err);
    if (to != FAILED)
        list->items[index].consumers++;
    return to;
}

static bool widen_end(struct flat_list *list, const strata_layer *layer, strata_error *err)
{
    for (size_t i = 0; i < list->end_count; i++)
        if (list->ends[i].layer == layer)
            return (list->ends[i].index = widened(list, list->ends[i].index, err)) != FAILED;
    return true;
}

bool strata_lower_widen(struct flat_list *list, const struct lower_config *config, strata_error *err)
{
    bool ok = (list->output = widened(list, list->output, err)) != FAILED;
    for (size_t i = 0; ok && i < config->extract_count; i++) ok = widen_end(list, config->extract[i], err);
    return ok;
}

static void free_flat(struct flat *flat)
{
    free(flat->inputs);
    free(flat->in);
}

void strata_lower_release(struct flat_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_flat(&list->items[i]);
    free(list->items);
    free(list->ends);
    *list = (struct flat_list){ 0 };
}

bool strata_lower_find(const struct flat_list *list, const strata_layer *layer, int *index)
{
    for (size_t i = 0; i < list->end_count; i++)
        if (list->ends[i].layer == layer) {
            *index = list->ends[i].index;
            return true;
        }
    return false;
}
