/* RandomRotation: images turned around their middle by parts of a full turn. */
#include "layers/augment_common.h"

static const struct field fields[] = {
    STRATA_AUGMENT_FACTOR(-1, "by what part of a full turn; against the clock"),
    STRATA_AUGMENT_EDGES,
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static struct motion motion(const struct augment_config *c, const struct shape *images, const struct shape *moved)
{
    static const double turn = 6.283185307179586;
    (void)images;
    (void)moved;
    return (struct motion){ .kind = MAP_ROTATION,
                            .ranges = { { .lower = c->factor.lower * turn, .upper = c->factor.upper * turn } },
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

const struct layer_class strata_layer_random_rotation = {
    .class = { .name = "RandomRotation",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "turns images in training" },
    .shape = strata_augment_shape_keep,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .identity_in_inference = true,
};
