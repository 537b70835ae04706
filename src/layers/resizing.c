/* Resizing: images brought to a size. */
#include "layers/augment_common.h"

/* What would change the pixels in a way that is not computed here. */
static bool parse_off(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    (void)flavour;
    (void)at;
    return json_is_false(json)
           || strata_fail(err, STRATA_EVALUE, "%s is not supported; leave it false", field->name);
}

static json_t *write_off(const struct field *field, const void *at, enum flavour flavour)
{
    (void)field;
    (void)at;
    (void)flavour;
    return json_false();
}

static const struct field fields[] = {
    STRATA_AUGMENT_SIZE,
    { "interpolation", FIELD_CHOICE, offsetof(struct augment_config, interpolation), .choices = strata_interpolations,
      .otherwise = 1, .help = "how places between cells are seen" },
    STRATA_FIELD_BOOL("crop_to_aspect_ratio", struct augment_config, crop_to_aspect, false,
                      "cut off what does not have the output's shape, instead of distorting it"),
    { "pad_to_aspect_ratio", FIELD_CUSTOM, 0, .text = "false", .only_keras3 = true, .parse = parse_off, .write = write_off,
      .help = "not supported" },
    { "fill_mode", FIELD_CHOICE, offsetof(struct augment_config, fill_mode), .choices = strata_fill_modes,
      .only_keras3 = true, .help = "of pad_to_aspect_ratio" },
    { "fill_value", FIELD_FLOAT, offsetof(struct augment_config, fill_value), .only_keras3 = true,
      .help = "of pad_to_aspect_ratio" },
    { "antialias", FIELD_CUSTOM, 0, .text = "false", .only_keras3 = true, .parse = parse_off, .write = write_off,
      .help = "not supported" },
    STRATA_AUGMENT_DATA_FORMAT,
    STRATA_FIELD_UNSET("bounding_box_format"),
    { 0 },
};

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct augment_config *c = config;
    return strata_augment_fit(s, !c->crop_to_aspect, c->interpolation, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct augment_config *c = config;
    return strata_augment_fit_back(s, !c->crop_to_aspect, c->interpolation, err);
}

const struct layer_class strata_layer_resizing = {
    .class = { .name = "Resizing",
               .config_size = sizeof(struct augment_config),
               .fields = fields,
               .check = strata_augment_check,
               .help = "images brought to a size" },
    .shape = strata_augment_shape_size,
    .forward = forward,
    .backward = backward,
    .work = strata_augment_work,
};
