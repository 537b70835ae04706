/* Field tables' entries that many layers share. `type` is the layer's config struct. */
#ifndef STRATA_LAYERS_FIELDS_COMMON_H
#define STRATA_LAYERS_FIELDS_COMMON_H

#include <stddef.h>

#include "layers/layer.h"

/* null stands for channels_last, Keras's default. */
enum data_format { CHANNELS_LAST, CHANNELS_FIRST };
enum padding { PADDING_VALID, PADDING_SAME, PADDING_CAUSAL };

extern const char *const strata_data_formats[]; /* enum data_format */
extern const char *const strata_paddings[];     /* enum padding without causal */

/* A hook for keys of which only null, false or 1 can be read, such as quantization_config: what they ask for is not
 * computed here, and to drop them silently would train another network. */
bool strata_parse_unset(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                        strata_error *err);

/* A hook for keys that mean nothing without another that cannot be set. */
bool strata_parse_ignored(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err);

/* Fails for channels_first with what to do. */
bool strata_check_data_format(int data_format, strata_error *err);

#define STRATA_FIELD_OBJECT(key, type, member, kinds, default_class, text_help)                                      \
    {                                                                                                                \
        key, FIELD_OBJECT, offsetof(type, member), .text = default_class, .registry = &kinds, .nullable = true,     \
            .help = text_help                                                                                        \
    }
#define STRATA_FIELD_INITIALIZER(key, type, member, default_class)                                                   \
    STRATA_FIELD_OBJECT(key, type, member, strata_initializers, default_class, "how its first values are drawn")
#define STRATA_FIELD_REGULARIZER(key, type, member)                                                                  \
    STRATA_FIELD_OBJECT(key, type, member, strata_regularizers, NULL, "a penalty that is added to the loss")
#define STRATA_FIELD_CONSTRAINT(key, type, member)                                                                   \
    STRATA_FIELD_OBJECT(key, type, member, strata_constraints, NULL, "what it is projected to after each update")
#define STRATA_FIELD_ACTIVATION(type, member)                                                                        \
    {                                                                                                                \
        "activation", FIELD_CUSTOM, offsetof(type, member), .text = "\"linear\"", .parse = strata_activation_parse, \
                      .writable = strata_activation_writable, .write = strata_activation_write,                      \
                      .help = "the function applied to the output"                                                   \
    }
#define STRATA_FIELD_BOOL(key, type, member, default_value, text_help)                                               \
    {                                                                                                                \
        key, FIELD_BOOL, offsetof(type, member), .otherwise = default_value, .help = text_help                      \
    }
#define STRATA_FIELD_DATA_FORMAT(type, member)                                                                       \
    {                                                                                                                \
        "data_format", FIELD_CHOICE, offsetof(type, member), .choices = strata_data_formats, .nullable = true,      \
                       .help = "the order of the axes; only channels_last is computed"                              \
    }
#define STRATA_FIELD_PADDING(type, member)                                                                           \
    {                                                                                                                \
        "padding", FIELD_CHOICE, offsetof(type, member), .choices = strata_paddings,                                \
                   .help = "same: zeros around it, so that stride 1 keeps the extent"                               \
    }
/* A list of n positive integers, or one for all. */
#define STRATA_FIELD_INTS(key, type, member, n, default_value, text_help)                                            \
    {                                                                                                                \
        key, FIELD_INTS, offsetof(type, member), .count = n, .otherwise = default_value, .min = 1, .max = 1e6,      \
             .help = text_help                                                                                       \
    }
#define STRATA_FIELD_UNSET(key)                                                                                      \
    {                                                                                                                \
        key, FIELD_CUSTOM, 0, .parse = strata_parse_unset, .silent = true                                           \
    }

#endif
