#include "train/augment.h"

#include <string.h>
#include <strata/model.h>

#include "layers/layer.h"
#include "model/model.h"

/* ---- the layers as a model ------------------------------------------------------------------------------------------------ */

static json_t *input_of(const strata_data *data)
{
    json_t *shape = json_array();
    for (int i = 0; shape && i < data->x.shape.rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)data->x.shape.dim[i]));
    return json_pack("{s:{s:o}}", "Input", "shape", shape);
}

/* A list of layers, or an object with one a key. */
static json_t *list_of(const strata_data *data)
{
    json_t *list = json_array(), *value;
    const char *key;
    size_t i;
    json_array_append_new(list, input_of(data));
    json_array_foreach(data->augment, i, value) json_array_append(list, value);
    json_object_foreach(data->augment, key, value)
    {
        if (key[0] != '#') json_array_append_new(list, json_pack("{s:O}", key, value));
    }
    return list;
}

static bool check(const strata_model *model, const strata_data *data, strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    size_t weights = 0, trainable;
    const strata_shape out = strata_model_output_shape(model);
    const struct shape *in = &data->x.shape;
    bool same = out.rank == in->rank;
    for (int i = 0; same && i < in->rank; i++) same = out.dim[i] == in->dim[i];
    if (!strata_model_count_params(model, &weights, &trainable, err)) return false;
    if (weights > 0)
        return strata_fail(err, STRATA_EJOB, "%s: augment: its layers have weights; put such layers in the model", data->name);
    return same
           || strata_fail(err, STRATA_EJOB, "%s: augment: its layers change the shape %s of samples; put layers that do so in "
                          "the model", data->name, strata_shape_text(in, "None", text));
}

bool strata_augment_open(const strata_data *data, struct device *device, strata_model **model, strata_error *err)
{
    *model = NULL;
    if (!data->augment) return true;
    json_t *list = list_of(data);
    *model = strata_model_from_parsed(list, err);
    json_decref(list);
    if (!*model) {
        err->code = err->code == STRATA_EMEMORY ? err->code : STRATA_EJOB;
        return strata_fail_in(err, "%s: augment", data->name);
    }
    if (check(*model, data, err) && (!device || strata_params_bind(*model, device, false, 0, err))) return true;
    strata_augment_close(*model);
    *model = NULL;
    return false;
}

void strata_augment_close(strata_model *model)
{
    strata_error ignored = { 0 };
    if (!model) return;
    if (strata_model_params(model)) (void)strata_params_unbind(model, &ignored); /* there are no weights to bring back */
    strata_model_free(model);
}

/* ---- at work --------------------------------------------------------------------------------------------------------------- */

struct plan *strata_augment_plan(strata_model *model, const strata_data *data, size_t n, bool unplayed, strata_error *err)
{
    const struct plan_config config = { .n = n, .unplayed = unplayed, .training = true, .input = data->x.type, .input_scale = data->scale };
    return strata_plan_create(model, &config, err);
}

bool strata_augment_play(struct plan *plan, struct device *device, const void *x, const uint32_t *words, uint32_t *own,
                         size_t n, struct buffer *to, strata_error *err)
{
    enum { OTHER = 0x6d2b79f5 };
    const size_t bytes = (STEP_ROWS + n) * sizeof *words;
    const struct view out = strata_plan_output(plan);
    memcpy(own, words, bytes);
    own[STEP_SEED_HIGH] ^= OTHER;
    return strata_buffer_write_async(device, QUEUE_COMPUTE, strata_plan_input(plan), 0, strata_plan_input_bytes(plan), x,
                                     NULL, err)
           && strata_buffer_write_async(device, QUEUE_COMPUTE, strata_plan_step_words(plan), 0, bytes, own, NULL, err)
           && strata_run_play(strata_plan_run(plan), err)
           && strata_buffer_copy(device, QUEUE_COMPUTE, out.buffer, out.offset * sizeof(float), to, 0,
                                 strata_view_count(&out) * sizeof(float), err);
}
