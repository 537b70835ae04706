#include "data/labels_priv.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

static bool integer_of(const struct column *y, size_t i, int32_t *label)
{
    int64_t wide = 0;
    switch (y->type) {
    case STRATA_UINT8: wide = ((const uint8_t *)y->values)[i]; break;
    case STRATA_INT32: wide = ((const int32_t *)y->values)[i]; break;
    case STRATA_INT64: wide = ((const int64_t *)y->values)[i]; break;
    case STRATA_FLOAT32: {
        const float real = ((const float *)y->values)[i];
        if (!(fabsf(real) < 0x1p31f) || real != rintf(real))
            return false;
        wide = (int64_t)real;
    }
    }
    *label = (int32_t)wide;
    return wide >= INT32_MIN && wide <= INT32_MAX;
}

static double real_of(const struct column *y, size_t i)
{
    switch (y->type) {
    case STRATA_FLOAT32: return ((const float *)y->values)[i];
    case STRATA_UINT8: return ((const uint8_t *)y->values)[i];
    case STRATA_INT32: return ((const int32_t *)y->values)[i];
    case STRATA_INT64: break;
    }
    return (double)((const int64_t *)y->values)[i];
}

bool strata_label_copy(const strata_data *data, strata_type as, size_t sample, void *out, strata_error *err)
{
    const struct column *y = &data->y;
    const size_t each = strata_shape_count(&y->shape), first = sample * each;
    if (y->type == as) {
        memcpy(out, (const char *)y->values + first * strata_type_size(as), each * strata_type_size(as));
        return true;
    }
    for (size_t i = 0; i < each; i++) {
        if (as == STRATA_FLOAT32)
            ((float *)out)[i] = (float)real_of(y, first + i);
        else if (!integer_of(y, first + i, (int32_t *)out + i))
            return strata_fail(err, STRATA_EFILE,
                               "%s: the label of sample %zu is %.9g; a class is an integer of 32 bits", data->name,
                               sample, real_of(y, first + i));
    }
    return true;
}

static bool class_of(const strata_data *data, size_t sample, double *class, strata_error *err)
{
    const struct column *y = &data->y;
    const size_t each = strata_shape_count(&y->shape), first = sample * each;
    if (!y->values || y->shape.rank > 1)
        return strata_fail(err, STRATA_EVALUE, "%s: class_weight needs labels of shape (n), (n, 1) or (n, classes)",
                           data->name);
    size_t largest = 0;
    for (size_t i = 1; i < each; i++)
        if (real_of(y, first + i) > real_of(y, first + largest))
            largest = i;
    *class = each == 1 ? rint(real_of(y, first)) : (double)largest;
    return true;
}

bool strata_sample_weight(const struct batches_config *config, size_t sample, float *weight, strata_error *err)
{
    const float *given = config->data->sample_weight.values;
    double class = 0, value = given ? given[sample] : 1;
    if (config->class_weight && !class_of(config->data, sample, &class, err))
        return false;
    if (config->class_weight && class >= 0 && class < (double)config->class_weights)
        value *= config->class_weight[(size_t)class];
    *weight = (float)value;
    return true;
}
