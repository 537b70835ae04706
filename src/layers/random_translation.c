/* RandomTranslation: images moved by parts of their height and width. */
#include "layers/augment_common.h"

static const struct field fields[] = {
    STRATA_AUGMENT_RANGE("height_factor", factor, -1, "by what part of the height; downwards"),
    STRATA_AUGMENT_RANGE("width_factor", width_factor, -1, "by what part of the width; to the right"),
    STRATA_AUGMENT_EDGES,
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static struct range times(struct range range, size_t extent)
{
    return (struct range){ .lower = range.lower * (double)extent, .upper = range.upper * (double)extent };
}

static struct motion motion(const struct augment_config *c, const struct shape *images, const struct shape *moved)
{
    (void)moved;
    return (struct motion){ .kind = MAP_TRANSLATION,
                            .ranges = { times(c->factor, images->dim[1]), times(c->width_factor, images->dim[2]) },
                            .resample = { .bilinear = c->interpolation, .fill = (enum fill_mode)c->fill_mode, .fill_value = c->fill_value } };
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_augment_move(config, motion, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_augment_move_back(config, motion, s, err);
}

const struct layer_class strata_layer_random_translation = {
    .class = { .name = "RandomTranslation",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "moves images in training" },
    .shape = strata_augment_shape_keep,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .identity_in_inference = true,
};
