/* Shapes of layers whose inputs may have open extents (Keras's None).
 *
 * Layers compute with whole shapes alone. What follows from an open extent is found by asking twice, with two extents in
 * its place: what differs between the answers is open in the output. Both are multiples of many small numbers, so that
 * a Reshape to (-1, 64) divides them, and larger than any window; their distance is larger than any stride. */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/lower.h"

enum { PROBES = 2 };
static const size_t probes[PROBES] = { 1024 * 315, 2048 * 315 };

struct inputs {
    struct shape shape[STRATA_MAX_INPUTS + 1]; /* ends in rank -1 */
};

static const char *title(const strata_layer *layer)
{
    return layer->name ? layer->name : layer->class->class.name;
}

static bool any_open(const struct shape *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strata_shape_is_open(&in[i]))
            return true;
    return false;
}

/* The shapes with `extent` in place of what is open; 0 leaves it open. */
static bool settle(const strata_layer *layer, const struct shape *in, size_t count, size_t extent, struct inputs *inputs,
                   strata_error *err)
{
    const struct layer_class *class = layer->class;
    if (count > STRATA_MAX_INPUTS || (count != 1 && !class->merges))
        return strata_fail(err, STRATA_ESHAPE, "%s: %s takes %s; it has %zu inputs", title(layer), class->class.name,
                           class->merges ? "at most 64 inputs" : "one input", count);
    *inputs = (struct inputs){ { { 0 } } };
    for (size_t i = 0; i < count; i++) {
        struct shape *shape = &inputs->shape[i];
        *shape = in[i];
        for (int axis = 0; axis < shape->rank; axis++)
            if (shape->dim[axis] == 0)
                shape->dim[axis] = extent;
    }
    inputs->shape[count].rank = -1;
    return true;
}

static bool infer_plain(const strata_layer *layer, const struct shape *in, size_t count, struct shape *out,
                        strata_error *err)
{
    const struct layer_class *class = layer->class;
    const bool once = class->open_shape || !any_open(in, count);
    struct inputs inputs;
    struct shape seen[PROBES];
    for (int i = 0; i < (once ? 1 : PROBES); i++) {
        if (!settle(layer, in, count, once ? 0 : probes[i], &inputs, err))
            return false;
        if (!class->shape(layer->config, inputs.shape, &seen[i], err))
            return strata_fail_in(err, "%s", title(layer));
    }
    *out = seen[0];
    for (int axis = 0; axis < out->rank && !once; axis++)
        if (seen[0].dim[axis] != seen[1].dim[axis])
            out->dim[axis] = 0;
    return true;
}

bool strata_layer_infer(const strata_layer *layer, const struct shape *in, size_t count, struct shape *out,
                        strata_error *err)
{
    if (layer->model) {
        if (count != 1)
            return strata_fail(err, STRATA_ESHAPE, "%s: a model as a layer takes one input; it has %zu", layer->name, count);
        return strata_model_infer(layer->model, &in[0], out, err) || strata_fail_in(err, "%s", layer->name);
    }
    if (!layer->class->host_only)
        return infer_plain(layer, in, count, out, err);
    *out = in[0];
    return true;
}

bool strata_layer_ask(const strata_layer *layer, const struct shape *in, size_t count, struct weights *ask,
                      strata_error *err)
{
    const struct layer_class *class = layer->class;
    struct weights seen[PROBES] = { { .count = 0 } };
    struct inputs inputs;
    char text[STRATA_SHAPE_TEXT];
    const int times = any_open(in, count) ? PROBES : 1;
    for (int i = 0; class->weights && i < times; i++) {
        if (!settle(layer, in, count, probes[i], &inputs, err))
            return false;
        if (!class->weights(layer->config, inputs.shape, &seen[i], err))
            return strata_fail_in(err, "%s", title(layer));
    }
    *ask = seen[0];
    for (int w = 0; w < ask->count && times > 1; w++)
        if (!strata_shape_equal(&seen[0].spec[w].shape, &seen[1].spec[w].shape))
            return strata_fail(err, STRATA_ESHAPE, "%s: the shape of its %s depends on an extent of the input %s that is "
                               "None; the extents that weights depend on must be defined: give the Input a whole shape, or "
                               "put a global pooling layer before", title(layer), ask->spec[w].name,
                               strata_shape_text(&in[0], "None", text));
    return true;
}

static bool infer_nodes(const strata_model *model, const struct shape *input, struct shape *outs, strata_error *err)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[model->order[i]];
        struct shape *in = strata_alloc((size_t)node->input_count, sizeof *in, err);
        if (!in)
            return false;
        for (int k = 0; k < node->input_count; k++)
            in[k] = node->inputs[k] == MODEL_INPUT ? *input : outs[node->inputs[k]];
        const bool ok = strata_layer_infer(node->layer, in, (size_t)node->input_count, &outs[model->order[i]], err);
        free(in);
        if (!ok)
            return false;
    }
    return true;
}

bool strata_model_infer(const strata_model *model, const struct shape *input, struct shape *out, strata_error *err)
{
    char has[STRATA_SHAPE_TEXT], got[STRATA_SHAPE_TEXT];
    if (!model->built || !strata_shape_fits(&model->input.shape, input))
        return strata_fail(err, STRATA_ESHAPE, "model %s takes inputs of shape %s, not %s", model->name,
                           strata_shape_text(&model->input.shape, "None", has), strata_shape_text(input, "None", got));
    struct shape *outs = strata_alloc(model->count, sizeof *outs, err);
    const bool ok = outs && infer_nodes(model, input, outs, err);
    if (ok)
        *out = outs[model->output];
    free(outs);
    return ok;
}

bool strata_model_output_for(strata_model *model, const strata_layer *layer, const struct shape *input, struct shape *out,
                             strata_error *err)
{
    struct flat_list list;
    int index = MODEL_INPUT;
    if (!layer)
        return strata_model_infer(model, input, out, err);
    if (!strata_lower(model, input, &(struct lower_config){ 0 }, &list, err))
        return false;
    const bool found = strata_lower_find(&list, layer, &index);
    if (found)
        *out = index == MODEL_INPUT ? list.input : list.items[index].out;
    strata_lower_release(&list);
    return found || strata_fail(err, STRATA_EVALUE, "layer %s is not in model %s", strata_layer_name(layer), model->name);
}

bool strata_model_output_shape_for(strata_model *model, const strata_layer *layer, const strata_shape *input,
                                   strata_shape *out, strata_error *err)
{
    const struct shape in = strata_private_shape(input);
    struct shape shape;
    if (!strata_model_output_for(model, layer, &in, &shape, err))
        return false;
    *out = strata_public_shape(&shape);
    return true;
}
