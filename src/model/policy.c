/* The dtype policies of a model's layers. */
#include "base/error.h"
#include "model/model_priv.h"

void strata_model_set_policy(strata_model *model, enum storage policy)
{
    if (!model->policy_stated)
        model->policy = policy;
    for (size_t i = 0; i < model->count; i++) {
        strata_layer *layer = model->nodes[i].layer;
        if (layer->model)
            strata_model_set_policy(layer->model, policy);
        else if (!layer->policy_stated)
            layer->policy = policy;
    }
}

enum storage strata_model_policy(const strata_model *model)
{
    return model->policy;
}

static bool can_keep(void *context, strata_layer *layer, strata_error *err)
{
    const struct device *device = context;
    if (layer->policy != STORAGE_FLOAT16 || strata_device_has_half(device))
        return true;
    return strata_fail(err, STRATA_EDEVICE, "%s: its dtype policy is \"mixed_float16\", and the device %s has no half "
                       "(cl_khr_fp16); \"mixed_bfloat16\" and \"float32\" run on every device", strata_layer_name(layer),
                       strata_device_text(device));
}

bool strata_model_fits_device(strata_model *model, struct device *device, strata_error *err)
{
    return strata_model_walk(model, can_keep, device, err);
}
