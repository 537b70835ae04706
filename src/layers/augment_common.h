/* What the layers that augment images share. None keeps anything: backward draws the same numbers again. */
#ifndef STRATA_LAYERS_AUGMENT_COMMON_H
#define STRATA_LAYERS_AUGMENT_COMMON_H

#include "layers/fields_common.h"
#include "ops/resample.h"

/* From where to where a factor is drawn. */
struct range {
    double lower, upper, given;
    bool single, none; /* one number was given; null was */
};

/* A class's field table fills the members that it has keys for. */
struct augment_config {
    struct range factor, width_factor, values; /* values: between what the output is cut */
    int mode, fill_mode, interpolation, data_format;
    double fill_value;
    long seed, height, width; /* seed STRATA_NO_INT: none */
    bool crop_to_aspect;
};

extern const char *const strata_fill_modes[];     /* enum fill_mode */
extern const char *const strata_interpolations[]; /* nearest, bilinear: 1 is bilinear */

/* A number f, for -f to f, or a list of two; between the field's min and max. Written as it was given. */
bool strata_range_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err);
json_t *strata_range_write(const struct field *field, const void *at, enum flavour flavour);
/* The same, but the lower end is at least min, and Keras 3 writes it as a list: of layers with one `factor`. */
bool strata_factor_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err);
json_t *strata_factor_write(const struct field *field, const void *at, enum flavour flavour);

#define STRATA_AUGMENT_RANGE(key, member, low, text_help)                                                            \
    {                                                                                                                \
        key, FIELD_CUSTOM, offsetof(struct augment_config, member), .required = true, .min = low, .max = 1,         \
             .parse = strata_range_parse, .write = strata_range_write, .help = text_help                            \
    }
#define STRATA_AUGMENT_FACTOR(low, text_help)                                                                        \
    {                                                                                                                \
        "factor", FIELD_CUSTOM, offsetof(struct augment_config, factor), .required = true, .min = low, .max = 1,    \
                  .parse = strata_factor_parse, .write = strata_factor_write, .help = text_help                     \
    }
#define STRATA_AUGMENT_VALUES(...)                                                                                   \
    {                                                                                                                \
        "value_range", FIELD_CUSTOM, offsetof(struct augment_config, values), .text = "[0, 255]",                   \
                       .parse = strata_range_parse, .write = strata_range_write,                                    \
                       .help = "between what the output is cut", __VA_ARGS__                                        \
    }
#define STRATA_AUGMENT_SEED                                                                                          \
    { "rng_type", FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true },                                 \
    {                                                                                                                \
        "seed", FIELD_INT, offsetof(struct augment_config, seed), .nullable = true, .null_default = true,           \
                .help = "mixed into the seed of the run"                                                            \
    }
#define STRATA_AUGMENT_DATA_FORMAT                                                                                   \
    {                                                                                                                \
        "data_format", FIELD_CHOICE, offsetof(struct augment_config, data_format), .choices = strata_data_formats,  \
                       .nullable = true, .only_keras3 = true,                                                       \
                       .help = "the order of the axes; only channels_last is computed"                              \
    }
#define STRATA_AUGMENT_EDGES                                                                                         \
    { "fill_mode", FIELD_CHOICE, offsetof(struct augment_config, fill_mode), .choices = strata_fill_modes,          \
      .otherwise = FILL_REFLECT, .help = "what is beyond the edge" },                                               \
    { "fill_value", FIELD_FLOAT, offsetof(struct augment_config, fill_value), .help = "of fill_mode constant" },    \
    { "interpolation", FIELD_CHOICE, offsetof(struct augment_config, interpolation),                               \
      .choices = strata_interpolations, .otherwise = 1, .help = "how places between cells are seen" }
#define STRATA_AUGMENT_SIZE                                                                                          \
    { "height", FIELD_INT, offsetof(struct augment_config, height), .required = true, .min = 1, .max = 65535,       \
      .help = "of the output" },                                                                                    \
    { "width", FIELD_INT, offsetof(struct augment_config, width), .required = true, .min = 1, .max = 65535,         \
      .help = "of the output" }

/* A check: only channels_last. */
bool strata_augment_check(void *config, enum flavour flavour, strata_error *err);
/* Images (height, width, channels), kept as they are; or of the config's height and width. */
bool strata_augment_shape_keep(const void *config, const struct shape *in, struct shape *out, strata_error *err);
bool strata_augment_shape_size(const void *config, const struct shape *in, struct shape *out, strata_error *err);

/* For layer_class.work: the two numbers and the map of every sample. */
size_t strata_augment_work(const void *config, size_t n, const struct shape *in, const struct shape *out);

/* Draws two numbers a sample, each in its range. */
struct view strata_augment_numbers(const struct step *s);
bool strata_augment_draw(const struct augment_config *c, const struct step *s, const struct range ranges[2],
                         strata_error *err);

/* What a geometric layer does in training: y, or dx, through maps made of two drawn numbers. */
struct motion {
    enum map_kind kind;
    int sides;
    struct range ranges[2];
    struct resample resample;
};
/* It, for images of a shape that become images of another. */
typedef struct motion motion_of(const struct augment_config *c, const struct shape *images, const struct shape *moved);
bool strata_augment_move(const struct augment_config *c, motion_of *motion, const struct step *s, strata_error *err);
bool strata_augment_move_back(const struct augment_config *c, motion_of *motion, const struct step *s, strata_error *err);

/* The largest box of x in the middle that has the output's shape, brought to its size bilinearly or by the nearest cells, as
 * Keras's smart_resize does; whole: all of x instead. */
bool strata_augment_fit(const struct step *s, bool whole, bool bilinear, strata_error *err);
bool strata_augment_fit_back(const struct step *s, bool whole, bool bilinear, strata_error *err);

#endif
