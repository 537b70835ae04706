/* CenterCrop: the middle of each image; an image that is too small is fitted to the size first. */
#include "layers/augment_common.h"
#include "ops/map.h"
#include "ops/strided.h"

static const struct field fields[] = {
    STRATA_AUGMENT_SIZE,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static bool is_cut(const struct shape *images, const struct shape *parts, size_t at[STRATA_MAX_RANK])
{
    if (images->dim[1] < parts->dim[1] || images->dim[2] < parts->dim[2]) return false;
    at[0] = at[3] = 0;
    at[1] = (images->dim[1] - parts->dim[1]) / 2;
    at[2] = (images->dim[2] - parts->dim[2]) / 2;
    return true;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK] = { 0 };
    (void)config;
    return is_cut(&s->x.shape, &s->y.shape, at) ? strata_op_crop(s->run, &s->x, at, &s->y, err)
                                                : strata_augment_fit(s, false, true, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK] = { 0 };
    (void)config;
    if (!s->dx.buffer) return true;
    return is_cut(&s->dx.shape, &s->dy.shape, at)
               ? strata_op_zero(s->run, &s->dx, err) && strata_op_place(s->run, &s->dy, at, &s->dx, err)
               : strata_augment_fit_back(s, false, true, err);
}

const struct layer_class strata_layer_center_crop = {
    .class = { .name = "CenterCrop",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "the middle of each image" },
    .shape = strata_augment_shape_size,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
};
