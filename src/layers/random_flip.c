/* RandomFlip: half of the images are mirrored; by Keras 3, of both directions both or neither. */
#include "layers/augment_common.h"

static const char *const modes[] = { "horizontal", "vertical", "horizontal_and_vertical", NULL };

static const struct field fields[] = {
    { "mode", FIELD_CHOICE, offsetof(struct augment_config, mode), .choices = modes, .otherwise = 2,
      .help = "which way images are mirrored" },
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static struct motion motion(const struct augment_config *c, const struct shape *images, const struct shape *moved)
{
    static const int sides[] = { MAP_HORIZONTAL, MAP_VERTICAL, MAP_HORIZONTAL | MAP_VERTICAL };
    (void)images;
    (void)moved;
    return (struct motion){ .kind = MAP_FLIP, .sides = sides[c->mode], .ranges = { { .upper = 1 } } };
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    return strata_augment_move(config, motion, s, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    return strata_augment_move_back(config, motion, s, err);
}

const struct layer_class strata_layer_random_flip = {
    .class = { .name = "RandomFlip",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "mirrors half of the images in training" },
    .shape = strata_augment_shape_keep,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .identity_in_inference = true,
};
