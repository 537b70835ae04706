/* RandomCrop: a part of each image from a random place. Keras draws one place a batch; here each image has its own, so that it
 * depends on no batch. In inference, and for images that are not larger, the middle is fitted to the size: so Keras documents
 * it, where Keras 3's inference leaves images as they are. */
#include "layers/augment_common.h"

static const struct field fields[] = {
    STRATA_AUGMENT_SIZE,
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static bool is_drawn(const struct step *s, const struct shape *images, const struct shape *parts)
{
    return s->training && images->dim[1] > parts->dim[1] && images->dim[2] > parts->dim[2];
}

static struct motion motion(const struct augment_config *c, const struct shape *images, const struct shape *parts)
{
    (void)c;
    const double rows = (double)(images->dim[1] - parts->dim[1]), columns = (double)(images->dim[2] - parts->dim[2]);
    /* what is drawn stays below the end, also when it is rounded to float32 */
    return (struct motion){ .kind = MAP_CROP,
                            .ranges = { { .upper = (rows + 1) * (1 - 0x1p-23) }, { .upper = (columns + 1) * (1 - 0x1p-23) } },
                            .resample = { .fill = FILL_NEAREST } };
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return is_drawn(s, &s->x.shape, &s->y.shape) ? strata_augment_move(config, motion, s, err)
                                                 : strata_augment_fit(s, false, true, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    if (!s->dx.buffer) return true;
    return is_drawn(s, &s->dx.shape, &s->dy.shape) ? strata_augment_move_back(config, motion, s, err)
                                                   : strata_augment_fit_back(s, false, true, err);
}

const struct layer_class strata_layer_random_crop = {
    .class = { .name = "RandomCrop",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "a part of each image, from a random place in training" },
    .shape = strata_augment_shape_size,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .random_in_training = true,
};
