/* RandomZoom: images that show less or more around their middle. */
#include "layers/augment_common.h"

static const struct field fields[] = {
    STRATA_AUGMENT_RANGE("height_factor", factor, -0.999999, "how much more of the height is seen; below 0 less"),
    { "width_factor", FIELD_CUSTOM, offsetof(struct augment_config, width_factor), .text = "null", .nullable = true,
      .min = -0.999999, .max = 1, .parse = strata_range_parse, .write = strata_range_write,
      .help = "of the width; null: what is drawn for the height" },
    STRATA_AUGMENT_EDGES,
    STRATA_AUGMENT_SEED,
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static struct range more(struct range range)
{
    return (struct range){ .lower = 1 + range.lower, .upper = 1 + range.upper };
}

static struct motion motion(const struct augment_config *c, const struct shape *images, const struct shape *moved)
{
    (void)images;
    (void)moved;
    return (struct motion){ .kind = MAP_ZOOM, .sides = c->width_factor.none ? MAP_SAME_ZOOM : 0,
                            .ranges = { more(c->factor), more(c->width_factor) },
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

const struct layer_class strata_layer_random_zoom = {
    .class = { .name = "RandomZoom",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "zooms images in training" },
    .shape = strata_augment_shape_keep,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
    .identity_in_inference = true,
};
